package io.milena.node;

import io.milena.cluster.MetadataMember;
import io.milena.common.Clock;
import io.milena.group.actor.GroupCoordinator;
import io.milena.metadata.MetadataService;
import io.milena.replication.ReplicaDirectory;
import io.milena.wire.handler.AlterConfigsHandler;
import io.milena.wire.handler.AlterPartitionReassignmentsHandler;
import io.milena.wire.handler.AlterReplicaLogDirsHandler;
import io.milena.wire.handler.ApiHandler;
import io.milena.wire.handler.ApiVersionsHandler;
import io.milena.wire.handler.ChangeVoterHandlers;
import io.milena.wire.handler.ClosestReplica;
import io.milena.wire.handler.CreatePartitionsHandler;
import io.milena.wire.handler.CreateTopicsHandler;
import io.milena.wire.handler.DeleteRecordsHandler;
import io.milena.wire.handler.DeleteTopicsHandler;
import io.milena.wire.handler.DescribeClusterHandler;
import io.milena.wire.handler.DescribeConfigsHandler;
import io.milena.wire.handler.DescribeLogDirsHandler;
import io.milena.wire.handler.DescribeQuorumHandler;
import io.milena.wire.handler.DescribeTopicPartitionsHandler;
import io.milena.wire.handler.ElectLeadersHandler;
import io.milena.wire.handler.FetchHandler;
import io.milena.wire.handler.FetchSessions;
import io.milena.wire.handler.GroupHandlers;
import io.milena.wire.handler.IncrementalAlterConfigsHandler;
import io.milena.wire.handler.InitProducerIdHandler;
import io.milena.wire.handler.LeaderLookup;
import io.milena.wire.handler.ListOffsetsHandler;
import io.milena.wire.handler.ListPartitionReassignmentsHandler;
import io.milena.wire.handler.LogDirectories;
import io.milena.wire.handler.MetadataHandler;
import io.milena.wire.handler.NodeIdentity;
import io.milena.wire.handler.OffsetForLeaderEpochHandler;
import io.milena.wire.handler.ProduceHandler;
import io.milena.wire.handler.ProducerIds;
import io.milena.wire.handler.TopicAutoCreation;
import io.milena.wire.handler.UnregisterBrokerHandler;
import io.milena.wire.handler.UpdateFeaturesHandler;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.Uuid;

/** Every Kafka API that a node serves. */
final class Handlers {

  /** Kafka's default of {@code fetch.max.bytes}. */
  private static final int FETCH_MAX_BYTES = 55 * 1024 * 1024;

  private Handlers() {}

  static List<ApiHandler> all(
      NodeConfig config,
      NodeIdentity identity,
      Uuid clusterId,
      MetadataMember member,
      LeaderLookup lookup,
      ReplicaDirectory replicas,
      GroupCoordinator groups,
      ProducerIds producerIds,
      LogDirectories directories,
      Clock clock) {
    MetadataService metadata = member.service();
    FetchSessions sessions =
        new FetchSessions(
            config.kafkaInt(
                "max.incremental.fetch.session.cache.slots", FetchSessions.DEFAULT_SLOTS),
            clock,
            new SecureRandom());
    List<ApiHandler> handlers = new ArrayList<>();
    handlers.add(new ProduceHandler(lookup));
    handlers.add(
        new FetchHandler(
            lookup,
            sessions,
            config.kafkaInt("fetch.max.bytes", FETCH_MAX_BYTES),
            new ClosestReplica(identity.staticConfig().get("replica.selector.class"))));
    handlers.add(new ListOffsetsHandler(lookup));
    handlers.add(new DeleteRecordsHandler(lookup));
    handlers.add(new OffsetForLeaderEpochHandler(lookup));
    handlers.add(
        new MetadataHandler(metadata, identity, new TopicAutoCreation(metadata, identity)));
    handlers.add(new CreateTopicsHandler(metadata, identity));
    handlers.add(new DeleteTopicsHandler(metadata));
    handlers.add(new CreatePartitionsHandler(metadata));
    handlers.add(new ElectLeadersHandler(metadata));
    handlers.add(new AlterPartitionReassignmentsHandler(metadata));
    handlers.add(new ListPartitionReassignmentsHandler(metadata));
    handlers.add(new UnregisterBrokerHandler(metadata));
    handlers.add(new UpdateFeaturesHandler(metadata));
    handlers.add(new DescribeQuorumHandler(metadata, member::leaderStatus, clock));
    handlers.addAll(ChangeVoterHandlers.all(metadata));
    handlers.add(new DescribeConfigsHandler(metadata, identity));
    handlers.add(new AlterConfigsHandler(metadata));
    handlers.add(new IncrementalAlterConfigsHandler(metadata));
    handlers.add(new DescribeClusterHandler(metadata, identity));
    handlers.add(new DescribeTopicPartitionsHandler(metadata, identity));
    handlers.add(new DescribeLogDirsHandler(replicas, directories));
    handlers.add(new AlterReplicaLogDirsHandler(directories));
    handlers.add(new InitProducerIdHandler(producerIds));
    handlers.addAll(GroupHandlers.all(groups, metadata));
    handlers.add(
        new ApiVersionsHandler(
            handlers,
            () -> UpdateFeaturesHandler.featuresOf(metadata.image()),
            clusterId.toString(),
            identity.nodeId()));
    return handlers;
  }
}
