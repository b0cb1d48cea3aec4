package io.milena.group;

import org.apache.kafka.common.TopicPartition;

/** A record of {@code __consumer_offsets}: the only thing that changes what a group remembers. */
public sealed interface GroupRecord {

  /** The group the record is about. */
  String groupId();

  /** A group committed an offset. */
  record OffsetStored(String groupId, TopicPartition partition, CommittedOffset offset)
      implements GroupRecord {}

  /** A committed offset expired or was deleted (a tombstone). */
  record OffsetForgotten(String groupId, TopicPartition partition) implements GroupRecord {}

  /** A group has a new generation, or a static member of it came back under a new member id. */
  record GenerationStored(String groupId, GroupMetadata metadata) implements GroupRecord {}

  /** A group was deleted (a tombstone). */
  record GroupForgotten(String groupId) implements GroupRecord {}

  /**
   * A record of a type or version this coordinator does not know: left alone, as Kafka does.
   *
   * @param keyVersion type of the record
   * @param valueVersion version of its value, -1 for a tombstone
   */
  record Unknown(String groupId, short keyVersion, short valueVersion) implements GroupRecord {}
}
