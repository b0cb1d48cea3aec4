package io.milena.cluster;

import io.milena.metadata.Decision;
import io.milena.metadata.DecisionContext;
import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataCore;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataRecord;
import io.milena.metadata.MetadataReplay;
import io.milena.metadata.MetadataReply;
import io.milena.metadata.MetadataService;
import io.milena.metadata.NodeImage;
import io.milena.metadata.ReplicaSetImage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Errors;

/**
 * The real rules of the metadata group without Raft: decided and applied at once, for all nodes.
 */
final class SharedMetadata implements MetadataService {

  private final List<MetadataListener> listeners = new ArrayList<>();
  private final DecisionContext context = new DecisionContext(Map.of(), Uuid::randomUuid);
  private volatile MetadataImage image = MetadataImage.EMPTY;

  @Override
  public MetadataImage image() {
    return image;
  }

  @Override
  @SuppressWarnings("unchecked")
  public synchronized <R extends MetadataReply> CompletionStage<R> submit(
      MetadataCommand<R> command) {
    Decision<? extends MetadataReply> decision = MetadataCore.decide(image, command, context);
    apply(decision.records());
    return CompletableFuture.completedFuture((R) decision.reply());
  }

  @Override
  public synchronized void subscribe(MetadataListener listener) {
    listeners.add(listener);
    if (image.appliedIndex() > 0) {
      listener.onImage(MetadataReplay.everything(image), image);
    }
  }

  synchronized void apply(List<MetadataRecord> records) {
    if (!records.isEmpty()) {
      MetadataReplay.Applied applied =
          MetadataReplay.apply(image, image.appliedIndex() + 1, records);
      image = applied.image();
      listeners.forEach(listener -> listener.onImage(applied.delta(), applied.image()));
    }
  }

  private <R extends MetadataReply> R decided(MetadataCommand<R> command) {
    return submit(command).toCompletableFuture().join();
  }

  void register(MemberIdentity member) {
    decided(
        new MetadataCommand.RegisterNode(
            member.nodeId(),
            member.incarnation(),
            new Uuid(7, 7),
            List.of(new NodeImage.Endpoint("PLAINTEXT", "localhost", 1, "PLAINTEXT")),
            new NodeImage.ClusterAddress("localhost", 2),
            Optional.empty(),
            List.of(),
            false));
  }

  void start(MemberIdentity member) {
    register(member);
    unfence(member.nodeId());
  }

  void unfence(int node) {
    require(decided(new MetadataCommand.UnfenceNode(node, nodeEpoch(node))));
  }

  void fence(int node) {
    require(decided(new MetadataCommand.FenceNode(node, nodeEpoch(node))));
  }

  void beginShutdown(int node) {
    require(decided(new MetadataCommand.BeginShutdown(node, nodeEpoch(node))));
  }

  long nodeEpoch(int node) {
    return image.nodes().get(node).nodeEpoch();
  }

  /** Creates a topic of one partition with these replicas, and returns its set's id. */
  int createTopic(String name, Integer... replicas) {
    MetadataReply.TopicCreated created =
        decided(
                new MetadataCommand.CreateTopics(
                    List.of(
                        new MetadataCommand.NewTopic(
                            name, -1, -1, Map.of(0, List.of(replicas)), Map.of(), false)),
                    false))
            .topics()
            .getFirst();
    if (created.error() != Errors.NONE) {
      throw new AssertionError(created.message());
    }
    return image.topic(name).partitions().getFirst().replicaSetId();
  }

  ReplicaSetImage set(int id) {
    return image.replicaSets().get(id);
  }

  private static void require(MetadataReply.Done done) {
    if (done.error() != Errors.NONE) {
      throw new AssertionError(done.message());
    }
  }
}
