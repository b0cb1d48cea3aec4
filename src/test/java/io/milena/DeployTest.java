package io.milena;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** What is in deploy/ parses and fits together; no orchestrator is asked. */
class DeployTest {

  private static final Path DEPLOY = Path.of("deploy").toAbsolutePath();
  private static final Path KUBERNETES = DEPLOY.resolve("kubernetes");

  @TempDir Path directory;

  /** The value at a path such as {@code spec.template.metadata.labels}. */
  private static Object at(Object document, String path) {
    Object value = document;
    for (String key : path.split("\\.")) {
      value =
          key.matches("\\d+") ? ((List<?>) value).get(Integer.parseInt(key)) : of(value).get(key);
      assertThat(value).as("%s in %s", path, document).isNotNull();
    }
    return value;
  }

  private static Map<?, ?> of(Object value) {
    assertThat(value).isInstanceOf(Map.class);
    return (Map<?, ?>) value;
  }

  private static List<Object> parse(Path file) throws IOException {
    LoaderOptions options = new LoaderOptions();
    options.setAllowDuplicateKeys(false);
    List<Object> documents = new ArrayList<>();
    new Yaml(new SafeConstructor(options)).loadAll(Files.readString(file)).forEach(documents::add);
    return documents;
  }

  /** Every object of the kustomization by kind and name. */
  private static Map<String, Object> objects() throws IOException {
    Object kustomization = parse(KUBERNETES.resolve("kustomization.yaml")).getFirst();
    Map<String, Object> objects = new LinkedHashMap<>();
    for (Object resource : (List<?>) at(kustomization, "resources")) {
      for (Object object : parse(KUBERNETES.resolve(resource.toString()))) {
        assertThat(at(object, "apiVersion")).isNotNull();
        objects.put(at(object, "kind") + " " + at(object, "metadata.name"), object);
      }
    }
    for (Object file : (List<?>) at(kustomization, "configMapGenerator.0.files")) {
      assertThat(KUBERNETES.resolve(file.toString())).isRegularFile();
    }
    try (Stream<Path> files = Files.list(KUBERNETES)) {
      assertThat(files.filter(file -> file.toString().endsWith(".yaml")))
          .as("every file is named in the kustomization")
          .hasSize(((List<?>) at(kustomization, "resources")).size() + 1);
    }
    return objects;
  }

  @Test
  void theKubernetesObjectsFitTogether() throws IOException {
    Map<String, Object> objects = objects();
    Object set = objects.get("StatefulSet milena");
    Object labels = at(set, "spec.template.metadata.labels");
    assertThat(at(set, "spec.selector.matchLabels")).isEqualTo(labels);
    assertThat(at(objects.get("PodDisruptionBudget milena"), "spec.selector.matchLabels"))
        .isEqualTo(labels);
    assertThat(at(objects.get("NetworkPolicy milena"), "spec.podSelector.matchLabels"))
        .isEqualTo(labels);

    Object names = objects.get("Service " + at(set, "spec.serviceName"));
    assertThat(at(names, "spec.clusterIP")).isEqualTo("None");
    assertThat(at(names, "spec.publishNotReadyAddresses")).isEqualTo(true);
    Object container = at(set, "spec.template.spec.containers.0");
    List<Object> ports = new ArrayList<>();
    for (Object port : (List<?>) at(container, "ports")) {
      ports.add(at(port, "name"));
    }
    objects.forEach((name, object) -> {
      if (name.startsWith("Service ")) {
        assertThat(at(object, "spec.selector")).as(name).isEqualTo(labels);
        for (Object port : (List<?>) at(object, "spec.ports")) {
          assertThat(ports).as(name).contains(at(port, "targetPort"));
        }
      }
    });
    for (String probe : List.of("startupProbe", "livenessProbe", "readinessProbe")) {
      assertThat(ports).contains(at(container, probe + ".httpGet.port"));
    }
  }

  @Test
  void theFirstPodFoundsACluster() throws Exception {
    assertThat(startPod("milena-0", ""))
        .contains("-o node.id=1")
        .contains("advertised.listeners=PLAINTEXT://milena-0.milena.space.svc:9092")
        .doesNotContain("--join");
  }

  @Test
  void theFirstPodWithoutItsVolumeJoinsThoseThatKnowACluster() throws Exception {
    assertThat(startPod("milena-0", "milena-2.milena.space.svc:9092"))
        .endsWith("--join milena-2.milena.space.svc:9092");
  }

  @Test
  void theOtherPodsJoinAtTheirFirstStartOnly() throws Exception {
    assertThat(startPod("milena-1", ""))
        .contains("-o node.id=2")
        .endsWith("--join milena-0.milena.space.svc:9092,milena-2.milena.space.svc:9092");
    Files.createDirectories(directory.resolve("partitions"));
    Files.writeString(directory.resolve("partitions/meta.properties"), "");
    assertThat(startPod("milena-1", "")).doesNotContain("--join");
  }

  /** What start-pod.sh runs, with a command in place of bin/milena that knows one live address. */
  private String startPod(String pod, String live) throws Exception {
    Path command = directory.resolve("milena");
    Files.writeString(
        command,
        "#!/bin/sh\nif [ \"$1\" = status ]; then [ \"$3\" = \""
            + live
            + "\" ]; else echo \"$@\"; fi\n");
    assertThat(command.toFile().setExecutable(true)).isTrue();
    ProcessBuilder builder =
        new ProcessBuilder("bash", KUBERNETES.resolve("start-pod.sh").toString());
    builder
        .environment()
        .putAll(
            Map.of(
                "POD_NAME",
                pod,
                "POD_NAMESPACE",
                "space",
                "SERVICE",
                "milena",
                "CONTACTS",
                "3",
                "MILENA_DATA",
                directory.toString(),
                "MILENA_BIN",
                command.toString()));
    Process process = builder.redirectErrorStream(true).start();
    String output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(output).isZero();
    return output;
  }
}
