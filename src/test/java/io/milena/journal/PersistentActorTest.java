package io.milena.journal;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import akka.actor.typed.ActorRef;
import akka.actor.typed.javadsl.Behaviors;
import akka.persistence.typed.PersistenceId;
import akka.persistence.typed.javadsl.CommandHandler;
import akka.persistence.typed.javadsl.EventHandler;
import akka.persistence.typed.javadsl.EventSourcedBehavior;
import akka.persistence.typed.javadsl.RetentionCriteria;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A typed persistent actor over both plugins, across restarts of its actor system. */
class PersistentActorTest {
  private static final int EVENTS_PER_LIFE = 25;
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  @TempDir Path directory;

  @Test
  void stateIsRecoveredFromSnapshotAndEvents() throws Exception {
    String expected = "";
    for (int life = 0; life < 3; life++) {
      var kit = ActorTestKit.create("journal-test", config());
      try {
        var probe = kit.createTestProbe(String.class);
        ActorRef<Add> actor = kit.spawn(Letters.create("letters"));
        actor.tell(new Add("", probe.ref()));
        assertThat(probe.receiveMessage(PATIENCE)).isEqualTo(expected);
        for (int i = 0; i < EVENTS_PER_LIFE; i++) {
          String letter = String.valueOf((char) ('a' + (life * EVENTS_PER_LIFE + i) % 26));
          expected += letter;
          actor.tell(new Add(letter, probe.ref()));
          assertThat(probe.receiveMessage(PATIENCE)).isEqualTo(expected);
        }
      } finally {
        kit.shutdownTestKit();
      }
    }
    try (var snapshots = Files.walk(directory.resolve("snapshots"))) {
      assertThat(snapshots.filter(file -> file.toString().endsWith(".snapshot"))).isNotEmpty();
    }
  }

  private Config config() {
    return ConfigFactory.parseMap(
            Map.of(
                "akka.persistence.journal.plugin", "milena.journal",
                "akka.persistence.snapshot-store.plugin", "milena.snapshot-store",
                "milena.journal.dir", directory.toString(),
                "milena.journal.segment-bytes", "2000"))
        .withFallback(ConfigFactory.load());
  }

  /** Adds a letter, or none, and says what there is then. */
  private record Add(String letter, ActorRef<String> replyTo) {}

  private static final class Letters extends EventSourcedBehavior<Add, String, String> {
    private Letters(PersistenceId persistenceId) {
      super(persistenceId);
    }

    static akka.actor.typed.Behavior<Add> create(String name) {
      return Behaviors.setup(_ -> new Letters(PersistenceId.ofUniqueId(name)));
    }

    @Override
    public String emptyState() {
      return "";
    }

    @Override
    public RetentionCriteria retentionCriteria() {
      return RetentionCriteria.snapshotEvery(10, 1).withDeleteEventsOnSnapshot();
    }

    @Override
    public CommandHandler<Add, String, String> commandHandler() {
      return (state, add) ->
          add.letter().isEmpty()
              ? Effect().none().thenRun(_ -> add.replyTo().tell(state))
              : Effect().persist(add.letter()).thenRun(now -> add.replyTo().tell(now));
    }

    @Override
    public EventHandler<String, String> eventHandler() {
      return (state, letter) -> state + letter;
    }
  }
}
