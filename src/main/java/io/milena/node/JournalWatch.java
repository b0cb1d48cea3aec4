package io.milena.node;

import akka.actor.typed.ActorSystem;
import akka.actor.typed.Behavior;
import akka.actor.typed.Props;
import akka.actor.typed.eventstream.EventStream;
import akka.actor.typed.javadsl.Behaviors;
import io.milena.journal.JournalFailed;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Notices that the metadata journal of a node cannot be written any more. */
final class JournalWatch {

  private JournalWatch() {}

  /**
   * Begins to watch.
   *
   * @return completes with the reason, for people, once the journal has failed
   */
  static CompletionStage<String> start(ActorSystem<?> system) {
    CompletableFuture<String> failed = new CompletableFuture<>();
    system.systemActorOf(behavior(failed), "journal-watch", Props.empty());
    return failed;
  }

  private static Behavior<JournalFailed> behavior(CompletableFuture<String> failed) {
    return Behaviors.setup(context -> {
      context
          .getSystem()
          .eventStream()
          .tell(new EventStream.Subscribe<>(JournalFailed.class, context.getSelf()));
      return Behaviors.receiveMessage(event -> {
        failed.complete(
            "the metadata journal "
                + event.directory()
                + " cannot be written ("
                + event.cause().getMessage()
                + "): repair the disk, then start it again");
        return Behaviors.stopped();
      });
    });
  }
}
