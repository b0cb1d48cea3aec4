package io.milena.wire.handler;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;

class InitProducerIdHandlerTest {

  private static final int BLOCK_SIZE = 1_000;

  private final DirectMetadata metadata = DirectMetadata.withNodes(2);
  private final TestConnection connection = TestConnection.onInsideListener();
  private final InitProducerIdHandler handler = handlerOf(1);

  private InitProducerIdHandler handlerOf(int nodeId) {
    return new InitProducerIdHandler(
        new ProducerIds(metadata, nodeId, () -> metadata.nodeEpoch(nodeId)));
  }

  private static InitProducerIdRequestData request() {
    return new InitProducerIdRequestData().setTransactionalId(null);
  }

  private InitProducerIdResponseData ask(int version, InitProducerIdRequestData request) {
    return connection.ask(handler, version, request);
  }

  @Test
  void everyVersionGetsANewIdWithEpochZero() {
    Set<Long> ids = new HashSet<>();
    for (int version = handler.minVersion(); version <= handler.maxVersion(); version++) {
      InitProducerIdResponseData response = ask(version, request());

      assertThat(response.errorCode()).as("version %s", version).isZero();
      assertThat(response.producerEpoch()).isZero();
      assertThat(ids.add(response.producerId())).isTrue();
    }
  }

  @Test
  void noTwoProducersOfAnyNodeGetTheSameId() {
    InitProducerIdHandler other = handlerOf(2);
    Set<Long> ids = new HashSet<>();
    for (int i = 0; i < 3 * BLOCK_SIZE; i++) {
      InitProducerIdResponseData mine = connection.ask(handler, 5, request());
      InitProducerIdResponseData others = connection.ask(other, 5, request());
      assertThat(ids.add(mine.producerId())).isTrue();
      assertThat(ids.add(others.producerId())).isTrue();
    }
  }

  @Test
  void theNextBlockIsAskedForBeforeTheCurrentOneIsUsedUp() {
    ask(5, request());
    metadata.hold();
    int asked = metadata.commands().size();
    for (int i = 1; i < BLOCK_SIZE; i++) {
      assertThat(ask(5, request()).errorCode()).isZero();
    }
    assertThat(metadata.commands()).hasSize(asked + 1);
  }

  @Test
  void producersWaitForABlockInTheOrderTheyCame() {
    metadata.hold();
    List<CompletionStage<InitProducerIdResponseData>> answers = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      answers.add(connection.askLater(handler, 5, request()));
    }
    assertThat(answers).noneMatch(answer -> answer.toCompletableFuture().isDone());
    assertThat(metadata.commands()).hasSize(1);

    metadata.release();
    assertThat(answers.stream().map(answer -> answer.toCompletableFuture().join().producerId()))
        .containsExactly(0L, 1L, 2L);
  }

  @Test
  void beyondTheBoundProducersAreToldToComeAgain() {
    metadata.hold();
    for (int i = 0; i < ProducerIds.WAITING_COUNT_MAX; i++) {
      connection.askLater(handler, 5, request());
    }
    assertThat(ask(5, request()).errorCode()).isEqualTo(Errors.COORDINATOR_LOAD_IN_PROGRESS.code());
  }

  @Test
  void withoutMetadataLeaderProducersAreToldToComeAgain() {
    InitProducerIdHandler leaderless =
        new InitProducerIdHandler(new ProducerIds(metadata.withoutLeader(), 1, () -> 0));
    for (int i = 0; i < 2; i++) {
      InitProducerIdResponseData response = connection.ask(leaderless, 5, request());
      assertThat(response.errorCode()).isEqualTo(Errors.COORDINATOR_LOAD_IN_PROGRESS.code());
      assertThat(response.producerId()).isEqualTo(-1);
    }
  }

  @Test
  void aBlockRefusedForAnOldNodeEpochIsNotUsed() {
    InitProducerIdHandler stale =
        new InitProducerIdHandler(new ProducerIds(metadata, 1, () -> 12_345));
    InitProducerIdResponseData response = connection.ask(stale, 5, request());

    assertThat(response.errorCode()).isEqualTo(Errors.COORDINATOR_LOAD_IN_PROGRESS.code());
  }

  /** As Kafka 4.4: only a transactional id has an epoch that could be raised. */
  @Test
  void aRecoveringProducerWithoutTransactionalIdGetsANewId() {
    long first = ask(5, request()).producerId();
    InitProducerIdResponseData response =
        ask(5, request().setProducerId(first).setProducerEpoch((short) 3));

    assertThat(response.errorCode()).isZero();
    assertThat(response.producerId()).isNotEqualTo(first);
    assertThat(response.producerEpoch()).isZero();
  }

  @Test
  void idWithoutEpochAndEmptyTransactionalIdAreInvalid() {
    assertThat(ask(5, request().setProducerId(1)).errorCode())
        .isEqualTo(Errors.INVALID_REQUEST.code());
    assertThat(ask(5, request().setProducerEpoch((short) 1)).errorCode())
        .isEqualTo(Errors.INVALID_REQUEST.code());
    assertThat(ask(5, request().setTransactionalId("")).errorCode())
        .isEqualTo(Errors.INVALID_REQUEST.code());
  }

  @Test
  void transactionalIdsAreRefusedForGood() {
    InitProducerIdResponseData response = ask(5, request().setTransactionalId("t"));

    assertThat(response.errorCode()).isEqualTo(Errors.UNSUPPORTED_VERSION.code());
    assertThat(response.producerId()).isEqualTo(-1);
    assertThat(metadata.commands()).isEmpty();
  }
}
