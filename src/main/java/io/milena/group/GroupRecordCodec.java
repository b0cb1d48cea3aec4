package io.milena.group;

import io.milena.group.GroupMetadata.StoredMember;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Readable;
import org.jspecify.annotations.Nullable;

/**
 * Kafka's formats of the records of {@code __consumer_offsets}. Written are the versions that Kafka
 * 4.4 writes; read is every version there has been.
 *
 * <pre>
 * key    int16 type: 0 and 1 offset commit, 2 group metadata
 *        1: group string, topic string, partition int32
 *        2: group string
 * value  int16 version, then for an offset commit
 *        0, 2: offset int64, metadata string, commit timestamp int64
 *        1:    as 0, then expire timestamp int64
 *        3:    offset int64, leader epoch int32, metadata string, commit timestamp int64
 *        4:    as 3 with a compact string and tagged fields (0: topic id)
 *        for group metadata
 *        0-3:  protocol type string, generation int32, protocol and leader nullable string,
 *              state timestamp int64 (from 2), members: member id, instance id (from 3), client id,
 *              host, rebalance timeout int32 (from 1), session timeout int32, subscription bytes,
 *              assignment bytes
 *        4:    as 3 with compact strings, bytes and arrays, and tagged fields
 * </pre>
 */
public final class GroupRecordCodec {

  private static final short OFFSET_KEY_0 = 0;
  private static final short OFFSET_KEY = 1;
  private static final short GROUP_KEY = 2;

  /** Kept for offsets that a client gave an expiry of their own: no later version has a field. */
  private static final short OFFSET_VALUE_WITH_EXPIRY = 1;

  private static final short OFFSET_VALUE = 4;

  /** Kafka 4.4 reads version 4 and still writes 3. */
  private static final short GROUP_VALUE_WRITTEN = 3;

  private static final short GROUP_VALUE_NEWEST = 4;
  private static final int TOPIC_ID_TAG = 0;
  private static final int TOPIC_ID_BYTES = 16;

  private GroupRecordCodec() {}

  /** The key of a record in the newest version. */
  public static ByteBuffer encodeKey(GroupRecord record) {
    GroupRecordWriter out = new GroupRecordWriter();
    switch (record) {
      case GroupRecord.OffsetStored stored -> offsetKey(out, stored.groupId(), stored.partition());
      case GroupRecord.OffsetForgotten gone -> offsetKey(out, gone.groupId(), gone.partition());
      case GroupRecord.GenerationStored stored -> groupKey(out, stored.groupId());
      case GroupRecord.GroupForgotten gone -> groupKey(out, gone.groupId());
      case GroupRecord.Unknown unknown ->
          throw new IllegalArgumentException(
              "cannot write a record of an unknown type: " + unknown);
    }
    return out.toBuffer();
  }

  /** The value of a record in the version Kafka 4.4 writes; null for a tombstone. */
  public static @Nullable ByteBuffer encodeValue(GroupRecord record) {
    return switch (record) {
      case GroupRecord.OffsetStored stored -> offsetValue(stored.offset());
      case GroupRecord.GenerationStored stored -> groupValue(stored.metadata());
      case GroupRecord.OffsetForgotten _, GroupRecord.GroupForgotten _ -> null;
      case GroupRecord.Unknown unknown ->
          throw new IllegalArgumentException(
              "cannot write a record of an unknown type: " + unknown);
    };
  }

  /**
   * Reads a record.
   *
   * @param value null for a tombstone
   * @throws RuntimeException when the bytes are not what their version says
   */
  public static GroupRecord decode(ByteBuffer key, @Nullable ByteBuffer value) {
    Readable keyIn = new ByteBufferAccessor(key.duplicate());
    short type = keyIn.readShort();
    return switch (type) {
      case OFFSET_KEY_0, OFFSET_KEY -> {
        String groupId = readString(keyIn);
        TopicPartition partition = new TopicPartition(readString(keyIn), keyIn.readInt());
        if (value == null) {
          yield new GroupRecord.OffsetForgotten(groupId, partition);
        }
        Readable in = new ByteBufferAccessor(value.duplicate());
        short version = in.readShort();
        yield version < 0 || version > OFFSET_VALUE
            ? new GroupRecord.Unknown(groupId, type, version)
            : new GroupRecord.OffsetStored(groupId, partition, readOffset(in, version));
      }
      case GROUP_KEY -> {
        String groupId = readString(keyIn);
        if (value == null) {
          yield new GroupRecord.GroupForgotten(groupId);
        }
        Readable in = new ByteBufferAccessor(value.duplicate());
        short version = in.readShort();
        yield version < 0 || version > GROUP_VALUE_NEWEST
            ? new GroupRecord.Unknown(groupId, type, version)
            : new GroupRecord.GenerationStored(groupId, readGroup(in, version));
      }
      default ->
          new GroupRecord.Unknown(
              "",
              type,
              value == null || value.remaining() < 2 ? -1 : value.getShort(value.position()));
    };
  }

  private static void offsetKey(GroupRecordWriter out, String groupId, TopicPartition partition) {
    out.int16(OFFSET_KEY).string(groupId).string(partition.topic()).int32(partition.partition());
  }

  private static void groupKey(GroupRecordWriter out, String groupId) {
    out.int16(GROUP_KEY).string(groupId);
  }

  private static ByteBuffer offsetValue(CommittedOffset committed) {
    GroupRecordWriter out = new GroupRecordWriter();
    if (committed.expireTimestampMs().isPresent()) {
      return out.int16(OFFSET_VALUE_WITH_EXPIRY)
          .int64(committed.offset())
          .string(committed.metadata())
          .int64(committed.commitTimestampMs())
          .int64(committed.expireTimestampMs().getAsLong())
          .toBuffer();
    }
    out.int16(OFFSET_VALUE)
        .int64(committed.offset())
        .int32(committed.leaderEpoch())
        .compactString(committed.metadata())
        .int64(committed.commitTimestampMs());
    if (committed.topicId().equals(Uuid.ZERO_UUID)) {
      return out.varint(0).toBuffer();
    }
    return out.varint(1)
        .varint(TOPIC_ID_TAG)
        .varint(TOPIC_ID_BYTES)
        .int64(committed.topicId().getMostSignificantBits())
        .int64(committed.topicId().getLeastSignificantBits())
        .toBuffer();
  }

  private static ByteBuffer groupValue(GroupMetadata group) {
    GroupRecordWriter out = new GroupRecordWriter();
    out.int16(GROUP_VALUE_WRITTEN)
        .string(group.protocolType())
        .int32(group.generation())
        .nullableString(group.protocol())
        .nullableString(group.leader())
        .int64(group.stateTimestampMs())
        .int32(group.members().size());
    for (StoredMember member : group.members()) {
      out.string(member.memberId())
          .nullableString(member.groupInstanceId())
          .string(member.clientId())
          .string(member.clientHost())
          .int32(member.rebalanceTimeoutMs())
          .int32(member.sessionTimeoutMs())
          .bytes(member.subscription())
          .bytes(member.assignment());
    }
    return out.toBuffer();
  }

  private static CommittedOffset readOffset(Readable in, short version) {
    boolean flexible = version >= 4;
    long offset = in.readLong();
    int leaderEpoch = version >= 3 ? in.readInt() : -1;
    String metadata = flexible ? readCompactString(in) : readString(in);
    long commitTimestampMs = in.readLong();
    OptionalLong expireTimestampMs = OptionalLong.empty();
    if (version == OFFSET_VALUE_WITH_EXPIRY) {
      long expireMs = in.readLong();
      expireTimestampMs = expireMs < 0 ? OptionalLong.empty() : OptionalLong.of(expireMs);
    }
    Uuid topicId = Uuid.ZERO_UUID;
    if (flexible) {
      for (int left = in.readUnsignedVarint(); left > 0; left--) {
        int tag = in.readUnsignedVarint();
        int sizeBytes = in.readUnsignedVarint();
        if (tag == TOPIC_ID_TAG) {
          topicId = in.readUuid();
        } else {
          in.readArray(sizeBytes);
        }
      }
    }
    return new CommittedOffset(
        offset, leaderEpoch, metadata, commitTimestampMs, expireTimestampMs, topicId);
  }

  private static GroupMetadata readGroup(Readable in, short version) {
    boolean flexible = version >= 4;
    String protocolType = flexible ? readCompactString(in) : readString(in);
    int generation = in.readInt();
    String protocol = readNullable(in, flexible);
    String leader = readNullable(in, flexible);
    long stateTimestampMs = version >= 2 ? in.readLong() : -1;
    int count = flexible ? in.readUnsignedVarint() - 1 : in.readInt();
    if (count > in.remaining()) {
      throw new IllegalArgumentException("group metadata claims " + count + " members");
    }
    List<StoredMember> members = new ArrayList<>(Math.max(0, count));
    for (int i = 0; i < count; i++) {
      String memberId = flexible ? readCompactString(in) : readString(in);
      String instanceId = version >= 3 ? readNullable(in, flexible) : null;
      String clientId = flexible ? readCompactString(in) : readString(in);
      String clientHost = flexible ? readCompactString(in) : readString(in);
      int rebalanceTimeoutMs = version >= 1 ? in.readInt() : -1;
      int sessionTimeoutMs = in.readInt();
      byte[] subscription = in.readArray(flexible ? in.readUnsignedVarint() - 1 : in.readInt());
      byte[] assignment = in.readArray(flexible ? in.readUnsignedVarint() - 1 : in.readInt());
      if (flexible) {
        skipTaggedFields(in);
      }
      members.add(
          new StoredMember(
              memberId,
              instanceId,
              clientId,
              clientHost,
              rebalanceTimeoutMs < 0 ? sessionTimeoutMs : rebalanceTimeoutMs,
              sessionTimeoutMs,
              subscription,
              assignment));
    }
    return new GroupMetadata(protocolType, generation, protocol, leader, stateTimestampMs, members);
  }

  private static void skipTaggedFields(Readable in) {
    for (int left = in.readUnsignedVarint(); left > 0; left--) {
      in.readUnsignedVarint();
      in.readArray(in.readUnsignedVarint());
    }
  }

  private static String readString(Readable in) {
    return in.readString(in.readShort());
  }

  private static String readCompactString(Readable in) {
    return in.readString(in.readUnsignedVarint() - 1);
  }

  private static @Nullable String readNullable(Readable in, boolean flexible) {
    int lengthBytes = flexible ? in.readUnsignedVarint() - 1 : in.readShort();
    return lengthBytes < 0 ? null : in.readString(lengthBytes);
  }

  /** How many bytes a client's text takes when stored. */
  static int sizeBytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }
}
