package io.milena.wire.handler;

import io.milena.metadata.Decision;
import io.milena.metadata.DecisionContext;
import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataCommand.NewTopic;
import io.milena.metadata.MetadataCore;
import io.milena.metadata.MetadataDelta;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataReplay;
import io.milena.metadata.MetadataReply;
import io.milena.metadata.MetadataService;
import io.milena.metadata.NodeImage.Endpoint;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.TimeoutException;

/**
 * A metadata group of one without Raft, on the real rules: what is decided is applied at once.
 * Commands can be held back, to see what happens until they are decided.
 */
final class DirectMetadata implements MetadataService {

  static final Uuid CLUSTER = new Uuid(7, 7);
  static final String LISTENER = "PLAINTEXT";
  static final String OTHER_LISTENER = "EXTERNAL";

  private final List<MetadataListener> listeners = new ArrayList<>();
  private final Queue<Runnable> held = new ArrayDeque<>();
  private final List<MetadataCommand<?>> commands = new ArrayList<>();
  private final Map<String, String> nodeConfig;
  private MetadataImage image = MetadataImage.EMPTY;
  private long nextTopicId = 100;
  private boolean holding;

  DirectMetadata(Map<String, String> nodeConfig) {
    this.nodeConfig = nodeConfig;
  }

  /** Nodes 1 to count, serving on both listeners; node 1 in rack r1. */
  static DirectMetadata withNodes(int count) {
    DirectMetadata metadata = new DirectMetadata(Map.of());
    for (int id = 1; id <= count; id++) {
      metadata.startNode(id);
    }
    return metadata;
  }

  void startNode(int id) {
    startNode(
        id,
        List.of(
            new Endpoint(LISTENER, "inside" + id, 9000 + id, LISTENER),
            new Endpoint(OTHER_LISTENER, "outside" + id, 9100 + id, LISTENER)));
  }

  void startNode(int id, List<Endpoint> endpoints) {
    long nodeEpoch =
        now(new MetadataCommand.RegisterNode(
                id,
                new Uuid(1, id),
                CLUSTER,
                endpoints,
                new io.milena.metadata.NodeImage.ClusterAddress("localhost", 19092),
                id == 1 ? Optional.of("r1") : Optional.empty(),
                List.of(new Uuid(3, id)),
                false))
            .nodeEpoch();
    now(new MetadataCommand.UnfenceNode(id, nodeEpoch));
  }

  void fenceNode(int id) {
    now(new MetadataCommand.FenceNode(id, nodeEpoch(id)));
  }

  long nodeEpoch(int id) {
    return Objects.requireNonNull(image.nodes().get(id)).nodeEpoch();
  }

  /** Creates a topic; returns its id. */
  Uuid topic(String name, int partitions, int replicationFactor) {
    return now(new MetadataCommand.CreateTopics(
            List.of(new NewTopic(name, partitions, replicationFactor, Map.of(), Map.of(), false)),
            false))
        .topics()
        .getFirst()
        .topicId()
        .orElseThrow();
  }

  /** From now on commands wait for {@link #release()}. */
  void hold() {
    holding = true;
  }

  /** Decides what was held back, and whatever comes later at once. */
  void release() {
    holding = false;
    while (!held.isEmpty()) {
      held.remove().run();
    }
  }

  /** Everything that was submitted, in order. */
  List<MetadataCommand<?>> commands() {
    return commands;
  }

  @Override
  public MetadataImage image() {
    return image;
  }

  @Override
  public <R extends MetadataReply> CompletionStage<R> submit(MetadataCommand<R> command) {
    commands.add(command);
    if (!holding) {
      return CompletableFuture.completedFuture(now(command));
    }
    CompletableFuture<R> reply = new CompletableFuture<>();
    held.add(() -> reply.complete(now(command)));
    return reply;
  }

  /** A service whose leader never decides in time. */
  MetadataService withoutLeader() {
    return new MetadataService() {
      @Override
      public MetadataImage image() {
        return image;
      }

      @Override
      public <R extends MetadataReply> CompletionStage<R> submit(MetadataCommand<R> command) {
        return CompletableFuture.failedStage(new TimeoutException("no metadata leader"));
      }

      @Override
      public void subscribe(MetadataListener listener) {}
    };
  }

  @SuppressWarnings("unchecked")
  private <R extends MetadataReply> R now(MetadataCommand<R> command) {
    Decision<?> decision =
        MetadataCore.decide(
            image, command, new DecisionContext(nodeConfig, () -> new Uuid(5, nextTopicId++)));
    if (!decision.records().isEmpty()) {
      MetadataReplay.Applied applied =
          MetadataReplay.apply(image, image.appliedIndex() + 1, decision.records());
      image = applied.image();
      MetadataDelta delta = applied.delta();
      listeners.forEach(listener -> listener.onImage(delta, image));
    }
    return (R) decision.reply();
  }

  @Override
  public void subscribe(MetadataListener listener) {
    listeners.add(listener);
  }
}
