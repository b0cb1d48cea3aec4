package io.milena.log;

import java.util.List;
import org.apache.kafka.common.protocol.Errors;

/** What became of record batches that a producer, a coordinator or a leader handed to a log. */
public sealed interface AppendOutcome {

  /**
   * The batches are in the log (written, not necessarily flushed).
   *
   * @param baseOffset offset of the first record appended
   * @param lastOffset offset of the last record appended, inclusive
   * @param logAppendTimeMs the broker's timestamp where the topic uses LogAppendTime, else -1
   */
  record Appended(long baseOffset, long lastOffset, long logAppendTimeMs)
      implements AppendOutcome {}

  /**
   * An idempotent producer sent a batch that the log already holds (one of its last five); nothing
   * was written. A client is answered as for the first time.
   *
   * @param baseOffset offset that the batch was given when it was appended
   * @param lastOffset its last offset, inclusive
   * @param logAppendTimeMs as in {@link Appended}
   */
  record Duplicate(long baseOffset, long lastOffset, long logAppendTimeMs)
      implements AppendOutcome {}

  /**
   * The batches break a rule; nothing was written.
   *
   * @param error the protocol error that tells a client so
   * @param message one sentence that names what is wrong with what
   * @param records the records at fault where single records are (KIP-467), else empty
   */
  record Rejected(Errors error, String message, List<RecordFault> records)
      implements AppendOutcome {

    public Rejected(Errors error, String message) {
      this(error, message, List.of());
    }
  }

  /**
   * One record at fault.
   *
   * @param batchIndex index of the record in its batch, from 0
   * @param message what is wrong with it
   */
  record RecordFault(int batchIndex, String message) {}
}
