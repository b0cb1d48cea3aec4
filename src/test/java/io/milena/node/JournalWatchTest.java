package io.milena.node;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.typed.ActorSystem;
import akka.actor.typed.eventstream.EventStream;
import akka.actor.typed.javadsl.Behaviors;
import io.milena.journal.JournalFailed;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class JournalWatchTest {

  @Test
  void aJournalThatFailsEndsTheNode() throws Exception {
    ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), "journal-watch-test");
    try {
      CompletableFuture<String> failed = JournalWatch.start(system).toCompletableFuture();
      assertThat(failed).isNotDone();
      // Subscribing takes its time.
      Await.until(
          () -> {
            system
                .eventStream()
                .tell(
                    new EventStream.Publish<>(
                        new JournalFailed(
                            Path.of("/disk/events"), new IOException("a bad block"))));
            return failed.isDone();
          },
          "the failure is noticed");
      assertThat(failed.join()).contains("/disk/events", "a bad block", "repair the disk");
    } finally {
      system.terminate();
    }
  }
}
