package io.milena.wire.handler;

import io.milena.replication.Replica;
import io.milena.replication.ReplicaDirectory;
import io.milena.replication.ReplicaView;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.DescribeLogDirsRequestData;
import org.apache.kafka.common.message.DescribeLogDirsRequestData.DescribableLogDirTopic;
import org.apache.kafka.common.message.DescribeLogDirsResponseData;
import org.apache.kafka.common.message.DescribeLogDirsResponseData.DescribeLogDirsPartition;
import org.apache.kafka.common.message.DescribeLogDirsResponseData.DescribeLogDirsResult;
import org.apache.kafka.common.message.DescribeLogDirsResponseData.DescribeLogDirsTopic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

/**
 * DescribeLogDirs: the directories of this node, and what its replicas take up (KIP-113, KIP-827).
 */
public final class DescribeLogDirsHandler implements ApiHandler {

  private final ReplicaDirectory replicas;
  private final LogDirectories directories;

  public DescribeLogDirsHandler(ReplicaDirectory replicas, LogDirectories directories) {
    this.replicas = replicas;
    this.directories = directories;
  }

  @Override
  public ApiKeys api() {
    return ApiKeys.DESCRIBE_LOG_DIRS;
  }

  @Override
  public short minVersion() {
    return 1;
  }

  @Override
  public short maxVersion() {
    return 5;
  }

  @Override
  public CompletionStage<? extends ApiMessage> handle(RequestContext context, ApiMessage message) {
    DescribeLogDirsRequestData request = (DescribeLogDirsRequestData) message;
    Collection<? extends Replica> asked = asked(request);
    List<LogDirectories.FutureLog> futures = directories.futureLogs();
    DescribeLogDirsResponseData response = new DescribeLogDirsResponseData();
    for (LogDirectories.LogDirectory directory : directories.list()) {
      DescribeLogDirsResult result =
          new DescribeLogDirsResult()
              .setErrorCode(directory.error().code())
              .setLogDir(directory.path())
              .setTotalBytes(directory.totalBytes())
              .setUsableBytes(directory.usableBytes());
      if (directory.error() == Errors.NONE) {
        result.setTopics(topics(directory.path(), asked, futures));
      }
      response.results().add(result);
    }
    return CompletableFuture.completedStage(response);
  }

  /** Those that are on this node; null asks for all of them. */
  private Collection<? extends Replica> asked(DescribeLogDirsRequestData request) {
    if (request.topics() == null) {
      return replicas.all();
    }
    Collection<Replica> asked = new LinkedHashSet<>();
    for (DescribableLogDirTopic topic : request.topics()) {
      for (int partition : topic.partitions()) {
        Replica replica = replicas.find(new TopicPartition(topic.topic(), partition));
        if (replica != null) {
          asked.add(replica);
        }
      }
    }
    return asked;
  }

  private List<DescribeLogDirsTopic> topics(
      String directory,
      Collection<? extends Replica> asked,
      List<LogDirectories.FutureLog> futures) {
    Map<String, DescribeLogDirsTopic> topics = new TreeMap<>();
    for (Replica replica : asked) {
      TopicPartition partition = replica.partition();
      if (directory.equals(directories.pathOf(partition))) {
        topics
            .computeIfAbsent(partition.topic(), name -> new DescribeLogDirsTopic().setName(name))
            .partitions()
            .add(describe(partition, replica.view()));
      }
    }
    for (LogDirectories.FutureLog future : futures) {
      TopicPartition partition = future.partition();
      if (directory.equals(future.path())
          && asked.stream().anyMatch(replica -> replica.partition().equals(partition))) {
        topics
            .computeIfAbsent(partition.topic(), name -> new DescribeLogDirsTopic().setName(name))
            .partitions()
            .add(
                new DescribeLogDirsPartition()
                    .setPartitionIndex(partition.partition())
                    .setPartitionSize(future.sizeBytes())
                    .setOffsetLag(future.offsetLag())
                    .setIsFutureKey(true));
      }
    }
    return new ArrayList<>(topics.values());
  }

  private static DescribeLogDirsPartition describe(TopicPartition partition, ReplicaView view) {
    return new DescribeLogDirsPartition()
        .setPartitionIndex(partition.partition())
        .setPartitionSize(view.log().sizeBytes())
        // A follower knows the leader's high watermark before it has the records below it.
        .setOffsetLag(Math.max(0, view.highWatermark() - view.log().logEndOffset()))
        .setIsFutureKey(false);
  }
}
