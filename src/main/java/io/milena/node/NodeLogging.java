package io.milena.node;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logging of a node process: to standard output, one line an event, quiet when all is well. Set up
 * in code because reading an XML configuration costs a tenth of a start; {@code
 * -Dlogback.configurationFile=FILE} replaces it, {@code -Dmilena.debug=true} (start --debug) says
 * more.
 */
final class NodeLogging {

  private static final String PATTERN = "%d{yyyy-MM-dd HH:mm:ss.SSS} %-5level %logger{0} %msg%n";

  private NodeLogging() {}

  static void configure() {
    if (System.getProperty("logback.configurationFile") != null
        || !(LoggerFactory.getILoggerFactory() instanceof LoggerContext context)) {
      return;
    }
    context.reset();
    PatternLayoutEncoder encoder = new PatternLayoutEncoder();
    encoder.setContext(context);
    encoder.setPattern(PATTERN);
    encoder.start();
    ConsoleAppender<ILoggingEvent> console = new ConsoleAppender<>();
    console.setContext(context);
    console.setEncoder(encoder);
    console.start();
    context.getLogger(Logger.ROOT_LOGGER_NAME).addAppender(console);
    context.getLogger(Logger.ROOT_LOGGER_NAME).setLevel(Level.WARN);
    context
        .getLogger("io.milena")
        .setLevel(Boolean.getBoolean("milena.debug") ? Level.DEBUG : Level.INFO);
    context.getLogger("org.apache.kafka").setLevel(Level.ERROR);
    // Lines about nodes that are stopped or slow, every second or two; the metadata leader says it.
    context.getLogger("akka.stream.Materializer").setLevel(Level.ERROR);
    context.getLogger("akka.remote.PhiAccrualFailureDetector").setLevel(Level.ERROR);
  }
}
