package io.milena.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import io.milena.metadata.MetadataCommand.FeatureUpdate;
import io.milena.metadata.MetadataCommand.UpdateFeatures;
import io.milena.metadata.MetadataReply.ItemResult;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;

/** KIP-584. */
class FeatureRulesTest {

  private static final String ELR = ClusterFeatures.ELIGIBLE_LEADER_REPLICAS;

  private static FeatureUpdate upgrade(String name, int level) {
    return new FeatureUpdate(name, (short) level, false);
  }

  private static FeatureUpdate downgrade(String name, int level) {
    return new FeatureUpdate(name, (short) level, true);
  }

  private static List<ItemResult<String>> update(MetadataFixture group, FeatureUpdate... updates) {
    return group.submit(new UpdateFeatures(List.of(updates), false)).results();
  }

  private static int levelOfElr(MetadataFixture group) {
    return ClusterFeatures.level(group.image(), ClusterFeatures.find(ELR));
  }

  @Test
  void levelsChangeOnlyInTheDirectionThatIsMeant() {
    MetadataFixture group = MetadataFixture.withNodes(1);
    assertThat(levelOfElr(group)).isEqualTo(1);
    assertThat(update(group, upgrade(ELR, 1)).getFirst().error()).isEqualTo(Errors.NONE);
    assertThat(group.lastRecords()).isEmpty();
    ItemResult<String> meantAsUpgrade = update(group, upgrade(ELR, 0)).getFirst();
    assertThat(meantAsUpgrade.error()).isEqualTo(Errors.INVALID_UPDATE_VERSION);
    assertThat(meantAsUpgrade.message()).contains("downgrade");
    assertThat(update(group, downgrade(ELR, 0)).getFirst().error()).isEqualTo(Errors.NONE);
    assertThat(levelOfElr(group)).isZero();
    assertThat(update(group, downgrade(ELR, 1)).getFirst().error())
        .isEqualTo(Errors.INVALID_UPDATE_VERSION);
    assertThat(update(group, upgrade(ELR, 1)).getFirst().error()).isEqualTo(Errors.NONE);
    assertThat(levelOfElr(group)).isEqualTo(1);
  }

  @Test
  void unknownFeaturesAndLevelsAreRefusedAndNothingIsChanged() {
    MetadataFixture group = MetadataFixture.withNodes(1);
    List<ItemResult<String>> results =
        update(
            group,
            downgrade(ELR, 0),
            upgrade("metadata.version", 20),
            upgrade(ClusterFeatures.DYNAMIC_QUORUM, 2));
    assertThat(results)
        .extracting(ItemResult::error)
        .containsExactly(Errors.NONE, Errors.INVALID_UPDATE_VERSION, Errors.INVALID_UPDATE_VERSION);
    assertThat(results.get(1).message()).contains("does not support");
    assertThat(results.get(2).message()).contains("1-1");
    assertThat(group.lastRecords()).isEmpty();
  }

  @Test
  void validationChangesNothing() {
    MetadataFixture group = MetadataFixture.withNodes(1);
    assertThat(
            group
                .submit(new UpdateFeatures(List.of(downgrade(ELR, 0)), true))
                .results()
                .getFirst()
                .error())
        .isEqualTo(Errors.NONE);
    assertThat(levelOfElr(group)).isEqualTo(1);
  }

  @Test
  void switchedOffOnlyTheLastInSyncReplicaRemainsEligible() {
    MetadataFixture group =
        MetadataFixture.withNodes(3).withNodeConfig(Map.of("min.insync.replicas", "2"));
    group.create(MetadataFixture.topic("t", Map.of(0, List.of(0, 1, 2))));
    group.fence(2);
    group.fence(1);
    assertThat(group.setOf("t", 0).elr()).containsExactly(1);
    update(group, downgrade(ELR, 0));
    assertThat(group.setOf("t", 0).elr()).isEmpty();
    group.fence(0);
    assertThat(group.setOf("t", 0).elr()).containsExactly(0);
    group.unfence(1);
    assertThat(group.setOf("t", 0).leader()).isEqualTo(ReplicaSetImage.NO_LEADER);
  }
}
