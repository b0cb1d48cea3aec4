package io.milena.http.metrics;

import io.milena.http.HttpNode;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.NodeImage;
import io.milena.metadata.PartitionImage;
import io.milena.metadata.ReplicaSetImage;
import io.milena.metadata.TopicImage;
import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;

/** The cluster as this node knows it, and how far this node's start has come. */
final class ClusterCollector implements MultiCollector {

  private final HttpNode node;

  ClusterCollector(HttpNode node) {
    this.node = node;
  }

  @Override
  public MetricSnapshots collect() {
    MetadataImage image = node.metadata().image();
    int partitions = 0;
    int leaderless = 0;
    for (TopicImage topic : image.topicsByName().values()) {
      for (PartitionImage partition : topic.partitions()) {
        partitions++;
        boolean leads = image.replicaSetOf(partition).leader() != ReplicaSetImage.NO_LEADER;
        leaderless += leads ? 0 : 1;
      }
    }
    HttpNode.Readiness readiness = node.readiness().get();
    return MetricSnapshots.of(
        new Samples("milena_ready", "1 once the Kafka listeners serve")
            .add(readiness.ready() ? 1 : 0)
            .gauge(),
        new Samples("milena_logs_opened", "Partition logs that were opened at the start")
            .add(readiness.openedLogs())
            .gauge(),
        new Samples("milena_logs_all", "Partition logs that there are to open")
            .add(readiness.allLogs())
            .gauge(),
        new Samples("milena_topics", "Topics in the cluster")
            .add(image.topicsByName().size())
            .gauge(),
        new Samples("milena_partitions", "Partitions in the cluster").add(partitions).gauge(),
        new Samples("milena_offline_partitions", "Partitions in the cluster that nobody leads")
            .add(leaderless)
            .gauge(),
        new Samples("milena_nodes", "Nodes that are registered").add(image.nodes().size()).gauge(),
        new Samples("milena_nodes_fenced", "Nodes that are registered, and fenced")
            .add(image.nodes().values().stream().filter(NodeImage::fenced).count())
            .gauge(),
        new Samples(
                "milena_metadata_applied_index",
                "Last record of the metadata log that this node has applied")
            .add(image.appliedIndex())
            .gauge());
  }
}
