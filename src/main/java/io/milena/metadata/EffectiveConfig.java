package io.milena.metadata;

import java.util.List;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.requests.DescribeConfigsResponse.ConfigSource;
import org.jspecify.annotations.Nullable;

/**
 * A configuration with the value that holds, and where it comes from, as DescribeConfigs shows it
 * (KIP-226).
 *
 * @param name configuration key
 * @param value null when unset, or when sensitive
 * @param source where the value comes from
 * @param synonyms every place that has a value, the one that holds first
 * @param readOnly true if AlterConfigs cannot change it
 * @param sensitive true for secrets, whose value is never shown
 * @param type type of the value
 * @param documentation for people
 */
public record EffectiveConfig(
    String name,
    @Nullable String value,
    ConfigSource source,
    List<Synonym> synonyms,
    boolean readOnly,
    boolean sensitive,
    ConfigDef.Type type,
    @Nullable String documentation) {

  /**
   * @param name key under which the place has it, such as {@code log.retention.hours}
   * @param value in that key's unit; null when sensitive
   * @param source the place
   */
  public record Synonym(String name, @Nullable String value, ConfigSource source) {}
}
