package io.milena.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.milena.node.TestNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The dashboard and the alerts in deploy/ ask for metrics that a node has. */
class MonitoringFilesTest {

  private static final Pattern NAME = Pattern.compile("\\b(?:milena|jvm|process)_\\w+");

  @Test
  void everyMetricThatTheyNameIsThere(@TempDir Path data) throws Exception {
    Set<String> named = new TreeSet<>();
    for (String file : List.of("deploy/grafana/milena.json", "deploy/prometheus/alerts.yaml")) {
      Matcher names = NAME.matcher(Files.readString(Path.of(file)));
      while (names.find()) {
        named.add(names.group());
      }
    }
    assertThat(named).hasSizeGreaterThan(15);
    try (TestNode node = TestNode.start(data, Map.of("milena.http", "127.0.0.1:0"));
        HttpClients http = new HttpClients(node.http());
        var producer = node.producer(Map.of())) {
      producer.send(new ProducerRecord<>("measured", "a")).get();
      System.gc(); // So that there is a pause to be measured.
      HttpClients.until(
          () -> {
            Set<String> missing = new TreeSet<>(named);
            missing.removeAll(present(http.get("/metrics").body()));
            return missing.isEmpty();
          },
          "a metric for each of " + named);
    }
  }

  private static Set<String> present(String metrics) {
    return metrics
        .lines()
        .filter(line -> !line.startsWith("#"))
        .map(line -> line.split("[{ ]", 2)[0])
        .collect(Collectors.toSet());
  }
}
