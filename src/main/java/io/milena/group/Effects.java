package io.milena.group;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.protocol.Message;

/**
 * What a group wants done after a step: write {@code appends} in their order and report each with
 * {@link ClassicGroup#appended}; send {@code replies}, which wait for nothing further. A reply that
 * depends on a write is not here before that write is reported done.
 */
public final class Effects {

  private final List<Append> appends = new ArrayList<>(1);
  private final List<Reply> replies = new ArrayList<>(1);

  /**
   * @param appendId to report the outcome with
   * @param records to be written together, all or none
   */
  public record Append(long appendId, List<GroupRecord> records) {}

  /**
   * @param requestId of the request that is answered
   * @param response its response body
   */
  public record Reply(long requestId, Message response) {}

  /** To be written, in this order. */
  public List<Append> appends() {
    return appends;
  }

  /** To be sent, in this order. */
  public List<Reply> replies() {
    return replies;
  }

  void append(long appendId, List<GroupRecord> records) {
    appends.add(new Append(appendId, List.copyOf(records)));
  }

  void reply(long requestId, Message response) {
    if (requestId != Member.NOBODY) {
      replies.add(new Reply(requestId, response));
    }
  }
}
