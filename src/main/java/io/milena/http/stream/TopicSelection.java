package io.milena.http.stream;

import io.milena.http.HttpFailure;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.TopicImage;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.apache.kafka.common.protocol.Errors;

/**
 * The topics of a stream: some by name, others by patterns in which {@code *} stands for any
 * characters. Patterns match topics that are created later, and never internal ones.
 */
record TopicSelection(Set<String> names, List<Pattern> patterns) {

  /**
   * @param lists each with names and patterns between commas
   */
  static TopicSelection parse(List<String> lists) {
    Set<String> names = new TreeSet<>();
    List<Pattern> patterns = new ArrayList<>();
    for (String list : lists) {
      for (String each : list.split(",", -1)) {
        String name = each.trim();
        if (name.contains("*")) {
          patterns.add(
              Pattern.compile("\\Q" + name.replace("\\E", "").replace("*", "\\E.*\\Q") + "\\E"));
        } else if (!name.isEmpty()) {
          names.add(name);
        }
      }
    }
    if (names.isEmpty() && patterns.isEmpty()) {
      throw HttpFailure.badRequest(
          "say which topics: ?topics=orders,users or ?topics=orders.* for all that match");
    }
    return new TopicSelection(names, patterns);
  }

  /** Every topic named must be there; patterns may match nothing yet. */
  void check(MetadataImage image) {
    for (String name : names) {
      if (image.topic(name) == null) {
        throw HttpFailure.of(Errors.UNKNOWN_TOPIC_OR_PARTITION, "there is no topic " + name);
      }
    }
  }

  private boolean matches(TopicImage topic) {
    return names.contains(topic.name())
        || (!topic.internal()
            && patterns.stream().anyMatch(pattern -> pattern.matcher(topic.name()).matches()));
  }

  /** Those that there are. */
  List<TopicImage> in(MetadataImage image) {
    return isOpen()
        ? image.topicsByName().values().stream().filter(this::matches).toList()
        : names.stream().map(image::topic).filter(Objects::nonNull).toList();
  }

  /** Whether topics that do not exist yet may come to belong to it. */
  boolean isOpen() {
    return !patterns.isEmpty();
  }
}
