package io.milena.node;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the command line of a node says.
 *
 * @param dataDirectory {@code --data}
 * @param kafka {@code --kafka HOST:PORT}
 * @param http {@code --http HOST:PORT}, or off
 * @param cluster {@code --cluster HOST:PORT}: where the other nodes reach this one
 * @param join {@code --join HOST:PORT[,HOST:PORT...]}: Kafka listeners of running nodes
 * @param configFiles {@code --config}, later ones win
 * @param overrides {@code -o key=value}
 */
public record StartOptions(
    Path dataDirectory,
    Optional<String> kafka,
    Optional<String> http,
    Optional<String> cluster,
    Optional<String> join,
    List<Path> configFiles,
    Map<String, String> overrides) {

  /**
   * Reads a node's arguments.
   *
   * @throws StartupException for an option it does not know or one without its value
   */
  static StartOptions parse(String[] arguments) {
    Path data = Path.of("data");
    Optional<String> kafka = Optional.empty();
    Optional<String> http = Optional.empty();
    Optional<String> cluster = Optional.empty();
    Optional<String> join = Optional.empty();
    List<Path> files = new ArrayList<>();
    Map<String, String> overrides = new LinkedHashMap<>();
    for (int i = 0; i < arguments.length; i += 2) {
      String option = arguments[i];
      if (i + 1 == arguments.length) {
        throw StartupException.wrongConfiguration("option " + option + " needs a value");
      }
      String value = arguments[i + 1];
      switch (option) {
        case "--data" -> data = Path.of(value);
        case "--kafka" -> kafka = Optional.of(value);
        case "--http" -> http = Optional.of(value);
        case "--cluster" -> cluster = Optional.of(value);
        case "--join" -> join = Optional.of(value);
        case "--config" -> files.add(Path.of(value));
        case "-o", "--option" -> {
          int equals = value.indexOf('=');
          if (equals <= 0) {
            throw StartupException.wrongConfiguration("-o " + value + ": write it as -o key=value");
          }
          overrides.put(value.substring(0, equals).trim(), value.substring(equals + 1).trim());
        }
        default ->
            throw StartupException.wrongConfiguration(
                "unknown option "
                    + option
                    + ": a node takes --data, --kafka, --http, --cluster, --join, --config and -o");
      }
    }
    return new StartOptions(data, kafka, http, cluster, join, files, overrides);
  }
}
