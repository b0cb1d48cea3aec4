package io.milena.wire.handler;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.AlterReplicaLogDirsRequestData;
import org.apache.kafka.common.message.AlterReplicaLogDirsRequestData.AlterReplicaLogDir;
import org.apache.kafka.common.message.AlterReplicaLogDirsRequestData.AlterReplicaLogDirTopic;
import org.apache.kafka.common.message.AlterReplicaLogDirsResponseData;
import org.apache.kafka.common.message.AlterReplicaLogDirsResponseData.AlterReplicaLogDirPartitionResult;
import org.apache.kafka.common.message.AlterReplicaLogDirsResponseData.AlterReplicaLogDirTopicResult;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;

/**
 * AlterReplicaLogDirs: has replicas of this node moved to other log directories (KIP-113). The
 * answer says that a move has begun; DescribeLogDirs shows how far it is.
 */
public final class AlterReplicaLogDirsHandler implements ApiHandler {

  private final LogDirectories directories;

  public AlterReplicaLogDirsHandler(LogDirectories directories) {
    this.directories = directories;
  }

  @Override
  public ApiKeys api() {
    return ApiKeys.ALTER_REPLICA_LOG_DIRS;
  }

  @Override
  public short minVersion() {
    return 1;
  }

  @Override
  public short maxVersion() {
    return 2;
  }

  @Override
  public CompletionStage<? extends ApiMessage> handle(RequestContext context, ApiMessage message) {
    AlterReplicaLogDirsRequestData request = (AlterReplicaLogDirsRequestData) message;
    Map<String, AlterReplicaLogDirTopicResult> results = new LinkedHashMap<>();
    for (AlterReplicaLogDir directory : request.dirs()) {
      for (AlterReplicaLogDirTopic topic : directory.topics()) {
        AlterReplicaLogDirTopicResult result =
            results.computeIfAbsent(
                topic.name(), name -> new AlterReplicaLogDirTopicResult().setTopicName(name));
        for (int partition : topic.partitions()) {
          result
              .partitions()
              .add(
                  new AlterReplicaLogDirPartitionResult()
                      .setPartitionIndex(partition)
                      .setErrorCode(
                          directories
                              .move(new TopicPartition(topic.name(), partition), directory.path())
                              .code()));
        }
      }
    }
    AlterReplicaLogDirsResponseData response = new AlterReplicaLogDirsResponseData();
    response.results().addAll(results.values());
    return CompletableFuture.completedStage(response);
  }
}
