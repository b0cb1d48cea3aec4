package io.milena.cluster;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.deser.std.FromStringDeserializer;
import com.fasterxml.jackson.databind.jsontype.NamedType;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.ToStringSerializer;
import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataReply;
import io.milena.metadata.actor.MetadataGroup;
import java.util.List;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;

/**
 * How Jackson writes what crosses nodes and is not annotated itself: the metadata group's commands
 * and replies, each with its simple class name as its kind, and Kafka's classes in them. A new
 * command or reply needs nothing here, unless an {@code ItemResult} has a new kind of key. Akka
 * loads it ({@code akka.serialization.jackson.jackson-modules} in reference.conf).
 */
public final class ClusterMessageModule extends SimpleModule {

  private static final long serialVersionUID = 1;

  /** Akka's constructor. */
  public ClusterMessageModule() {
    super("milena-cluster-messages");
    for (Class<?> root :
        List.of(MetadataCommand.class, MetadataReply.class, MetadataGroup.Outcome.class)) {
      setMixInAnnotation(root, Kinds.class);
      for (Class<?> kind : root.getPermittedSubclasses()) {
        registerSubtypes(new NamedType(kind, kind.getSimpleName()));
      }
    }
    setMixInAnnotation(MetadataReply.ItemResult.class, ItemResultFormat.class);
    setMixInAnnotation(ConfigResource.class, ConfigResourceFormat.class);
    setMixInAnnotation(TopicPartition.class, TopicPartitionFormat.class);
    addSerializer(Uuid.class, ToStringSerializer.instance);
    addDeserializer(Uuid.class, new UuidFormat());
  }

  @JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "kind")
  private interface Kinds {}

  private interface ItemResultFormat {
    @JsonProperty("key")
    @JsonTypeInfo(use = JsonTypeInfo.Id.NAME, include = JsonTypeInfo.As.WRAPPER_ARRAY)
    @JsonSubTypes({
      @JsonSubTypes.Type(value = ConfigResource.class, name = "config"),
      @JsonSubTypes.Type(value = TopicPartition.class, name = "partition"),
      @JsonSubTypes.Type(value = Uuid.class, name = "id"),
      @JsonSubTypes.Type(value = String.class, name = "name")
    })
    Object key();
  }

  @SuppressWarnings({"UnusedVariable", "UnusedMethod"}) // what Jackson reads is their declaration
  private abstract static class ConfigResourceFormat {
    @JsonCreator
    ConfigResourceFormat(
        @JsonProperty("type") ConfigResource.Type type, @JsonProperty("name") String name) {}

    @JsonProperty("type")
    abstract ConfigResource.Type type();

    @JsonProperty("name")
    abstract String name();

    @JsonIgnore
    abstract boolean isDefault();
  }

  @SuppressWarnings("UnusedVariable") // what Jackson reads is its declaration
  private abstract static class TopicPartitionFormat {
    @JsonCreator
    TopicPartitionFormat(
        @JsonProperty("topic") String topic, @JsonProperty("partition") int partition) {}

    @JsonProperty("topic")
    abstract String topic();

    @JsonProperty("partition")
    abstract int partition();
  }

  private static final class UuidFormat extends FromStringDeserializer<Uuid> {
    private static final long serialVersionUID = 1;

    UuidFormat() {
      super(Uuid.class);
    }

    @Override
    protected Uuid _deserialize(String value, DeserializationContext context) {
      return Uuid.fromString(value);
    }
  }
}
