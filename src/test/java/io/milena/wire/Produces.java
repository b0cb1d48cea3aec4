package io.milena.wire;

import java.nio.ByteBuffer;
import java.util.List;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceDataCollection;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.message.ProduceResponseData.PartitionProduceResponse;
import org.apache.kafka.common.message.ProduceResponseData.TopicProduceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.record.internal.MemoryRecords;

/** Produce requests whose records are arbitrary bytes, and answers that depend on those bytes. */
final class Produces {
  static final int VERSION = 9;

  private Produces() {}

  static byte[] frame(int correlationId, byte[] records) {
    return WireClient.frame(ApiKeys.PRODUCE, VERSION, correlationId, request(records, 1));
  }

  static ProduceRequestData request(byte[] records, int acks) {
    TopicProduceDataCollection topics = new TopicProduceDataCollection();
    topics.add(
        new TopicProduceData()
            .setName("topic")
            .setPartitionData(
                List.of(
                    new PartitionProduceData()
                        .setIndex(0)
                        .setRecords(MemoryRecords.readableRecords(ByteBuffer.wrap(records))))));
    return new ProduceRequestData().setAcks((short) acks).setTimeoutMs(1_000).setTopicData(topics);
  }

  /** The hash of the request's records, read now. */
  static long hashOf(ProduceRequestData request) {
    MemoryRecords records =
        (MemoryRecords) request.topicData().iterator().next().partitionData().get(0).records();
    return hash(records.buffer());
  }

  static long hash(ByteBuffer bytes) {
    long hash = bytes.remaining();
    for (int i = bytes.position(); i < bytes.limit(); i++) {
      hash = hash * 31 + bytes.get(i);
    }
    return hash;
  }

  static ProduceResponseData answer(long baseOffset) {
    ProduceResponseData answer = new ProduceResponseData();
    answer
        .responses()
        .add(
            new TopicProduceResponse()
                .setName("topic")
                .setPartitionResponses(
                    List.of(new PartitionProduceResponse().setIndex(0).setBaseOffset(baseOffset))));
    return answer;
  }

  static long receiveOffset(WireClient client, int correlationId) throws java.io.IOException {
    return client
        .receive(ApiKeys.PRODUCE, VERSION, correlationId, new ProduceResponseData())
        .responses()
        .iterator()
        .next()
        .partitionResponses()
        .get(0)
        .baseOffset();
  }

  /** Answers at once with the hash of the records. */
  static ScriptedHandler hashing() {
    return ScriptedHandler.answering(
        ApiKeys.PRODUCE, (_, request) -> answer(hashOf((ProduceRequestData) request)));
  }

  static byte[] records(int sizeBytes, long seed) {
    byte[] bytes = new byte[sizeBytes];
    new java.util.Random(seed).nextBytes(bytes);
    return bytes;
  }
}
