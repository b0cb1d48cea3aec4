package io.milena.metadata.actor;

import io.milena.metadata.Decision;
import io.milena.metadata.DecisionContext;
import io.milena.metadata.MembershipPlan;
import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataCore;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataRecord;
import io.milena.metadata.MetadataReply;
import io.milena.metadata.actor.MetadataGroup.Decided;
import io.milena.metadata.actor.MetadataGroup.Request;
import io.milena.metadata.actor.MetadataGroup.Unavailable;
import io.milena.raft.LogPosition;
import io.milena.raft.Membership;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.protocol.Errors;

/**
 * A leader's work in progress: commands become batches, each one entry of the log, decided against
 * the image with everything appended so far; replies wait until their entry is applied. Confined to
 * {@link MetadataGroup}.
 */
final class MetadataLeadership {

  /**
   * Records after which a batch is closed. The largest single command makes some ten thousand; the
   * next batch follows at once.
   */
  static final int BATCH_RECORDS_MAX = 1_000;

  private static final String LOST =
      "The metadata leader changed before the command was committed; whether it will be is unknown";

  private final DecisionContext context;
  private MetadataImage newest = MetadataImage.EMPTY;
  private int epoch = -1;
  private LogPosition lastAppended = LogPosition.START;

  /** Replies that wait for an entry to be applied, in order of index. */
  private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();

  MetadataLeadership(DecisionContext context) {
    this.context = context;
  }

  /** A command and what was decided about it. */
  record Answer(Request request, MetadataReply reply) {}

  /**
   * @param answers in the order of the commands
   * @param records of all of them; empty if nothing changes
   * @param image with the records applied
   */
  record Batch(List<Answer> answers, List<MetadataRecord> records, MetadataImage image) {}

  private record Waiting(LogPosition position, List<Answer> answers) {}

  /** Whether an epoch's work has begun. */
  boolean isOf(int currentEpoch) {
    return epoch == currentEpoch;
  }

  /**
   * Begins an epoch whose leader has applied everything before it: what still waits from an earlier
   * one is not in the log any more.
   */
  void begin(int newEpoch, MetadataImage applied) {
    waiting.forEach(lost -> refuse(lost.answers(), LOST));
    waiting.clear();
    epoch = newEpoch;
    newest = applied;
    lastAppended = LogPosition.START;
  }

  /**
   * Decides as many of the commands as fit a batch, and takes them from the queue. Ends before a
   * change of voters, which is an entry of its own.
   */
  Batch decide(ArrayDeque<Request> commands) {
    List<Answer> answers = new ArrayList<>();
    List<MetadataRecord> records = new ArrayList<>();
    MetadataImage image = newest;
    while (!commands.isEmpty()
        && records.size() < BATCH_RECORDS_MAX
        && !(commands.getFirst().command() instanceof MetadataCommand.ChangeVoter)) {
      Request request = commands.removeFirst();
      Decision<? extends MetadataReply> decision =
          MetadataCore.decide(image, request.command(), context);
      answers.add(new Answer(request, decision.reply()));
      records.addAll(decision.records());
      image = decision.image();
    }
    return new Batch(answers, records, image);
  }

  /** What there is to say about a change of voters before Raft is asked. */
  MembershipPlan.Requested requested(
      MetadataCommand.ChangeVoter command, Membership now, int votersTarget) {
    MetadataReply.Done checked =
        (MetadataReply.Done) MetadataCore.decide(newest, command, context).reply();
    return checked.error() == Errors.NONE
        ? MembershipPlan.requested(newest, now, command, votersTarget)
        : new MembershipPlan.Requested.Refused(checked);
  }

  /** A reply waits for an entry that changes no image. */
  void waitFor(LogPosition position, Answer answer) {
    lastAppended = position;
    waiting.addLast(new Waiting(position, List.of(answer)));
  }

  /** A batch is in the log: what follows is decided on top of it. */
  void appended(Batch batch, LogPosition position) {
    newest = batch.image();
    lastAppended = position;
    waiting.addLast(new Waiting(position, batch.answers()));
  }

  /**
   * Replies that changed nothing wait for what they were decided on.
   *
   * @return whether there is something to wait for; else the caller must confirm its leadership
   */
  boolean waitForNewest(List<Answer> answers, long appliedIndex) {
    if (lastAppended.index() <= appliedIndex) {
      return false;
    }
    waiting.addLast(new Waiting(lastAppended, answers));
    return true;
  }

  /**
   * An entry was applied: answers those that waited for it, or for one it took the place of.
   *
   * @param imageIndex of the image that shows it
   */
  void applied(LogPosition position, long imageIndex) {
    while (!waiting.isEmpty() && waiting.getFirst().position().index() <= position.index()) {
      Waiting done = waiting.removeFirst();
      if (done.position().equals(position)) {
        answer(done.answers(), imageIndex);
      } else {
        refuse(done.answers(), LOST);
      }
    }
  }

  static void answer(List<Answer> answers, long imageIndex) {
    for (Answer answer : answers) {
      answer.request().asker().tell(new Decided(answer.reply()), imageIndex);
    }
  }

  static void refuse(List<Answer> answers, String reason) {
    for (Answer answer : answers) {
      answer.request().asker().tell(new Unavailable(reason), 0);
    }
  }
}
