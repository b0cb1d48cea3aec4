package io.milena.metadata;

import io.milena.metadata.MetadataCommand.FenceNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which nodes the metadata leader fences: those whose process is gone for certain, at once, and
 * those that nothing was heard of for too long. Every member keeps note of what it hears, so that
 * one that becomes the leader knows what became of the last. Not safe for threads.
 *
 * <p>Time counts only while this node runs: it is moved on by {@link #tick}, by at most two
 * intervals at a time, so that a node that was paused, or could not get at its disk, blames nobody
 * for what it has not heard meanwhile.
 */
public final class NodeLiveness {

  /**
   * A command that was not decided, as leadership was being handed over, is repeated after this.
   */
  private static final long REPEAT_TICKS = 20;

  /**
   * A node to be fenced.
   *
   * @param reason for people, completing "node 2 ..."
   */
  public record Verdict(FenceNode command, String reason) {}

  private final int self;
  private final long silenceNanos;
  private final long intervalNanos;

  private final Map<Integer, Long> heardNanos = new HashMap<>();
  private final Map<Integer, Long> goneByEpoch = new HashMap<>();

  /** By node epoch, when it was last asked to fence that registration. */
  private final Map<Long, Long> askedAtTick = new HashMap<>();

  private long nowNanos;
  private long lastTickNanos;
  private long ticks;

  /**
   * @param self never fenced by itself
   * @param silenceNanos without a sign of life, in this object's time; 0 for no limit
   * @param intervalNanos between ticks
   */
  public NodeLiveness(int self, long silenceNanos, long intervalNanos) {
    this.self = self;
    this.silenceNanos = silenceNanos;
    this.intervalNanos = intervalNanos;
  }

  /**
   * Time goes on.
   *
   * @param monotonicNanos now
   */
  public void tick(long monotonicNanos) {
    if (ticks++ > 0) {
      nowNanos += Math.clamp(monotonicNanos - lastTickNanos, 0, 2 * intervalNanos);
    }
    lastTickNanos = monotonicNanos;
  }

  /** A message of a node came. */
  public void heard(int nodeId) {
    heardNanos.put(nodeId, nowNanos);
  }

  /** For how long each node was not heard of, in this object's time; without those never heard. */
  public Map<Integer, Long> silentMs() {
    Map<Integer, Long> silentMs = new HashMap<>();
    heardNanos.forEach((node, heard) -> silentMs.put(node, (nowNanos - heard) / 1_000_000));
    return silentMs;
  }

  /** The process behind a registration is gone; a later registration of the node is another's. */
  public void gone(NodeImage node) {
    goneByEpoch.put(node.id(), node.nodeEpoch());
  }

  /**
   * This member leads from now on. Whoever sends to leaders only was not heard until now; that the
   * last leader was not heard is why there is a new one.
   */
  public void lead(int lastLeader) {
    heardNanos.replaceAll((node, heard) -> node == lastLeader ? heard : Long.valueOf(nowNanos));
    askedAtTick.clear();
  }

  /** Whom the leader fences now. Names a registration again if it is still live after a while. */
  public List<Verdict> verdicts(MetadataImage image) {
    List<Verdict> verdicts = new ArrayList<>();
    Set<Long> live = new HashSet<>();
    for (NodeImage node : image.nodes().values()) {
      if (node.fenced() || node.id() == self) {
        continue;
      }
      live.add(node.nodeEpoch());
      String reason = reason(node);
      if (!reason.isEmpty() && isToBeAsked(node.nodeEpoch())) {
        verdicts.add(new Verdict(new FenceNode(node.id(), node.nodeEpoch()), reason));
      }
    }
    askedAtTick.keySet().retainAll(live);
    return verdicts;
  }

  private String reason(NodeImage node) {
    Long gone = goneByEpoch.get(node.id());
    if (gone != null && gone == node.nodeEpoch()) {
      if (node.controlledShutdown()) {
        return "has stopped";
      }
      return "is gone: its connections broke and its port refuses new ones";
    }
    long silent = nowNanos - heardNanos.computeIfAbsent(node.id(), _ -> nowNanos);
    return silenceNanos > 0 && silent > silenceNanos
        ? "was not heard of for " + silent / 1_000_000 + " ms"
        : "";
  }

  private boolean isToBeAsked(long nodeEpoch) {
    Long asked = askedAtTick.get(nodeEpoch);
    if (asked != null && ticks - asked < REPEAT_TICKS) {
      return false;
    }
    askedAtTick.put(nodeEpoch, ticks);
    return true;
  }
}
