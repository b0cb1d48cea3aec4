package io.milena.wire;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.milena.common.Clock;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

class PeerLogTest {

  private static final Logger LOGGER = (Logger) LoggerFactory.getLogger("io.milena.wire");

  private final ListAppender<ILoggingEvent> logged = new ListAppender<>();
  private final List<Runnable> later = new ArrayList<>();
  private long nowMs = 1_000_000;

  private final PeerLog peerLog =
      new PeerLog(
          new Clock() {
            @Override
            public long wallClockMs() {
              return nowMs;
            }

            @Override
            public long monotonicNanos() {
              return TimeUnit.MILLISECONDS.toNanos(nowMs);
            }
          },
          later::add);

  @BeforeEach
  void listen() {
    logged.start();
    LOGGER.addAppender(logged);
  }

  @AfterEach
  void stopListening() {
    LOGGER.detachAppender(logged);
  }

  @Test
  void whatCameWithinTheIntervalIsToldAtItsEndByNumberAndTheLastOfIt() {
    for (int i = 1; i <= 5; i++) {
      peerLog.warn("10.0.0.1", "bad frame " + i);
    }
    peerLog.warn("10.0.0.2", "other peer");
    assertThat(messages()).containsExactly("bad frame 1", "other peer");
    assertThat(later).as("one summary, however many").hasSize(1);
    endInterval();
    assertThat(messages().getLast())
        .isEqualTo("bad frame 5 (the last of 4 about 10.0.0.1 since the one logged before)");
  }

  @Test
  void aLoopOfBadFramesIsOneLineAnInterval() {
    for (int interval = 0; interval < 10; interval++) {
      for (int i = 0; i < 100; i++) {
        peerLog.warn("10.0.0.1", "bad frame");
      }
      endInterval();
    }
    assertThat(messages()).hasSize(11);
  }

  @Test
  void aSummaryThatNeverRanSilencesNothing() {
    peerLog.warn("10.0.0.1", "first");
    peerLog.warn("10.0.0.1", "second");
    nowMs += 2 * PeerLog.INTERVAL_MS;
    peerLog.warn("10.0.0.1", "third");
    assertThat(messages()).containsExactly("first", "third");
  }

  @ParameterizedTest
  @ValueSource(strings = {"GET / HTTP/1.1", "POST /x", "PRI * HTTP/2.0", "HEAD /"})
  void anHttpRequestIsCalledOne(String request) {
    assertThat(ForeignProtocol.hint(sizeField(request.getBytes(StandardCharsets.US_ASCII))))
        .contains("HTTP request", "--http");
  }

  @Test
  void aTlsHandshakeIsCalledOneAndAFrameThatIsTooLargeIsNot() {
    assertThat(ForeignProtocol.hint(sizeField(new byte[] {0x16, 0x03, 0x01, 0x02})))
        .contains("TLS handshake");
    assertThat(ForeignProtocol.hint(200 * 1024 * 1024)).isEmpty();
    assertThat(ForeignProtocol.hint(-1)).isEmpty();
  }

  private static int sizeField(byte[] bytes) {
    return ByteBuffer.wrap(bytes).getInt();
  }

  private void endInterval() {
    nowMs += PeerLog.INTERVAL_MS;
    List<Runnable> due = List.copyOf(later);
    later.clear();
    due.forEach(Runnable::run);
  }

  private List<String> messages() {
    return logged.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
  }
}
