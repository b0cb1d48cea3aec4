package io.milena.faults;

import io.milena.NodeProcess.Place;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A network namespace for each node, on a bridge in the namespace of the clients. Every neighbour
 * entry is permanent; a cut replaces one by an address that nobody has, so that packets of one
 * direction vanish as they do on a broken link: no reset, no error, and nothing but {@code ip} is
 * needed.
 */
final class NamespaceNetwork implements ClusterNetwork {

  private static final int KAFKA_PORT = 9092;
  private static final String NOBODY = "02:00:00:00:00:ff";
  private static final String PREFIX = "mln";

  private final int nodes;
  private final String name;
  private final String subnet;
  private final Thread cleanUp = new Thread(this::remove);

  private NamespaceNetwork(int nodes) {
    this.nodes = nodes;
    long pid = ProcessHandle.current().pid();
    name = PREFIX + pid;
    subnet = "10.213." + pid % 256 + ".";
  }

  /**
   * Makes one.
   *
   * @throws IOException where that is not allowed or {@code ip} is not there
   */
  static NamespaceNetwork create(int nodes) throws IOException {
    removeLeftOvers();
    NamespaceNetwork network = new NamespaceNetwork(nodes);
    try {
      network.make();
    } catch (IOException failure) {
      network.remove();
      throw failure;
    }
    return network;
  }

  /** What a test run that was killed has left: names carry the pid of the run. */
  private static void removeLeftOvers() throws IOException {
    Path all = Path.of("/run/netns");
    if (!Files.isDirectory(all)) {
      return;
    }
    try (var namespaces = Files.list(all)) {
      for (Path namespace : namespaces.toList()) {
        String[] parts = namespace.getFileName().toString().split("-", -1);
        if (parts.length == 2
            && parts[0].matches(PREFIX + "\\d+")
            && ProcessHandle.of(Long.parseLong(parts[0].substring(PREFIX.length()))).isEmpty()) {
          tryRun("ip", "netns", "del", namespace.getFileName().toString());
          tryRun("ip", "link", "del", parts[0]);
        }
      }
    }
  }

  private void make() throws IOException {
    Runtime.getRuntime().addShutdownHook(cleanUp);
    run("ip", "link", "add", name, "address", mac(CLIENTS), "type", "bridge");
    run("ip", "addr", "add", ip(CLIENTS) + "/24", "dev", name);
    run("ip", "link", "set", name, "up");
    for (int node = 1; node <= nodes; node++) {
      String namespace = namespace(node);
      String outside = name + "." + node;
      run("ip", "netns", "add", namespace);
      run(
          "ip", "link", "add", outside, "type", "veth", "peer", "name", "eth0", "address",
          mac(node), "netns", namespace);
      run("ip", "link", "set", outside, "master", name, "up");
      run("ip", "-n", namespace, "addr", "add", ip(node) + "/24", "dev", "eth0");
      run("ip", "-n", namespace, "link", "set", "lo", "up");
      run("ip", "-n", namespace, "link", "set", "eth0", "up");
    }
    heal();
  }

  private String namespace(int node) {
    return name + "-" + node;
  }

  /** The address of a node, or of the clients. */
  String ip(int member) {
    return subnet + (member == CLIENTS ? 254 : member);
  }

  private static String mac(int member) {
    return "02:00:00:00:00:%02x".formatted(member + 1);
  }

  @Override
  public Place place(int node) {
    return new Place(ip(node), KAFKA_PORT, List.of("ip", "netns", "exec", namespace(node)));
  }

  @Override
  public String whyNoCuts() {
    return "";
  }

  @Override
  public void cut(int from, int to) throws IOException {
    setNeighbour(from, to, NOBODY);
  }

  @Override
  public void heal() throws IOException {
    for (int from = CLIENTS; from <= nodes; from++) {
      for (int to = CLIENTS; to <= nodes; to++) {
        if (from != to) {
          setNeighbour(from, to, mac(to));
        }
      }
    }
  }

  private void setNeighbour(int of, int member, String mac) throws IOException {
    List<String> command = new ArrayList<>(List.of("ip"));
    if (of != CLIENTS) {
      command.addAll(List.of("-n", namespace(of)));
    }
    command.addAll(List.of("neigh", "replace", ip(member), "lladdr", mac, "dev"));
    command.add(of == CLIENTS ? name : "eth0");
    command.addAll(List.of("nud", "permanent"));
    run(command.toArray(String[]::new));
  }

  private static void run(String... command) throws IOException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    try {
      if (process.waitFor() != 0) {
        throw new IOException(String.join(" ", command) + ": " + output);
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IOException(interrupted);
    }
  }

  private static void tryRun(String... command) {
    try {
      run(command);
    } catch (IOException notThere) {
      // It was to go anyway.
    }
  }

  private void remove() {
    for (int node = 1; node <= nodes; node++) {
      tryRun("ip", "link", "del", name + "." + node);
      tryRun("ip", "netns", "del", namespace(node));
    }
    tryRun("ip", "link", "del", name);
  }

  @Override
  public void close() {
    remove();
    Runtime.getRuntime().removeShutdownHook(cleanUp);
  }
}
