package io.milena.wire;

import com.sun.management.OperatingSystemMXBean;
import io.milena.common.Clock;
import java.io.BufferedReader;
import java.io.DataInputStream;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.record.internal.FileRecords;

/**
 * What the transport costs by itself: a server whose handlers answer at once, loaded by another
 * process, and the CPU seconds of the server's process (compilation and collection included) per
 * million requests and per GB.
 *
 * <pre>java -cp ... io.milena.wire.WireLoad [seconds a run, default 4]</pre>
 */
final class WireLoad {
  private static final int FETCH_BYTES = 1024 * 1024;

  private WireLoad() {}

  public static void main(String[] args) throws Exception {
    if (args.length > 1) {
      client(
          Integer.parseInt(args[0]),
          args[1],
          Integer.parseInt(args[2]),
          Integer.parseInt(args[3]),
          Integer.parseInt(args[4]),
          Integer.parseInt(args[5]));
      return;
    }
    int seconds = args.length == 0 ? 4 : Integer.parseInt(args[0]);
    Path file = Files.createTempFile("wire-load", ".log");
    Files.write(file, Produces.records(FETCH_BYTES, 1));
    try (FileRecords records = FileRecords.open(file.toFile(), false)) {
      KafkaServer server =
          KafkaServer.bind(
              List.of(new ListenAddress("PLAINTEXT", "127.0.0.1", 0)),
              List.of(
                  ScriptedHandler.answering(ApiKeys.PRODUCE, (_, _) -> Produces.answer(1)),
                  ScriptedHandler.answering(ApiKeys.FETCH, (_, _) -> fetched(records))),
              List.of(),
              config(),
              Clock.system());
      server.start();
      int port = server.ports().get("PLAINTEXT");
      // The first round of all is the warm-up of the just-in-time compiler.
      for (int round = 0; round < 3; round++) {
        System.out.println(round == 0 ? "cold" : "warm " + round);
        run(server, port, "produce", 10, 1, 1024, seconds);
        run(server, port, "produce", 10, 32, 1024, seconds);
        run(server, port, "produce", 4, 5, 65_536, seconds);
        run(server, port, "fetch", 4, 1, FETCH_BYTES, seconds);
      }
      server.stop(1_000).join();
    } finally {
      Files.delete(file);
    }
  }

  /** The defaults; {@code -Dloops=N} for another number of event loops. */
  private static WireConfig config() {
    WireConfig defaults = WireConfig.defaults();
    return new WireConfig(
        Integer.getInteger("loops", defaults.networkThreads()),
        defaults.sendBufferBytes(),
        defaults.receiveBufferBytes(),
        defaults.backlog(),
        defaults.requestMaxBytes(),
        defaults.queuedRequestMaxBytes(),
        defaults.idleMaxMs(),
        defaults.connections());
  }

  private static FetchResponseData fetched(FileRecords records) {
    FetchResponseData answer = new FetchResponseData();
    answer
        .responses()
        .add(
            new FetchResponseData.FetchableTopicResponse()
                .setTopic("topic")
                .setPartitions(
                    List.of(
                        new FetchResponseData.PartitionData()
                            .setPartitionIndex(0)
                            .setRecords(records))));
    return answer;
  }

  private static void run(
      KafkaServer server,
      int port,
      String kind,
      int connections,
      int inFlight,
      int sizeBytes,
      int seconds)
      throws Exception {
    var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    Process client =
        new ProcessBuilder(
                System.getProperty("java.home") + "/bin/java",
                "-cp",
                System.getProperty("java.class.path"),
                WireLoad.class.getName(),
                "" + port,
                kind,
                "" + connections,
                "" + inFlight,
                "" + sizeBytes,
                "" + seconds)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    long cpuBefore = system.getProcessCpuTime();
    long loopsBefore = loopNanos(server, false);
    long userBefore = loopNanos(server, true);
    try (BufferedReader out = new BufferedReader(new InputStreamReader(client.getInputStream()))) {
      long requests = Long.parseLong(out.readLine());
      double cpu = (system.getProcessCpuTime() - cpuBefore) / 1e9;
      double loops = (loopNanos(server, false) - loopsBefore) / 1e9;
      double user = (loopNanos(server, true) - userBefore) / 1e9;
      System.out.printf(
          "%-8s %2d connections, %2d in flight, %7d bytes: %9d requests/s, CPU s per million %.2f"
              + " (loops %.2f, of it user %.2f),"
              + " %.2f CPU s/GB%n",
          kind,
          connections,
          inFlight,
          sizeBytes,
          requests / seconds,
          cpu / requests * 1e6,
          loops / requests * 1e6,
          user / requests * 1e6,
          cpu / requests * 1e9 / sizeBytes);
    }
    client.waitFor();
  }

  private static long loopNanos(KafkaServer server, boolean userOnly) {
    var threads = ManagementFactory.getThreadMXBean();
    long nanos = 0;
    for (long id : server.loops().stream().mapToLong(NetworkLoop::threadId).toArray()) {
      nanos += userOnly ? threads.getThreadUserTime(id) : threads.getThreadCpuTime(id);
    }
    return nanos;
  }

  private static void client(
      int port, String kind, int connections, int inFlight, int sizeBytes, int seconds)
      throws Exception {
    byte[] frame =
        kind.equals("produce")
            ? Produces.frame(1, Produces.records(sizeBytes, 1))
            : WireClient.frame(ApiKeys.FETCH, 12, 1, new FetchRequestData());
    byte[] window = new byte[frame.length * inFlight];
    ByteBuffer all = ByteBuffer.wrap(window);
    while (all.hasRemaining()) {
      all.put(frame);
    }
    AtomicLong requests = new AtomicLong();
    long end = System.nanoTime() + seconds * 1_000_000_000L;
    List<Thread> threads = new ArrayList<>();
    for (int c = 0; c < connections; c++) {
      threads.add(
          Thread.ofPlatform()
              .start(() -> {
                try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                  socket.setTcpNoDelay(true);
                  DataInputStream in =
                      new DataInputStream(
                          new java.io.BufferedInputStream(socket.getInputStream(), 65_536));
                  while (System.nanoTime() < end) {
                    socket.getOutputStream().write(window);
                    for (int i = 0; i < inFlight; i++) {
                      in.skipNBytes(in.readInt());
                    }
                    requests.addAndGet(inFlight);
                  }
                } catch (Exception e) {
                  e.printStackTrace();
                }
              }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    System.out.println(requests.get());
  }
}
