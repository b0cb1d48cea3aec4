package io.milena.metadata;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The features of a cluster (KIP-584): what its nodes can do, and what they have agreed to do. Only
 * what works is named here, under Kafka's names.
 */
public final class ClusterFeatures {

  /** Whether replicas that leave the ISR below its minimum stay eligible as leaders (KIP-966). */
  public static final String ELIGIBLE_LEADER_REPLICAS = "eligible.leader.replicas.version";

  /** Whether voters of the metadata group can be added and removed (KIP-853). */
  public static final String DYNAMIC_QUORUM = "kraft.version";

  private static final List<Feature> SUPPORTED =
      List.of(
          new Feature(ELIGIBLE_LEADER_REPLICAS, (short) 0, (short) 1, (short) 1),
          new Feature(DYNAMIC_QUORUM, (short) 1, (short) 1, (short) 1));

  private ClusterFeatures() {}

  /**
   * What this release can do.
   *
   * @param minLevel lowest level, 0 if it can be switched off
   * @param maxLevel highest level, inclusive
   * @param firstLevel level of a cluster that never changed it
   */
  public record Feature(String name, short minLevel, short maxLevel, short firstLevel) {}

  /** Every feature, by name. */
  public static List<Feature> supported() {
    return SUPPORTED;
  }

  /** The level that the cluster works at; 0 while the feature is off. */
  public static short level(MetadataImage image, Feature feature) {
    Short level = image.features().get(feature.name());
    return level == null ? feature.firstLevel() : level;
  }

  /** The feature of this name, or null. */
  static @Nullable Feature find(String name) {
    return SUPPORTED.stream().filter(each -> each.name().equals(name)).findFirst().orElse(null);
  }

  static boolean keepsEligibleReplicas(MetadataImage image) {
    Feature feature = find(ELIGIBLE_LEADER_REPLICAS);
    return feature != null && level(image, feature) > 0;
  }
}
