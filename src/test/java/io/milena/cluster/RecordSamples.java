package io.milena.cluster;

import java.lang.reflect.Constructor;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;

/**
 * Makes an instance of every record below a sealed interface, with something in each component: so
 * that a test covers those that are added later. What it does not know it refuses.
 */
final class RecordSamples {

  /** Of classes that are no records. */
  private final Map<Class<?>, Object> given;

  private int next = 1;

  /**
   * @param given instances of classes that this class cannot make
   */
  RecordSamples(Map<Class<?>, Object> given) {
    this.given = given;
  }

  /** One or more of every record that a sealed interface permits, however deep. */
  List<Object> all(Class<?> root) {
    List<Object> samples = new ArrayList<>();
    for (Class<?> permitted : root.getPermittedSubclasses()) {
      if (permitted.isSealed()) {
        samples.addAll(all(permitted));
      } else if (permitted.getTypeParameters().length > 0) {
        for (Object key : keys()) {
          samples.add(record(permitted, key));
        }
      } else if (permitted.isRecord()) {
        samples.add(record(permitted, "key"));
      }
    }
    return samples;
  }

  /** One of a record. */
  Object of(Class<?> type) {
    return record(type, "key");
  }

  private static List<Object> keys() {
    return List.of(
        "key",
        new ConfigResource(ConfigResource.Type.BROKER, "3"),
        new TopicPartition("t", 5),
        new Uuid(7, 8));
  }

  private Object record(Class<?> type, Object key) {
    RecordComponent[] components = type.getRecordComponents();
    Object[] values =
        Arrays.stream(components)
            .map(component -> value(component.getGenericType(), key))
            .toArray();
    try {
      Class<?>[] types =
          Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
      Constructor<?> constructor = type.getDeclaredConstructor(types);
      constructor.setAccessible(true);
      return constructor.newInstance(values);
    } catch (ReflectiveOperationException failure) {
      throw new AssertionError("cannot make a " + type, failure);
    }
  }

  private Object value(Type type, Object key) {
    return switch (type) {
      case TypeVariable<?> _, WildcardType _ -> key;
      case ParameterizedType generic -> generic((Class<?>) generic.getRawType(), generic, key);
      case Class<?> plain -> plain(plain, key);
      default -> throw new AssertionError("no sample of " + type);
    };
  }

  private Object generic(Class<?> raw, ParameterizedType type, Object key) {
    Type[] arguments = type.getActualTypeArguments();
    if (given.containsKey(raw)) {
      return given.get(raw);
    }
    if (raw == List.class) {
      return List.of(value(arguments[0], key), value(arguments[0], key));
    }
    if (raw == Set.class) {
      return Set.of(value(arguments[0], key));
    }
    if (raw == Optional.class) {
      return Optional.of(value(arguments[0], key));
    }
    if (raw == Map.class) {
      Map<Object, Object> map = new LinkedHashMap<>();
      map.put(value(arguments[0], key), value(arguments[1], key));
      return map;
    }
    return plain(raw, key);
  }

  private Object plain(Class<?> type, Object key) {
    if (given.containsKey(type)) {
      return given.get(type);
    }
    if (type == int.class || type == Integer.class) {
      return next++;
    }
    if (type == long.class || type == Long.class) {
      return (1L << 40) + next++;
    }
    if (type == boolean.class || type == Boolean.class) {
      return next++ % 2 == 0;
    }
    if (type == short.class) {
      return (short) next++;
    }
    if (type == String.class) {
      return "text-" + next++;
    }
    if (type == byte[].class) {
      return new byte[] {(byte) next++, -1};
    }
    if (type == Uuid.class) {
      return new Uuid(next++, -next);
    }
    if (type == ConfigResource.class) {
      return new ConfigResource(ConfigResource.Type.TOPIC, "t" + next++);
    }
    if (type == TopicPartition.class) {
      return new TopicPartition("t" + next++, next);
    }
    if (type.isEnum()) {
      return type.getEnumConstants()[type.getEnumConstants().length - 1];
    }
    if (type.isSealed()) {
      return all(type).getFirst();
    }
    if (type.isRecord()) {
      return record(type, key);
    }
    throw new AssertionError("no sample of " + type + ": add it to RecordSamples");
  }
}
