package io.milena.metadata;

import io.milena.metadata.MetadataCommand.MorePartitions;
import io.milena.metadata.MetadataCommand.NewTopic;
import io.milena.metadata.MetadataCommand.TopicReference;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/** The rules of topics and their partitions, with Kafka's error codes and messages. */
final class TopicRules {

  /**
   * Partitions one command may make (as Kafka): the records of a command are one entry of the log,
   * so this bounds the entry to some tens of kilobytes.
   */
  static final int NEW_PARTITIONS_MAX = 10_000;

  private TopicRules() {}

  static Decision<MetadataReply.TopicsCreated> create(
      MetadataImage image, MetadataCommand.CreateTopics command, DecisionContext context) {
    Creation creation = new Creation(new Draft(image), context);
    Set<String> twice = repeated(command.topics(), NewTopic::name);
    List<MetadataReply.TopicCreated> results = new ArrayList<>();
    for (NewTopic topic : command.topics()) {
      try {
        if (twice.contains(topic.name())) {
          throw duplicateName();
        }
        MetadataReply.TopicCreated created = creation.create(topic);
        results.add(command.validateOnly() ? withoutId(created) : created);
      } catch (Refusal refusal) {
        results.add(
            new MetadataReply.TopicCreated(
                topic.name(), refusal.error(), refusal.reason(), Optional.empty(), -1, -1));
      }
    }
    ReplicaSets.reviewEligibility(creation.draft, context.nodeConfig());
    Draft outcome = command.validateOnly() ? new Draft(image) : creation.draft;
    return outcome.decided(new MetadataReply.TopicsCreated(results));
  }

  static Decision<MetadataReply.ItemResults<String>> createPartitions(
      MetadataImage image, MetadataCommand.CreatePartitions command, DecisionContext context) {
    Creation creation = new Creation(new Draft(image), context);
    Set<String> twice = repeated(command.topics(), MorePartitions::topic);
    List<MetadataReply.ItemResult<String>> results = new ArrayList<>();
    for (MorePartitions more : command.topics()) {
      try {
        if (twice.contains(more.topic())) {
          throw duplicateName();
        }
        creation.addPartitions(more);
        results.add(new MetadataReply.ItemResult<>(more.topic(), Errors.NONE, ""));
      } catch (Refusal refusal) {
        results.add(
            new MetadataReply.ItemResult<>(more.topic(), refusal.error(), refusal.reason()));
      }
    }
    ReplicaSets.reviewEligibility(creation.draft, context.nodeConfig());
    Draft outcome = command.validateOnly() ? new Draft(image) : creation.draft;
    return outcome.decided(new MetadataReply.ItemResults<>(results));
  }

  static Decision<MetadataReply.TopicsDeleted> delete(
      MetadataImage image, MetadataCommand.DeleteTopics command, DecisionContext context) {
    Draft draft = new Draft(image);
    boolean enabled =
        Boolean.parseBoolean(
            EffectiveConfigs.effectiveNodeConfig(image, context.nodeConfig())
                .get("delete.topic.enable"));
    Set<TopicReference> twice = repeated(command.topics(), Function.identity());
    List<MetadataReply.TopicDeleted> results = new ArrayList<>();
    for (TopicReference reference : command.topics()) {
      try {
        if (!enabled) {
          throw new Refusal(Errors.TOPIC_DELETION_DISABLED, "delete.topic.enable is false.");
        }
        if (twice.contains(reference)) {
          throw new Refusal(
              Errors.INVALID_REQUEST,
              reference.id().isPresent() ? "Duplicate topic id." : "Duplicate topic name.");
        }
        TopicImage topic = find(image, reference);
        if (draft.image().topic(topic.id()) == null) {
          throw new Refusal(
              Errors.INVALID_REQUEST,
              "The topic "
                  + topic.name()
                  + " ("
                  + topic.id()
                  + ") was already named in the request.");
        }
        draft.add(new MetadataRecord.TopicDeleted(topic.id()));
        results.add(
            new MetadataReply.TopicDeleted(
                Optional.of(topic.name()), Optional.of(topic.id()), Errors.NONE, ""));
      } catch (Refusal refusal) {
        results.add(
            new MetadataReply.TopicDeleted(
                reference.name(), reference.id(), refusal.error(), refusal.reason()));
      }
    }
    if (results.stream().anyMatch(result -> result.error() == Errors.NONE)) {
      ReplicaSets.removeEmpty(draft);
    }
    return draft.decided(new MetadataReply.TopicsDeleted(results));
  }

  private static TopicImage find(MetadataImage image, TopicReference reference) {
    if (reference.name().isPresent() == reference.id().isPresent()) {
      throw new Refusal(
          Errors.INVALID_REQUEST,
          reference.name().isPresent()
              ? "You may not specify both topic name and topic id."
              : "Neither topic name nor id were specified.");
    }
    if (reference.id().isPresent()) {
      Uuid id = reference.id().get();
      TopicImage topic = image.topic(id);
      if (topic == null) {
        throw new Refusal(Errors.UNKNOWN_TOPIC_ID, "No topic has the id " + id + ".");
      }
      return topic;
    }
    return existing(image, reference.name().orElseThrow());
  }

  private static TopicImage existing(MetadataImage image, String name) {
    TopicImage topic = image.topic(name);
    if (topic == null) {
      throw new Refusal(
          Errors.UNKNOWN_TOPIC_OR_PARTITION, "The topic '" + name + "' does not exist.");
    }
    return topic;
  }

  private static Refusal duplicateName() {
    return new Refusal(Errors.INVALID_REQUEST, "Duplicate topic name.");
  }

  private static <T, K> Set<K> repeated(List<T> items, Function<T, K> key) {
    Set<K> seen = new HashSet<>();
    Set<K> repeated = new HashSet<>();
    for (T item : items) {
      K each = key.apply(item);
      if (!seen.add(each)) {
        repeated.add(each);
      }
    }
    return repeated;
  }

  private static MetadataReply.TopicCreated withoutId(MetadataReply.TopicCreated created) {
    return new MetadataReply.TopicCreated(
        created.name(),
        created.error(),
        created.message(),
        Optional.empty(),
        created.partitionCount(),
        created.replicationFactor());
  }

  /** The creations of one command: they count together against the bound. */
  private static final class Creation {
    private final Draft draft;
    private final DecisionContext context;
    private final Placement placement;
    private final Map<String, String> nodeConfig;
    private @Nullable Map<String, String> namesByUnified;
    private final Set<Integer> grown = new HashSet<>();
    private int newPartitions;

    Creation(Draft draft, DecisionContext context) {
      this.draft = draft;
      this.context = context;
      this.placement = new Placement(draft.image().nodes().values());
      this.nodeConfig = EffectiveConfigs.effectiveNodeConfig(draft.image(), context.nodeConfig());
    }

    MetadataReply.TopicCreated create(NewTopic topic) {
      checkName(topic.name());
      try {
        ConfigDefinitions.validateTopic(topic.configs());
      } catch (ConfigException e) {
        throw new Refusal(Errors.INVALID_CONFIG, String.valueOf(e.getMessage()));
      }
      List<List<Integer>> lists = topic.assignments().isEmpty() ? automatic(topic) : byHand(topic);
      admit(lists.size());
      List<Integer> sets = setsOf(lists);
      Uuid id = newId();
      boolean internal = topic.internal() || Topic.isInternal(topic.name());
      draft.add(new MetadataRecord.TopicCreated(topic.name(), id, internal, sets));
      if (namesByUnified != null) {
        namesByUnified.put(Topic.unifyCollisionChars(topic.name()), topic.name());
      }
      if (!topic.configs().isEmpty()) {
        Map<String, Optional<String>> overrides = new HashMap<>();
        topic.configs().forEach((name, value) -> overrides.put(name, Optional.of(value)));
        draft.add(
            new MetadataRecord.ConfigsChanged(
                MetadataReplay.topicResource(topic.name()), overrides));
      }
      return new MetadataReply.TopicCreated(
          topic.name(), Errors.NONE, "", Optional.of(id), lists.size(), lists.getFirst().size());
    }

    void addPartitions(MorePartitions more) {
      TopicImage topic = existing(draft.image(), more.topic());
      int count = topic.partitions().size();
      if (more.totalCount() == count) {
        throw new Refusal(
            Errors.INVALID_PARTITIONS, "Topic already has " + count + " partition(s).");
      }
      if (more.totalCount() < count) {
        throw new Refusal(
            Errors.INVALID_PARTITIONS,
            "The topic "
                + more.topic()
                + " currently has "
                + count
                + " partition(s); "
                + more.totalCount()
                + " would not be an increase.");
      }
      int added = more.totalCount() - count;
      ReplicaSetImage first = draft.image().replicaSetOf(topic.partitions().getFirst());
      ReplicaSetImage last = draft.image().replicaSetOf(topic.partitions().getLast());
      int replicationFactor = first.replicas().size();
      List<List<Integer>> lists;
      if (more.assignments().isEmpty()) {
        admit(added);
        lists = place(placement.after(last.replicas().getFirst()), added, replicationFactor);
      } else {
        lists = more.assignments();
        if (lists.size() != added) {
          throw new Refusal(
              Errors.INVALID_REPLICA_ASSIGNMENT,
              "Attempted to add "
                  + added
                  + " additional partition(s), but only "
                  + lists.size()
                  + " assignment(s) were specified.");
        }
        admit(added);
        Assignments.check(draft.image(), lists, count, replicationFactor);
      }
      draft.add(new MetadataRecord.PartitionsAdded(topic.id(), setsOf(lists)));
    }

    private void checkName(String name) {
      try {
        Topic.validate(name);
      } catch (InvalidTopicException e) {
        throw new Refusal(Errors.INVALID_TOPIC_EXCEPTION, String.valueOf(e.getMessage()));
      }
      if (name.equals(Topic.CLUSTER_METADATA_TOPIC_NAME)) {
        throw new Refusal(
            Errors.INVALID_TOPIC_EXCEPTION,
            "The name " + name + " is reserved: the metadata group keeps its log under it.");
      }
      if (draft.image().topic(name) != null) {
        throw new Refusal(Errors.TOPIC_ALREADY_EXISTS, "Topic '" + name + "' already exists.");
      }
      if (Topic.hasCollisionChars(name)) {
        String other = collision(name);
        if (other != null) {
          throw new Refusal(
              Errors.INVALID_TOPIC_EXCEPTION,
              "Topic '" + name + "' collides with existing topic: " + other);
        }
      }
    }

    private @Nullable String collision(String name) {
      if (namesByUnified == null) {
        namesByUnified = new HashMap<>();
        for (String existing : draft.image().topicsByName().keySet()) {
          namesByUnified.put(Topic.unifyCollisionChars(existing), existing);
        }
      }
      return namesByUnified.get(Topic.unifyCollisionChars(name));
    }

    private List<List<Integer>> byHand(NewTopic topic) {
      if (topic.partitionCount() != -1) {
        throw new Refusal(
            Errors.INVALID_REQUEST,
            "A manual partition assignment was specified, but numPartitions was not set to -1.");
      }
      if (topic.replicationFactor() != -1) {
        throw new Refusal(
            Errors.INVALID_REQUEST,
            "A manual partition assignment was specified, but replication factor was not set to"
                + " -1.");
      }
      return Assignments.ofNewTopic(draft.image(), topic.assignments());
    }

    private List<List<Integer>> automatic(NewTopic topic) {
      if (topic.replicationFactor() == 0 || topic.replicationFactor() < -1) {
        throw new Refusal(
            Errors.INVALID_REPLICATION_FACTOR,
            "Replication factor must be larger than 0, or -1 to use the default value, but it is "
                + topic.replicationFactor()
                + ".");
      }
      if (topic.partitionCount() == 0 || topic.partitionCount() < -1) {
        throw new Refusal(
            Errors.INVALID_PARTITIONS,
            "Number of partitions must be larger than 0, or -1 to use the default value, but it is "
                + topic.partitionCount()
                + ".");
      }
      int partitions =
          topic.partitionCount() == -1 ? nodeNumber("num.partitions") : topic.partitionCount();
      int replicationFactor =
          topic.replicationFactor() == -1
              ? nodeNumber("default.replication.factor")
              : topic.replicationFactor();
      // Checked before lists are made, so that a huge count costs nothing.
      if (partitions > NEW_PARTITIONS_MAX) {
        throw tooMany();
      }
      return place(draft.image().topicsById().size(), partitions, replicationFactor);
    }

    private List<List<Integer>> place(int start, int partitions, int replicationFactor) {
      if (replicationFactor > placement.nodeCount()) {
        throw new Refusal(
            Errors.INVALID_REPLICATION_FACTOR,
            "Unable to replicate the partition "
                + replicationFactor
                + " time(s): The target replication factor of "
                + replicationFactor
                + " cannot be reached because only "
                + placement.nodeCount()
                + " broker(s) are registered.");
      }
      if (placement.liveCount() == 0) {
        throw new Refusal(
            Errors.INVALID_REPLICATION_FACTOR,
            "Unable to replicate the partition "
                + replicationFactor
                + " time(s): All brokers are currently fenced.");
      }
      List<List<Integer>> lists = new ArrayList<>(partitions);
      for (int i = 0; i < partitions; i++) {
        lists.add(placement.replicas(start + i, replicationFactor));
      }
      return lists;
    }

    private int nodeNumber(String name) {
      String value = nodeConfig.get(name);
      if (value == null) {
        throw new IllegalStateException("node config " + name + " has no default");
      }
      return Integer.parseInt(value.trim());
    }

    private void admit(int partitions) {
      if (newPartitions + partitions > NEW_PARTITIONS_MAX) {
        throw tooMany();
      }
      newPartitions += partitions;
    }

    private static Refusal tooMany() {
      return new Refusal(
          Errors.POLICY_VIOLATION,
          "Excessively large number of partitions per request: at most "
              + NEW_PARTITIONS_MAX
              + " can be made at once.");
    }

    private List<Integer> setsOf(List<List<Integer>> lists) {
      List<Integer> sets = new ArrayList<>(lists.size());
      for (List<Integer> replicas : lists) {
        ReplicaSetImage present = draft.replicaSets().find(replicas);
        if (present != null && grown.add(present.id())) {
          // Whom the leader found in sync without these partitions may lack their records.
          ReplicaSetImage next = Leadership.withMorePartitions(present);
          if (!next.equals(present)) {
            draft.add(new MetadataRecord.ReplicaSetChanged(next));
          }
        }
        sets.add(draft.replicaSets().idOf(replicas));
      }
      return sets;
    }

    private Uuid newId() {
      Uuid id;
      do {
        id = context.topicIds().get();
      } while (draft.image().topic(id) != null || Uuid.RESERVED.contains(id));
      return id;
    }
  }
}
