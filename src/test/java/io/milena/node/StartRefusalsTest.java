package io.milena.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.LoggerFactory;

/** What a node says to wrong settings and to what it cannot have. */
@Timeout(60)
class StartRefusalsTest {

  @TempDir Path data;

  @Test
  void anUnknownSettingIsOneWarningAndTheNodeServes() {
    Logger logger = (Logger) LoggerFactory.getLogger(NodeStarter.class);
    ListAppender<ILoggingEvent> logged = new ListAppender<>();
    logged.start();
    logger.addAppender(logged);
    try (TestNode node = TestNode.start(data, Map.of("num.partitons", "3"))) {
      assertThat(node.node().kafkaAddresses()).hasSize(1);
    } finally {
      logger.detachAppender(logged);
    }
    assertThat(logged.list)
        .filteredOn(event -> event.getLevel() == Level.WARN)
        .singleElement()
        .extracting(ILoggingEvent::getFormattedMessage)
        .asString()
        .contains("num.partitons", "check its spelling");
  }

  @ParameterizedTest
  @CsvSource({
    "num.partitions, many",
    "num.partitions, 0",
    "log.segment.bytes, 1",
    "log.durability, sometimes",
    "group.max.size, x",
    "num.network.threads, 0",
    "node.id, -1",
    "listeners, 9092",
    "listeners, SSL://127.0.0.1:0",
    "advertised.listeners, PLAINTEXT://127.0.0.1",
  })
  void aWrongValueIsAConfigurationErrorThatNamesTheSetting(String name, String value) {
    StartupException refusal =
        catchThrowableOfType(StartupException.class, () -> start(Map.of(name, value)).stop());
    assertThat(refusal).isNotNull();
    assertThat(refusal.exitCode()).isEqualTo(StartupException.WRONG_CONFIGURATION);
    assertThat(refusal).hasMessageContaining(name);
    start(Map.of()).stop(); // the directory is as free as before
  }

  @Test
  void aDirectoryOfAnotherNodeIsRefused() {
    start(Map.of("node.id", "3")).stop();
    assertThatThrownBy(() -> start(Map.of("node.id", "7")).stop())
        .isInstanceOfSatisfying(
            StartupException.class,
            refusal ->
                assertThat(refusal.exitCode()).isEqualTo(StartupException.WRONG_CONFIGURATION))
        .hasMessageContaining("belongs to node 3");
  }

  @Test
  void aDirectoryInUseIsRefusedAsSuch() {
    try (TestNode _ = TestNode.start(data)) {
      assertInUse(Map.of("listeners", "PLAINTEXT://127.0.0.1:0"), data.toString());
    }
  }

  @Test
  void aPortInUseIsRefusedAsSuch() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      assertInUse(
          Map.of("listeners", "PLAINTEXT://127.0.0.1:" + taken.getLocalPort()),
          "127.0.0.1:" + taken.getLocalPort());
    }
  }

  private void assertInUse(Map<String, String> settings, String named) {
    assertThatThrownBy(() -> start(settings).stop())
        .isInstanceOfSatisfying(
            StartupException.class,
            refusal -> assertThat(refusal.exitCode()).isEqualTo(StartupException.IN_USE))
        .hasMessageContaining(named);
  }

  private Node start(Map<String, String> settings) {
    boolean hasListeners = settings.containsKey("listeners");
    return Node.start(
        NodeConfig.load(
            new StartOptions(
                data,
                hasListeners ? Optional.empty() : Optional.of("127.0.0.1:0"),
                Optional.of("off"),
                Optional.empty(),
                Optional.empty(),
                List.of(),
                settings)));
  }
}
