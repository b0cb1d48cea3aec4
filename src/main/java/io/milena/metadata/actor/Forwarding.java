package io.milena.metadata.actor;

import akka.actor.typed.ActorRef;
import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataReply;
import io.milena.metadata.actor.MetadataGroup.Answered;
import io.milena.metadata.actor.MetadataGroup.Command;
import io.milena.metadata.actor.MetadataGroup.Decided;
import io.milena.metadata.actor.MetadataGroup.Forward;
import io.milena.metadata.actor.MetadataGroup.Outcome;
import io.milena.metadata.actor.MetadataGroup.Request;
import io.milena.metadata.actor.MetadataGroup.Unavailable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import org.apache.kafka.common.protocol.Errors;

/**
 * Commands that were asked for on this node and are decided on another: who asked, and answers that
 * wait until this node's image shows what they say. Confined to {@link MetadataGroup}.
 */
final class Forwarding {

  /** Members that may pass a command on; more only while leadership moves faster than messages. */
  static final int HOPS_MAX = 3;

  /** In place of an epoch: sent to a node that may know the leader better. */
  static final int TO_ANYONE = -1;

  private static final String LOST =
      "The metadata leader changed before it answered; whether the command was decided is unknown";

  private record Sent(Request request, int epoch) {}

  private record Waiting(long imageIndex, Asker asker, Outcome outcome) {}

  private final ActorRef<Command> self;
  private final Map<Long, Sent> sent = new HashMap<>();
  private final PriorityQueue<Waiting> waiting =
      new PriorityQueue<>(Comparator.comparingLong(Waiting::imageIndex));
  private long nextRequestId;

  /**
   * @param self where answers go
   * @param firstRequestId one that no earlier life of this node has used
   */
  Forwarding(ActorRef<Command> self, long firstRequestId) {
    this.self = self;
    this.nextRequestId = firstRequestId;
  }

  /** Commands that were sent and not answered. */
  int size() {
    return sent.size();
  }

  /**
   * The message that passes a command on.
   *
   * @param epoch of the leader that it goes to, or {@link #TO_ANYONE}
   */
  Forward forward(Request request, int epoch) {
    return switch (request.asker()) {
      // The node that it came from keeps the account, and gets the answer.
      case Asker.Elsewhere(ActorRef<Command> member, long requestId) ->
          new Forward(member, requestId, request.command(), request.hops() - 1);
      case Asker.Here _, Asker.Nobody _ -> {
        long requestId = nextRequestId++;
        sent.put(requestId, new Sent(request, epoch));
        yield new Forward(self, requestId, request.command(), request.hops() - 1);
      }
    };
  }

  /** An answer came: passed on at once, or once the image is there that it speaks of. */
  void answered(Answered answered, long imageIndex) {
    Sent asked = sent.remove(answered.requestId());
    if (asked == null) {
      return;
    }
    Asker asker = asked.request().asker();
    if (!changesImage(answered.outcome()) || answered.imageIndex() <= imageIndex) {
      asker.tell(answered.outcome(), imageIndex);
    } else {
      waiting.add(new Waiting(answered.imageIndex(), asker, answered.outcome()));
    }
  }

  /**
   * Whether there is something to be shown. A node whose registration is refused gets no image,
   * ever, as the group takes it for none of its members.
   */
  private static boolean changesImage(Outcome outcome) {
    return switch (outcome) {
      case Unavailable _ -> false;
      case Decided(MetadataReply.NodeRegistered registered) -> registered.error() == Errors.NONE;
      case Decided _ -> true;
    };
  }

  /** The image has come so far. */
  void shown(long imageIndex) {
    while (!waiting.isEmpty() && waiting.peek().imageIndex() <= imageIndex) {
      Waiting ready = waiting.poll();
      ready.asker().tell(ready.outcome(), imageIndex);
    }
  }

  /**
   * An epoch has begun: leaders of earlier ones answer nothing any more.
   *
   * @return commands to be asked again, as deciding them twice does no harm; others are refused
   */
  List<Request> lost(int epoch) {
    List<Request> again = new ArrayList<>();
    for (Iterator<Sent> all = sent.values().iterator(); all.hasNext(); ) {
      Sent each = all.next();
      if (each.epoch() == TO_ANYONE || each.epoch() >= epoch) {
        continue;
      }
      all.remove();
      if (isRepeatable(each.request().command())) {
        again.add(each.request());
      } else {
        each.request().asker().tell(new Unavailable(LOST), 0);
      }
    }
    return again;
  }

  /** Whether the second decision on the same command is the first one's, or changes nothing. */
  private static boolean isRepeatable(MetadataCommand<?> command) {
    return command instanceof MetadataCommand.RegisterNode
        || command instanceof MetadataCommand.UnfenceNode
        || command instanceof MetadataCommand.FenceNode
        || command instanceof MetadataCommand.BeginShutdown
        || command instanceof MetadataCommand.LeaveInSync
        || command instanceof MetadataCommand.ReportOffline
        || command instanceof MetadataCommand.ClaimLeadership
        || command instanceof MetadataCommand.ResignLeadership
        || command instanceof MetadataCommand.AllocateProducerIds;
  }
}
