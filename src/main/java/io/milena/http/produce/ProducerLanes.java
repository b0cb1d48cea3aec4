package io.milena.http.produce;

import io.milena.http.HttpFailure;
import io.milena.http.KafkaApis;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;

/**
 * Producer ids of this node, so that a batch whose fate is not known (its leader was killed) can be
 * sent again and is still in the log once. A lane is an id with the next sequence number in one
 * partition; it carries one batch at a time, so that a partition has as many lanes as there were
 * batches under way at a time, and their numbers never come out of order.
 */
final class ProducerLanes {

  private static final byte NO_TRANSACTION_TIMEOUT = 0;

  /** When there are lanes of more partitions, those of deleted topics are forgotten. */
  private static final int PARTITIONS_MAX = 10_000;

  private final KafkaApis apis;
  private final Map<Key, ArrayDeque<Lane>> free = new HashMap<>();

  private record Key(Uuid topicId, int partition) {}

  /** One producer id in one partition. */
  static final class Lane {
    private final Key key;
    final long producerId;
    final short producerEpoch;
    int sequence;

    private Lane(Key key, long producerId, short producerEpoch) {
      this.key = key;
      this.producerId = producerId;
      this.producerEpoch = producerEpoch;
    }

    Uuid topicId() {
      return key.topicId();
    }
  }

  ProducerLanes(KafkaApis apis) {
    this.apis = apis;
  }

  /** A lane for the next batch, to be given back, or to be forgotten where its batch's fate is. */
  CompletionStage<Lane> take(Uuid topicId, int partition) {
    Key key = new Key(topicId, partition);
    synchronized (free) {
      ArrayDeque<Lane> waiting = free.get(key);
      if (waiting != null && !waiting.isEmpty()) {
        // The last one: so few are in use as can be.
        return CompletableFuture.completedFuture(waiting.removeLast());
      }
    }
    return apis.retrying(() -> begin(key));
  }

  private CompletionStage<Lane> begin(Key key) {
    InitProducerIdRequestData request =
        new InitProducerIdRequestData()
            .setTransactionalId(null)
            .setTransactionTimeoutMs(NO_TRANSACTION_TIMEOUT);
    return apis.call(ApiKeys.INIT_PRODUCER_ID, request, InitProducerIdResponseData.class)
        .thenApply(response -> {
          Errors error = Errors.forCode(response.errorCode());
          if (error != Errors.NONE) {
            throw HttpFailure.of(error, "no producer id can be had: " + error.message());
          }
          return new Lane(key, response.producerId(), response.producerEpoch());
        });
  }

  /** The next batch may go on this lane. */
  void giveBack(Lane lane) {
    synchronized (free) {
      if (free.size() >= PARTITIONS_MAX) {
        free.keySet().removeIf(key -> !apis.isTopic(key.topicId()));
      }
      free.computeIfAbsent(lane.key, _ -> new ArrayDeque<>(1)).addLast(lane);
    }
  }
}
