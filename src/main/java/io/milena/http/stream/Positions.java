package io.milena.http.stream;

import io.milena.http.HttpFailure;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import org.apache.kafka.common.TopicPartition;

/**
 * Where a reader is in each of its partitions, as text: the id of an event, which a browser sends
 * back as {@code Last-Event-ID} when it comes again.
 *
 * <pre>
 * orders:0=1523,1=877;users:0=12
 * </pre>
 *
 * Numbers are the partition and the offset to be read next in it.
 */
final class Positions {

  /** Longest text taken: some thousand partitions. */
  private static final int LENGTH_MAX = 64 * 1024;

  private Positions() {}

  /** The order in which partitions are named. */
  static final Comparator<TopicPartition> ORDER =
      Comparator.comparing(TopicPartition::topic).thenComparingInt(TopicPartition::partition);

  /** Such a text in the making; partitions are added in {@link #ORDER}. */
  static final class Text {
    private final StringBuilder text = new StringBuilder();
    private String topic = "";

    void add(TopicPartition partition, long next) {
      if (partition.topic().equals(topic)) {
        text.append(',');
      } else {
        topic = partition.topic();
        text.append(text.isEmpty() ? "" : ";").append(topic).append(':');
      }
      text.append(partition.partition()).append('=').append(next);
    }

    @Override
    public String toString() {
      return text.toString();
    }
  }

  /**
   * Reads such a text.
   *
   * @throws HttpFailure 400 for what is none
   */
  static SequencedMap<TopicPartition, Long> parse(String text) {
    SequencedMap<TopicPartition, Long> next = new LinkedHashMap<>();
    if (text.isEmpty()) {
      return next;
    }
    if (text.length() > LENGTH_MAX) {
      throw HttpFailure.badRequest("the position is longer than " + LENGTH_MAX + " characters");
    }
    try {
      for (String topic : text.split(";", -1)) {
        int colon = topic.indexOf(':');
        for (String partition : topic.substring(colon + 1).split(",", -1)) {
          int equals = partition.indexOf('=');
          long offset = Long.parseLong(partition.substring(equals + 1));
          int number = Integer.parseInt(partition.substring(0, equals));
          if (colon < 1 || offset < 0 || number < 0) {
            throw new NumberFormatException();
          }
          next.put(new TopicPartition(topic.substring(0, colon), number), offset);
        }
      }
    } catch (NumberFormatException | StringIndexOutOfBoundsException _) {
      throw HttpFailure.badRequest(
          "'" + text + "' is no position: it reads TOPIC:PARTITION=OFFSET,...;TOPIC:...");
    }
    return next;
  }
}
