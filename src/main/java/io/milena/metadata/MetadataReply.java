package io.milena.metadata;

import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Errors;

/** What the metadata leader decided. Refusals are replies, not failures. */
public sealed interface MetadataReply {

  /** Whether a single thing was done. */
  record Done(Errors error, String message) implements MetadataReply {}

  /**
   * @param nodeEpoch the epoch of this registration
   */
  record NodeRegistered(Errors error, String message, long nodeEpoch) implements MetadataReply {}

  /**
   * Who leads a set now, whether or not that is what was asked for.
   *
   * @param leader node id, or {@link ReplicaSetImage#NO_LEADER}
   * @param leaderEpoch of the leader, -1 if there is no such set
   */
  record LeadershipDecided(Errors error, String message, int leader, int leaderEpoch)
      implements MetadataReply {}

  /**
   * @param firstProducerId first id of the block
   * @param count how many ids follow it, itself included
   */
  record ProducerIdBlock(Errors error, long firstProducerId, int count) implements MetadataReply {}

  /** One result for each topic asked for, in the order asked. */
  record TopicsCreated(List<TopicCreated> topics) implements MetadataReply {}

  /**
   * @param topicId the new id where {@code error} is NONE
   */
  record TopicCreated(
      String name,
      Errors error,
      String message,
      Optional<Uuid> topicId,
      int partitionCount,
      int replicationFactor) {}

  /** One result for each topic asked for, in the order asked. */
  record TopicsDeleted(List<TopicDeleted> topics) implements MetadataReply {}

  /** A topic that was deleted, or why not; name and id as far as known. */
  record TopicDeleted(
      Optional<String> name, Optional<Uuid> topicId, Errors error, String message) {}

  /** One result for each item asked for, in the order asked. */
  record ItemResults<K>(List<ItemResult<K>> results) implements MetadataReply {}

  /**
   * @param key which item
   */
  record ItemResult<K>(K key, Errors error, String message) {}
}
