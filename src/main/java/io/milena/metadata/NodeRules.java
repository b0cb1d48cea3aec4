package io.milena.metadata;

import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/** The rules of registration, fencing and producer id blocks. */
final class NodeRules {

  /** Producer ids a node gets at a time (as Kafka). */
  static final int PRODUCER_ID_BLOCK_SIZE = 1000;

  private NodeRules() {}

  static Decision<MetadataReply.NodeRegistered> register(
      MetadataImage image, MetadataCommand.RegisterNode command, DecisionContext context) {
    Draft draft = new Draft(image);
    try {
      checkRegistration(command);
      checkBelongs(image, command);
    } catch (Refusal refusal) {
      return draft.decided(new MetadataReply.NodeRegistered(refusal.error(), refusal.reason(), -1));
    }
    NodeImage known = image.nodes().get(command.nodeId());
    if (known != null && isRepeated(known, command)) {
      return draft.decided(new MetadataReply.NodeRegistered(Errors.NONE, "", known.nodeEpoch()));
    }
    if (image.clusterId().isEmpty()) {
      draft.add(new MetadataRecord.ClusterCreated(command.clusterId()));
    }
    if (known != null && !known.fenced()) {
      fence(draft, known, context);
    }
    if (known == null || command.recordsMayBeLost()) {
      loseRecords(draft, command.nodeId(), known != null, context);
    }
    OfflineRules.forget(draft, command.nodeId());
    long nodeEpoch = image.nextNodeEpoch();
    draft.add(
        new MetadataRecord.NodeRegistered(
            new NodeImage(
                command.nodeId(),
                command.incarnation(),
                nodeEpoch,
                command.endpoints(),
                command.clusterAddress(),
                command.rack(),
                command.logDirs(),
                true,
                false)));
    return draft.decided(new MetadataReply.NodeRegistered(Errors.NONE, "", nodeEpoch));
  }

  /**
   * A node comes back with less than it had: nobody may rely on its having all that is committed.
   * What is in {@code fsync} topics only was on disk.
   *
   * @param remainsKnown false if it begins with nothing, or nobody knows of it any more
   */
  private static void loseRecords(
      Draft draft, int nodeId, boolean remainsKnown, DecisionContext context) {
    List<ReplicaSetImage> sets =
        setsOf(draft.image(), nodeId).stream()
            .filter(set -> set.elr().contains(nodeId) || set.lastKnownElr().contains(nodeId))
            .toList();
    if (sets.isEmpty()) {
      return;
    }
    Set<Integer> durable =
        remainsKnown ? ReplicaSets.durableSets(draft.image(), context.nodeConfig()) : Set.of();
    for (ReplicaSetImage set : sets) {
      if (!durable.contains(set.id())) {
        change(draft, set, Leadership.withoutRecords(set, nodeId, remainsKnown));
      }
    }
  }

  /** The answer to the first attempt was lost, and the node asks again. */
  private static boolean isRepeated(NodeImage known, MetadataCommand.RegisterNode command) {
    return known.incarnation().equals(command.incarnation())
        && known.endpoints().equals(command.endpoints())
        && known.clusterAddress().equals(command.clusterAddress())
        && known.rack().equals(command.rack())
        && known.logDirs().equals(command.logDirs());
  }

  private static void checkRegistration(MetadataCommand.RegisterNode command) {
    if (command.nodeId() < 0) {
      throw new Refusal(Errors.INVALID_REGISTRATION, "Node id " + command.nodeId() + " is below 0");
    }
    if (command.endpoints().isEmpty()) {
      throw new Refusal(
          Errors.INVALID_REGISTRATION, "Node " + command.nodeId() + " names no listener");
    }
    Set<String> listeners = new HashSet<>();
    for (NodeImage.Endpoint endpoint : command.endpoints()) {
      if (!listeners.add(endpoint.listener())) {
        throw new Refusal(
            Errors.INVALID_REGISTRATION,
            "Node " + command.nodeId() + " names listener " + endpoint.listener() + " twice");
      }
    }
  }

  /** The node is of this cluster, and no other directory goes by its id. */
  private static void checkBelongs(MetadataImage image, MetadataCommand.RegisterNode command) {
    if (image.clusterId().isPresent() && !image.clusterId().get().equals(command.clusterId())) {
      throw new Refusal(
          Errors.INCONSISTENT_CLUSTER_ID,
          "Node "
              + command.nodeId()
              + " has a data directory of cluster "
              + command.clusterId()
              + ", this is cluster "
              + image.clusterId().get());
    }
    NodeImage known = image.nodes().get(command.nodeId());
    if (known != null
        && !known.logDirs().equals(command.logDirs())
        && Collections.disjoint(known.logDirs(), command.logDirs())) {
      throw new Refusal(
          Errors.DUPLICATE_BROKER_REGISTRATION,
          "Node id "
              + command.nodeId()
              + " belongs to the node at "
              + known.clusterAddress()
              + (known.fenced() ? ", which is not running" : ", which is running")
              + ", with another data directory: give this node another node.id, or unregister that"
              + " one first if it is gone for good");
    }
  }

  static Decision<MetadataReply.Done> unfence(
      MetadataImage image, MetadataCommand.UnfenceNode command, DecisionContext context) {
    Draft draft = new Draft(image);
    try {
      NodeImage node = registered(image, command.nodeId(), command.nodeEpoch());
      if (node.fenced()) {
        draft.add(new MetadataRecord.NodeChanged(node.id(), false, false));
        Map<Integer, Integer> minIsr = ReplicaSets.minIsrBySet(draft.image(), context.nodeConfig());
        IntPredicate canLead = canLead(draft.image());
        for (ReplicaSetImage set : setsOf(draft.image(), node.id())) {
          change(draft, set, Leadership.elect(set, minIsr.getOrDefault(set.id(), 1), canLead));
        }
      }
      return draft.decided(new MetadataReply.Done(Errors.NONE, ""));
    } catch (Refusal refusal) {
      return new Draft(image).decided(new MetadataReply.Done(refusal.error(), refusal.reason()));
    }
  }

  static Decision<MetadataReply.Done> fence(
      MetadataImage image, MetadataCommand.FenceNode command, DecisionContext context) {
    Draft draft = new Draft(image);
    try {
      NodeImage node = registered(image, command.nodeId(), command.nodeEpoch());
      if (!node.fenced()) {
        fence(draft, node, context);
      }
      return draft.decided(new MetadataReply.Done(Errors.NONE, ""));
    } catch (Refusal refusal) {
      return new Draft(image).decided(new MetadataReply.Done(refusal.error(), refusal.reason()));
    }
  }

  static Decision<MetadataReply.Done> beginShutdown(
      MetadataImage image, MetadataCommand.BeginShutdown command, DecisionContext context) {
    Draft draft = new Draft(image);
    try {
      NodeImage node = registered(image, command.nodeId(), command.nodeEpoch());
      if (!node.controlledShutdown()) {
        draft.add(new MetadataRecord.NodeChanged(node.id(), node.fenced(), true));
        Map<Integer, Integer> minIsr = ReplicaSets.minIsrBySet(draft.image(), context.nodeConfig());
        IntPredicate canLead = canLead(draft.image());
        for (ReplicaSetImage set : setsOf(draft.image(), node.id())) {
          if (LeaderPlacement.successor(set, node.id(), canLead).isPresent()) {
            change(
                draft,
                set,
                Leadership.withoutNode(set, node.id(), minIsr.getOrDefault(set.id(), 1), canLead));
          }
        }
      }
      return draft.decided(new MetadataReply.Done(Errors.NONE, ""));
    } catch (Refusal refusal) {
      return new Draft(image).decided(new MetadataReply.Done(refusal.error(), refusal.reason()));
    }
  }

  static Decision<MetadataReply.Done> leaveInSync(
      MetadataImage image, MetadataCommand.LeaveInSync command, DecisionContext context) {
    Draft draft = new Draft(image);
    try {
      NodeImage node = registered(image, command.nodeId(), command.nodeEpoch());
      Map<Integer, Integer> minIsr = ReplicaSets.minIsrBySet(image, context.nodeConfig());
      IntPredicate canLead = other -> other != node.id() && ReplicaSets.canLead(image, other);
      for (ReplicaSetImage set : setsOf(image, node.id())) {
        int minimum = minIsr.getOrDefault(set.id(), 1);
        if (set.isr().contains(node.id())
            && set.isr().size() > minimum
            && LeaderPlacement.successor(set, node.id(), canLead).isPresent()) {
          change(draft, set, Leadership.withoutNode(set, node.id(), minimum, canLead));
        }
      }
      return draft.decided(new MetadataReply.Done(Errors.NONE, ""));
    } catch (Refusal refusal) {
      return new Draft(image).decided(new MetadataReply.Done(refusal.error(), refusal.reason()));
    }
  }

  private static void fence(Draft draft, NodeImage node, DecisionContext context) {
    draft.add(new MetadataRecord.NodeChanged(node.id(), true, node.controlledShutdown()));
    Map<Integer, Integer> minIsr = ReplicaSets.minIsrBySet(draft.image(), context.nodeConfig());
    IntPredicate canLead = canLead(draft.image());
    for (ReplicaSetImage set : setsOf(draft.image(), node.id())) {
      ReplicaSetImage without =
          Leadership.withoutNode(set, node.id(), minIsr.getOrDefault(set.id(), 1), canLead);
      // Also where it was out of the ISR: its leader waits for it no more, so that what was
      // proposed
      // before must not bring it in, should the same life of the node be unfenced once more.
      change(draft, set, without.equals(set) ? Leadership.withNothingProposed(set) : without);
    }
  }

  /** Forgets a fenced node. A live one would be without a registration and go on running. */
  static Decision<MetadataReply.Done> unregister(
      MetadataImage image, MetadataCommand.UnregisterNode command) {
    Draft draft = new Draft(image);
    NodeImage node = image.nodes().get(command.nodeId());
    if (node == null) {
      return draft.decided(
          new MetadataReply.Done(
              Errors.BROKER_ID_NOT_REGISTERED,
              "Broker ID " + command.nodeId() + " is not currently registered"));
    }
    if (!node.fenced()) {
      return draft.decided(
          new MetadataReply.Done(
              Errors.INVALID_REQUEST,
              "Node " + node.id() + " is running: stop it before it is unregistered"));
    }
    draft.add(new MetadataRecord.NodeUnregistered(node.id()));
    return draft.decided(new MetadataReply.Done(Errors.NONE, ""));
  }

  /** What the image knows about a change of voters: that the node is the one that is meant. */
  static Decision<MetadataReply.Done> checkVoter(
      MetadataImage image, MetadataCommand.ChangeVoter command) {
    NodeImage node = image.nodes().get(command.nodeId());
    MetadataReply.Done reply;
    if (node == null) {
      reply =
          new MetadataReply.Done(
              command.votes() ? Errors.BROKER_ID_NOT_REGISTERED : Errors.VOTER_NOT_FOUND,
              "Node " + command.nodeId() + " is not registered: start it, and let it join");
    } else if (!node.logDirs().contains(command.directoryId())) {
      reply =
          new MetadataReply.Done(
              command.votes() ? Errors.INVALID_REQUEST : Errors.VOTER_NOT_FOUND,
              "Node "
                  + node.id()
                  + " has data directory "
                  + node.logDirs().getFirst()
                  + ", not "
                  + command.directoryId());
    } else {
      reply = new MetadataReply.Done(Errors.NONE, "");
    }
    return new Draft(image).decided(reply);
  }

  static Decision<MetadataReply.ProducerIdBlock> allocateProducerIds(
      MetadataImage image, MetadataCommand.AllocateProducerIds command) {
    Draft draft = new Draft(image);
    try {
      NodeImage _ = registered(image, command.nodeId(), command.nodeEpoch());
    } catch (Refusal refusal) {
      return draft.decided(new MetadataReply.ProducerIdBlock(refusal.error(), -1, 0));
    }
    long first = image.nextProducerId();
    if (first > Long.MAX_VALUE - PRODUCER_ID_BLOCK_SIZE) {
      return draft.decided(new MetadataReply.ProducerIdBlock(Errors.UNKNOWN_SERVER_ERROR, -1, 0));
    }
    draft.add(new MetadataRecord.ProducerIdsAllocated(first + PRODUCER_ID_BLOCK_SIZE));
    return draft.decided(
        new MetadataReply.ProducerIdBlock(Errors.NONE, first, PRODUCER_ID_BLOCK_SIZE));
  }

  /**
   * The registration that a command is about.
   *
   * @throws Refusal if there is none, or a newer one
   */
  static NodeImage registered(MetadataImage image, int nodeId, long nodeEpoch) {
    @Nullable NodeImage node = image.nodes().get(nodeId);
    if (node == null) {
      throw new Refusal(Errors.BROKER_ID_NOT_REGISTERED, "Node " + nodeId + " is not registered");
    }
    if (node.nodeEpoch() != nodeEpoch) {
      throw new Refusal(
          Errors.STALE_BROKER_EPOCH,
          "Node "
              + nodeId
              + " is registered with epoch "
              + node.nodeEpoch()
              + ", the command has "
              + nodeEpoch);
    }
    return node;
  }

  private static IntPredicate canLead(MetadataImage image) {
    return node -> ReplicaSets.canLead(image, node);
  }

  private static List<ReplicaSetImage> setsOf(MetadataImage image, int nodeId) {
    return image.replicaSets().values().stream()
        .filter(set -> set.replicas().contains(nodeId))
        .sorted(Comparator.comparingInt(ReplicaSetImage::id))
        .toList();
  }

  private static void change(Draft draft, ReplicaSetImage before, ReplicaSetImage after) {
    if (!after.equals(before)) {
      draft.add(new MetadataRecord.ReplicaSetChanged(after));
    }
  }
}
