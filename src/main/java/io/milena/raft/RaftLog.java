package io.milena.raft;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The log as a server has it in memory: a snapshot, some entries before its end kept for slow
 * followers, and all after it.
 *
 * <p>Invariant: {@code base.index <= snapshot.index <= applied <= commit <= last}.
 */
final class RaftLog {
  private Snapshot snapshot;

  /** The position just before the first entry in memory. */
  private LogPosition base;

  private final ArrayList<Entry> entries;

  /** By the index each came into force at; the first is the snapshot's or an older one. */
  private final TreeMap<Long, Membership> memberships = new TreeMap<>();

  private long commitIndex;
  private long appliedIndex;

  RaftLog(DurableState durable) {
    snapshot = durable.snapshot();
    base = snapshot.position();
    entries = new ArrayList<>(durable.entries());
    memberships.put(base.index(), snapshot.membership());
    entries.forEach(this::noteMembership);
    commitIndex = base.index();
    appliedIndex = base.index();
  }

  Snapshot snapshot() {
    return snapshot;
  }

  long commitIndex() {
    return commitIndex;
  }

  long appliedIndex() {
    return appliedIndex;
  }

  LogPosition last() {
    return entries.isEmpty() ? base : positionOf(entries.getLast());
  }

  long lastIndex() {
    return base.index() + entries.size();
  }

  long baseIndex() {
    return base.index();
  }

  Membership membership() {
    return memberships.lastEntry().getValue();
  }

  /**
   * Whether a node is a voter in the newest membership, or in an earlier one that may still be the
   * newest committed one.
   */
  boolean mayBeVoter(int nodeId) {
    return memberships.tailMap(memberships.floorKey(commitIndex), true).values().stream()
        .anyMatch(membership -> membership.voters().contains(nodeId));
  }

  /** Where the membership in force came into force. */
  long membershipIndex() {
    return memberships.lastKey();
  }

  /** Whether the epoch of this index is known: it is not before the base nor after the end. */
  boolean covers(long index) {
    return index >= base.index() && index <= lastIndex();
  }

  /** The epoch at a covered index. */
  int epochAt(long index) {
    return index == base.index() ? base.epoch() : entry(index).epoch();
  }

  LogPosition positionAt(long index) {
    return new LogPosition(index, epochAt(index));
  }

  boolean matches(LogPosition position) {
    return covers(position.index()) && epochAt(position.index()) == position.epoch();
  }

  /**
   * The last position at or before {@code bound} that a log with {@code bound}'s epoch there could
   * share: skips all of a wrong epoch at once (Raft, end of section 5.3).
   */
  LogPosition lastPossibleMatch(LogPosition bound) {
    long index = Math.min(bound.index(), lastIndex());
    while (index > base.index() && epochAt(index) > bound.epoch()) {
      index--;
    }
    return index < base.index() ? new LogPosition(index, 0) : positionAt(index);
  }

  /** Entries from an index on, up to a size, at least one where there is one. */
  List<Entry> slice(long from, int maxBytes) {
    int start = offset(from);
    int end = start;
    long bytes = 0;
    while (end < entries.size()) {
      bytes += entries.get(end).payload().sizeBytes();
      if (bytes > maxBytes && end > start) {
        break;
      }
      end++;
    }
    return List.copyOf(entries.subList(start, end));
  }

  Entry entry(long index) {
    return entries.get(offset(index));
  }

  void append(Entry entry) {
    if (entry.index() != lastIndex() + 1 || entry.epoch() < last().epoch()) {
      throw new IllegalStateException(entry + " cannot follow " + last());
    }
    entries.add(entry);
    noteMembership(entry);
  }

  /** Drops entries from an index on, inclusive. A committed one must never be dropped. */
  void truncateFrom(long index) {
    if (index <= commitIndex) {
      throw new IllegalStateException(
          "Entry " + index + " is committed (" + commitIndex + ") and cannot be replaced");
    }
    entries.subList(offset(index), entries.size()).clear();
    memberships.tailMap(index, true).clear();
  }

  /** The commit index never goes back. */
  void commitTo(long index) {
    if (index > lastIndex()) {
      throw new IllegalStateException("Cannot commit " + index + ": the log ends at " + last());
    }
    commitIndex = Math.max(commitIndex, index);
  }

  /** What is committed and was not handed out; the caller hands it out. */
  List<Entry> takeCommitted() {
    if (appliedIndex == commitIndex) {
      return List.of();
    }
    var taken = List.copyOf(entries.subList(offset(appliedIndex + 1), offset(commitIndex + 1)));
    appliedIndex = commitIndex;
    return taken;
  }

  /** Replaces the whole log by another server's snapshot. */
  void install(Snapshot newSnapshot) {
    snapshot = newSnapshot;
    base = newSnapshot.position();
    entries.clear();
    memberships.clear();
    memberships.put(base.index(), newSnapshot.membership());
    commitIndex = base.index();
    appliedIndex = base.index();
  }

  /** Takes note of this server's own snapshot and drops all but some entries before it. */
  Snapshot compact(long index, byte[] data, int retainedEntries) {
    snapshot = new Snapshot(positionAt(index), memberships.floorEntry(index).getValue(), data);
    long newBase = index - retainedEntries;
    if (newBase > base.index()) {
      var position = positionAt(newBase);
      Map.Entry<Long, Membership> inForce = memberships.floorEntry(newBase);
      entries.subList(0, offset(newBase + 1)).clear();
      base = position;
      memberships.headMap(inForce.getKey(), false).clear();
    }
    return snapshot;
  }

  void checkInvariants() {
    check(base.index() <= snapshot.position().index(), "base is after the snapshot");
    check(snapshot.position().index() <= appliedIndex, "snapshot is not applied");
    check(appliedIndex <= commitIndex, "applied is not committed");
    check(commitIndex <= lastIndex(), "committed is not in the log");
    LogPosition previous = base;
    for (Entry entry : entries) {
      check(entry.index() == previous.index() + 1, "gap");
      check(entry.epoch() >= previous.epoch(), "epochs go back");
      previous = positionOf(entry);
    }
  }

  private void check(boolean condition, String what) {
    if (!condition) {
      throw new IllegalStateException(
          "Log from " + base + " to " + last() + ", commit " + commitIndex + ": " + what);
    }
  }

  private void noteMembership(Entry entry) {
    if (entry.payload() instanceof EntryPayload.MembershipChanged(Membership membership)) {
      memberships.put(entry.index(), membership);
    }
  }

  private int offset(long index) {
    return Math.toIntExact(index - base.index() - 1);
  }

  private static LogPosition positionOf(Entry entry) {
    return new LogPosition(entry.index(), entry.epoch());
  }
}
