package io.milena.http;

import akka.http.javadsl.model.HttpResponse;
import akka.http.javadsl.model.headers.RawHeader;
import io.milena.http.peer.HttpAddresses;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.ReplicaSetImage;
import io.milena.metadata.TopicImage;
import io.milena.replication.Replica;
import io.milena.replication.ReplicaRole;
import io.milena.replication.ReplicaView;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/** Finds the files of a partition, here or on another node. */
public final class Partitions {

  private final HttpNode node;
  private final HttpAddresses addresses;

  public Partitions(HttpNode node, HttpAddresses addresses) {
    this.node = node;
    this.addresses = addresses;
  }

  /** Answers by what a replica of this node has. */
  @FunctionalInterface
  public interface Reading {
    HttpResponse of(ReplicaView view) throws Exception;
  }

  /**
   * Has this node's replica answer, the leader's or a follower's; without one sends the client to a
   * node that has one, the leader first.
   */
  public CompletionStage<HttpResponse> read(
      Exchange exchange, String topic, int partition, Reading reading) throws Exception {
    Replica replica = node.replicas().find(new TopicPartition(topic, partition));
    String trouble = replica == null ? null : trouble(replica);
    if (replica != null && trouble == null) {
      return Answers.now(reading.of(replica.view()));
    }
    List<Integer> others = others(topic, partition);
    return addresses
        .firstOf(others)
        .thenApply(found ->
            found
                .map(address -> redirect(exchange, address))
                .orElseThrow(() ->
                    HttpFailure.of(
                        Errors.LEADER_NOT_AVAILABLE,
                        trouble != null
                            ? trouble
                            : "%s-%d is on nodes %s, none of which serves HTTP now"
                                .formatted(topic, partition, others))));
  }

  /** Why a replica cannot be read, or null when it can. */
  private static @Nullable String trouble(Replica replica) {
    if (replica.view().role() == ReplicaRole.OFFLINE) {
      return "the log of " + replica.partition() + " is offline here";
    }
    return replica.opened().toCompletableFuture().isDone()
        ? null
        : "the log of " + replica.partition() + " is being opened";
  }

  private List<Integer> others(String topic, int partition) {
    MetadataImage image = node.metadata().image();
    TopicImage known = image.topic(topic);
    if (known == null) {
      throw HttpFailure.of(Errors.UNKNOWN_TOPIC_OR_PARTITION, "there is no topic " + topic);
    }
    if (partition < 0 || partition >= known.partitions().size()) {
      throw HttpFailure.of(
          Errors.UNKNOWN_TOPIC_OR_PARTITION,
          "topic %s has partitions 0 to %d and no partition %d"
              .formatted(topic, known.partitions().size() - 1, partition));
    }
    ReplicaSetImage set = image.replicaSetOf(known.partitions().get(partition));
    List<Integer> others = new ArrayList<>();
    if (set.leader() != ReplicaSetImage.NO_LEADER) {
      others.add(set.leader());
    }
    others.addAll(set.isr());
    return others.stream().distinct().filter(id -> id != node.identity().nodeId()).toList();
  }

  /** Method, headers and range stay as they are. */
  private static HttpResponse redirect(Exchange exchange, String address) {
    String query = exchange.request().getUri().rawQueryString().map(raw -> "?" + raw).orElse("");
    return HttpResponse.create()
        .withStatus(307)
        .addHeader(
            RawHeader.create(
                "Location",
                "http://" + address + exchange.request().getUri().getPathString() + query));
  }
}
