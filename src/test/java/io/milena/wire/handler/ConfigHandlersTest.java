package io.milena.wire.handler;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.ConfigResource.Type;
import org.apache.kafka.common.message.AlterConfigsRequestData;
import org.apache.kafka.common.message.AlterConfigsResponseData;
import org.apache.kafka.common.message.DescribeConfigsRequestData;
import org.apache.kafka.common.message.DescribeConfigsRequestData.DescribeConfigsResource;
import org.apache.kafka.common.message.DescribeConfigsResponseData;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsResourceResult;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsResult;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterConfigsResource;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterableConfig;
import org.apache.kafka.common.message.IncrementalAlterConfigsResponseData;
import org.apache.kafka.common.message.IncrementalAlterConfigsResponseData.AlterConfigsResourceResponse;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.DescribeConfigsResponse.ConfigSource;
import org.apache.kafka.common.requests.DescribeConfigsResponse.ConfigType;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** DescribeConfigs, AlterConfigs and IncrementalAlterConfigs. */
class ConfigHandlersTest {

  private static final byte SET = 0;
  private static final byte DELETE = 1;
  private static final byte APPEND = 2;
  private static final byte SUBTRACT = 3;

  private final DirectMetadata metadata = DirectMetadata.withNodes(1);
  private final NodeIdentity node =
      new NodeIdentity(1, Map.of("node.id", "1", "log.retention.hours", "48"));
  private final TestConnection connection = TestConnection.onInsideListener();
  private final DescribeConfigsHandler describe = new DescribeConfigsHandler(metadata, node);
  private final AlterConfigsHandler alter = new AlterConfigsHandler(metadata);
  private final IncrementalAlterConfigsHandler incremental =
      new IncrementalAlterConfigsHandler(metadata);

  ConfigHandlersTest() {
    metadata.topic("t", 1, 1);
  }

  private static DescribeConfigsRequestData describing(
      Type type, String name, @Nullable List<String> keys) {
    return new DescribeConfigsRequestData()
        .setIncludeSynonyms(true)
        .setResources(
            List.of(
                new DescribeConfigsResource()
                    .setResourceType(type.id())
                    .setResourceName(name)
                    .setConfigurationKeys(keys)));
  }

  private DescribeConfigsResult describe(int version, DescribeConfigsRequestData request) {
    DescribeConfigsResponseData response = connection.ask(describe, version, request);
    assertThat(response.results()).hasSize(1);
    return response.results().getFirst();
  }

  private DescribeConfigsResourceResult describeOne(Type type, String name, String key) {
    DescribeConfigsResult result = describe(4, describing(type, name, List.of(key)));
    assertThat(result.errorCode()).isZero();
    assertThat(result.configs()).hasSize(1);
    return result.configs().getFirst();
  }

  private static IncrementalAlterConfigsRequestData changing(AlterConfigsResource... resources) {
    IncrementalAlterConfigsRequestData request = new IncrementalAlterConfigsRequestData();
    for (AlterConfigsResource resource : resources) {
      request.resources().add(resource);
    }
    return request;
  }

  private static AlterConfigsResource resource(int type, String name) {
    return new AlterConfigsResource().setResourceType((byte) type).setResourceName(name);
  }

  private static AlterConfigsResource change(
      AlterConfigsResource resource, int operation, String key, @Nullable String value) {
    resource
        .configs()
        .add(
            new AlterableConfig()
                .setName(key)
                .setConfigOperation((byte) operation)
                .setValue(value));
    return resource;
  }

  private List<AlterConfigsResourceResponse> change(
      int version, IncrementalAlterConfigsRequestData request) {
    IncrementalAlterConfigsResponseData response = connection.ask(incremental, version, request);
    return response.responses();
  }

  private void set(Type type, String name, String key, String value) {
    List<AlterConfigsResourceResponse> responses =
        change(1, changing(change(resource(type.id(), name), SET, key, value)));
    assertThat(responses.getFirst().errorMessage()).isNull();
    assertThat(responses.getFirst().errorCode()).isZero();
  }

  private @Nullable String override(String topic, String key) {
    return metadata.image().overrides(new ConfigResource(Type.TOPIC, topic)).get(key);
  }

  @Test
  void everyVersionDescribesATopicsConfigsWithTypeSourceAndSynonyms() {
    set(Type.TOPIC, "t", "retention.ms", "3600000");
    for (int version = describe.minVersion(); version <= describe.maxVersion(); version++) {
      DescribeConfigsRequestData request = describing(Type.TOPIC, "t", List.of("retention.ms"));
      request.setIncludeDocumentation(version >= 3);
      DescribeConfigsResult result = describe(version, request);

      assertThat(result.errorCode()).as("version %s", version).isZero();
      DescribeConfigsResourceResult config = result.configs().getFirst();
      assertThat(config.value()).isEqualTo("3600000");
      assertThat(config.configSource()).isEqualTo(ConfigSource.TOPIC_CONFIG.id());
      assertThat(config.readOnly()).isFalse();
      assertThat(config.isSensitive()).isFalse();
      assertThat(
              config.synonyms().stream()
                  .map(synonym -> synonym.name() + "=" + synonym.value() + " " + synonym.source()))
          .startsWith(
              "retention.ms=3600000 " + ConfigSource.TOPIC_CONFIG.id(),
              "log.retention.hours=48 " + ConfigSource.STATIC_BROKER_CONFIG.id());
      if (version >= 3) {
        assertThat(config.configType()).isEqualTo(ConfigType.LONG.id());
        assertThat(config.documentation()).contains("retain");
      }
    }
  }

  @Test
  void valuesComeFromTheStrongestPlaceThatHasOne() {
    assertThat(describeOne(Type.TOPIC, "t", "retention.ms").value())
        .isEqualTo(Long.toString(48L * 3_600_000));
    assertThat(describeOne(Type.TOPIC, "t", "retention.ms").configSource())
        .isEqualTo(ConfigSource.STATIC_BROKER_CONFIG.id());

    set(Type.BROKER, "", "log.retention.ms", "7200000");
    DescribeConfigsResourceResult clusterWide = describeOne(Type.TOPIC, "t", "retention.ms");
    assertThat(clusterWide.value()).isEqualTo("7200000");
    assertThat(clusterWide.configSource())
        .isEqualTo(ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG.id());

    set(Type.BROKER, "1", "log.retention.ms", "7300000");
    assertThat(describeOne(Type.TOPIC, "t", "retention.ms").configSource())
        .isEqualTo(ConfigSource.DYNAMIC_BROKER_CONFIG.id());
    assertThat(describeOne(Type.BROKER, "1", "log.retention.ms").value()).isEqualTo("7300000");
    assertThat(describeOne(Type.BROKER, "", "log.retention.ms").value()).isEqualTo("7200000");
  }

  @Test
  void nodeConfigsSayWhatIsReadOnly() {
    DescribeConfigsResourceResult nodeId = describeOne(Type.BROKER, "1", "node.id");
    assertThat(nodeId.value()).isEqualTo("1");
    assertThat(nodeId.readOnly()).isTrue();
    assertThat(describeOne(Type.BROKER, "1", "log.retention.ms").readOnly()).isFalse();
  }

  @Test
  void groupsAreDescribedWithoutHavingToBeThere() {
    DescribeConfigsResourceResult config =
        describeOne(Type.GROUP, "g", "consumer.session.timeout.ms");
    assertThat(config.value()).isEqualTo("45000");
    set(Type.GROUP, "g", "consumer.session.timeout.ms", "50000");
    DescribeConfigsResourceResult changed =
        describeOne(Type.GROUP, "g", "consumer.session.timeout.ms");
    assertThat(changed.value()).isEqualTo("50000");
    assertThat(changed.configSource()).isEqualTo(ConfigSource.GROUP_CONFIG.id());
  }

  @Test
  void noKeysMeansEveryConfigAndUnknownKeysNone() {
    assertThat(describe(4, describing(Type.TOPIC, "t", null)).configs().size()).isGreaterThan(20);
    assertThat(describe(4, describing(Type.TOPIC, "t", List.of())).configs().size())
        .isGreaterThan(20);
    assertThat(describe(4, describing(Type.TOPIC, "t", List.of("nope"))).configs()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "TOPIC,          no,       UNKNOWN_TOPIC_OR_PARTITION, 'no' does not exist",
    "TOPIC,          bad name, INVALID_TOPIC_EXCEPTION,    bad name",
    "BROKER,         9,        INVALID_REQUEST,            'expected 1 or empty string'",
    "BROKER,         x,        INVALID_REQUEST,            must be an integer",
    "GROUP,          '',       INVALID_REQUEST,            must not be empty",
    "BROKER_LOGGER,  1,        INVALID_REQUEST,            logback",
    "CLIENT_METRICS, m,        INVALID_REQUEST,            not supported",
    "UNKNOWN,        m,        INVALID_REQUEST,            Unknown resource type 0",
  })
  void whatCannotBeDescribedIsRefusedByName(Type type, String name, Errors error, String message) {
    DescribeConfigsResult result = describe(4, describing(type, name, null));

    assertThat(Errors.forCode(result.errorCode())).isEqualTo(error);
    assertThat(result.errorMessage()).contains(message);
    assertThat(result.configs()).isEmpty();
  }

  @Test
  void everyVersionChangesIncrementally() {
    for (int v = incremental.minVersion(); v <= incremental.maxVersion(); v++) {
      assertThat(
              change(
                      v,
                      changing(
                          change(
                              change(resource(2, "t"), SET, "retention.ms", "5"),
                              APPEND,
                              "cleanup.policy",
                              "compact")))
                  .getFirst()
                  .errorMessage())
          .isNull();
      assertThat(override("t", "retention.ms")).isEqualTo("5");
      assertThat(override("t", "cleanup.policy")).isEqualTo("delete,compact");

      change(
          v,
          changing(
              change(
                  change(resource(2, "t"), DELETE, "retention.ms", null),
                  SUBTRACT,
                  "cleanup.policy",
                  "compact")));
      assertThat(override("t", "retention.ms")).isNull();
      assertThat(override("t", "cleanup.policy")).isEqualTo("delete");
    }
  }

  @Test
  void validateOnlyChangesNothing() {
    List<AlterConfigsResourceResponse> responses =
        change(
            1, changing(change(resource(2, "t"), SET, "retention.ms", "5")).setValidateOnly(true));

    assertThat(responses.getFirst().errorCode()).isZero();
    assertThat(override("t", "retention.ms")).isNull();
  }

  @ParameterizedTest
  @CsvSource({
    "2,  no, 0, retention.ms,     1,     UNKNOWN_TOPIC_OR_PARTITION, 'no'",
    "2,  t,  0, nope,             1,     INVALID_CONFIG,             nope",
    "2,  t,  0, retention.ms,     x,     INVALID_CONFIG,             retention.ms",
    "2,  t,  0, retention.ms,      ,     INVALID_REQUEST,            retention.ms",
    "2,  t,  2, retention.ms,     1,     INVALID_CONFIG,             retention.ms",
    "2,  t,  9, retention.ms,     1,     INVALID_REQUEST,            operation 9",
    "4,  x,  0, log.retention.ms, 1,     INVALID_REQUEST,            x",
    "4,  9,  0, log.retention.ms, 1,     BROKER_ID_NOT_REGISTERED,   9",
    "4,  1,  0, node.id,          2,     INVALID_CONFIG,             node.id",
    "8,  1,  0, io.milena,        DEBUG, INVALID_REQUEST,            logback",
    "16, m,  0, metrics,          *,     INVALID_REQUEST,            not supported",
    "77, m,  0, metrics,          *,     INVALID_REQUEST,            Unknown resource type 77",
  })
  void whatCannotBeChangedIsRefusedByNameAndAlone(
      int type,
      String name,
      int operation,
      String key,
      @Nullable String value,
      Errors error,
      String message) {
    metadata.topic("good", 1, 1);
    List<AlterConfigsResourceResponse> responses =
        change(
            1,
            changing(
                change(resource(type, name), operation, key, value),
                change(resource(2, "good"), SET, "retention.ms", "7")));

    assertThat(responses).hasSize(2);
    AlterConfigsResourceResponse refused =
        responses.stream().filter(each -> each.errorCode() != 0).findAny().orElseThrow();
    assertThat(Errors.forCode(refused.errorCode())).isEqualTo(error);
    assertThat(refused.errorMessage()).contains(message);
    assertThat(refused.resourceType()).isEqualTo((byte) type);
    assertThat(refused.resourceName()).isEqualTo(name);
    assertThat(override("good", "retention.ms")).isEqualTo("7");
  }

  @Test
  void aResourceOrKeyThatAppearsTwiceIsRefused() {
    List<AlterConfigsResourceResponse> responses =
        change(
            1,
            changing(
                change(resource(2, "t"), SET, "retention.ms", "1"),
                change(resource(2, "t"), SET, "retention.ms", "2")));
    assertThat(responses)
        .hasSize(2)
        .allMatch(each -> each.errorCode() == Errors.INVALID_REQUEST.code());

    List<AlterConfigsResourceResponse> keys =
        change(
            1,
            changing(
                change(
                    change(resource(2, "t"), SET, "retention.ms", "1"), SET, "retention.ms", "2")));
    assertThat(keys.getFirst().errorCode()).isEqualTo(Errors.INVALID_REQUEST.code());
    assertThat(override("t", "retention.ms")).isNull();
  }

  @Test
  void everyVersionReplacesAllOverrides() {
    for (int version = alter.minVersion(); version <= alter.maxVersion(); version++) {
      set(Type.TOPIC, "t", "retention.ms", "5");
      AlterConfigsResponseData response =
          connection.ask(alter, version, replacing((byte) 2, "t", Map.of("segment.ms", "60000")));

      assertThat(response.responses().getFirst().errorCode()).as("version %s", version).isZero();
      assertThat(response.responses().getFirst().errorMessage()).isNull();
      assertThat(override("t", "retention.ms")).isNull();
      assertThat(override("t", "segment.ms")).isEqualTo("60000");
    }
  }

  @Test
  void aFailedReplacementLeavesTheOverridesAsTheyWere() {
    set(Type.TOPIC, "t", "retention.ms", "5");
    AlterConfigsResponseData response =
        connection.ask(alter, 2, replacing((byte) 2, "t", Map.of("segment.ms", "x")));
    assertThat(response.responses().getFirst().errorCode()).isEqualTo(Errors.INVALID_CONFIG.code());
    assertThat(response.responses().getFirst().errorMessage()).contains("segment.ms");
    assertThat(override("t", "retention.ms")).isEqualTo("5");

    AlterConfigsResponseData logger =
        connection.ask(alter, 2, replacing((byte) 8, "1", Map.of("io.milena", "DEBUG")));
    assertThat(logger.responses().getFirst().errorMessage()).contains("logback");
  }

  @Test
  void withoutMetadataLeaderChangesTimeOut() {
    IncrementalAlterConfigsResponseData response =
        connection.ask(
            new IncrementalAlterConfigsHandler(metadata.withoutLeader()),
            1,
            changing(change(resource(2, "t"), SET, "retention.ms", "1")));
    assertThat(response.responses().getFirst().errorCode())
        .isEqualTo(Errors.REQUEST_TIMED_OUT.code());
    assertThat(response.responses().getFirst().errorMessage()).contains("may still be made");
  }

  private static AlterConfigsRequestData replacing(
      byte type, String name, Map<String, String> configs) {
    List<AlterConfigsRequestData.AlterableConfig> list = new ArrayList<>();
    configs.forEach((key, value) ->
        list.add(new AlterConfigsRequestData.AlterableConfig().setName(key).setValue(value)));
    AlterConfigsRequestData.AlterConfigsResource resource =
        new AlterConfigsRequestData.AlterConfigsResource()
            .setResourceType(type)
            .setResourceName(name);
    list.forEach(resource.configs()::add);
    AlterConfigsRequestData request = new AlterConfigsRequestData();
    request.resources().add(resource);
    return request;
  }
}
