package io.milena.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.ActorSystem;
import akka.actor.Address;
import akka.remote.DefaultFailureDetectorRegistry;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class FencingFailureDetectorTest {

  private static final Address FIRST = new Address("akka", "milena", "127.0.0.1", 1);
  private static final Address SECOND = new Address("akka", "milena", "127.0.0.1", 2);

  private ActorSystem system;
  private DefaultFailureDetectorRegistry<Address> detectors;

  @BeforeEach
  void start() {
    Config config =
        ConfigFactory.parseString("akka.actor.provider = local").withFallback(ConfigFactory.load());
    system = ActorSystem.create("detectors", config);
    // No heartbeat is to be missed here, however slow the machine.
    Config patient =
        ConfigFactory.parseString("acceptable-heartbeat-pause = 1h")
            .withFallback(config.getConfig("akka.cluster.failure-detector"));
    detectors =
        new DefaultFailureDetectorRegistry<>(
            () -> new FencingFailureDetector(patient, system.eventStream()));
  }

  @AfterEach
  void stop() {
    system.terminate();
  }

  @Test
  void fencedMemberIsUnavailableAtOnceUntilAnotherJoinsFromItsAddress() {
    detectors.heartbeat(FIRST);
    detectors.heartbeat(SECOND);
    assertThat(detectors.isAvailable(FIRST)).isTrue();
    FencingFailureDetector.fence(detectors, FIRST);
    assertThat(detectors.isAvailable(FIRST)).isFalse();
    assertThat(detectors.isAvailable(SECOND)).isTrue();
    detectors.heartbeat(FIRST);
    assertThat(detectors.isAvailable(FIRST)).as("a late heartbeat").isFalse();
    detectors.remove(FIRST);
    detectors.heartbeat(FIRST);
    assertThat(detectors.isAvailable(FIRST)).as("a new member").isTrue();
  }

  @Test
  void memberThatIsFencedBeforeItsFirstHeartbeatIsUnavailable() {
    FencingFailureDetector.fence(detectors, FIRST);
    assertThat(detectors.isMonitoring(FIRST)).isTrue();
    assertThat(detectors.isAvailable(FIRST)).isFalse();
  }
}
