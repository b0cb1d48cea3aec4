package io.milena.journal;

import io.milena.journal.JournalSegment.Location;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Where the events of each persistent actor are: built by reading all segments at the start, then
 * kept. Belongs to the journal's writer thread.
 */
final class JournalIndex {
  /** What is known of one actor. */
  private static final class Stream {
    long highest;
    long deletedTo;
    @Nullable JournalSegment segmentOfDeletion;

    /** Frames that hold something that was not deleted, by last sequence number. */
    final TreeMap<Long, Location> live = new TreeMap<>();
  }

  private final Map<String, Stream> streams = new HashMap<>();

  void add(JournalFrame frame, Location location) {
    Stream stream = streams.computeIfAbsent(frame.persistenceId(), _ -> new Stream());
    switch (frame) {
      case JournalFrame.Events(_, var events) -> {
        long last = events.getLast().sequenceNumber();
        stream.highest = Math.max(stream.highest, last);
        if (last > stream.deletedTo) {
          location.segment().liveFrames++;
          Location replaced = stream.live.put(last, location);
          if (replaced != null) {
            replaced.segment().liveFrames--;
          }
        }
      }
      case JournalFrame.Deletion(_, long deletedTo, long highest) -> {
        stream.highest = Math.max(stream.highest, highest);
        stream.deletedTo = Math.max(stream.deletedTo, deletedTo);
        stream.segmentOfDeletion = location.segment();
        var dead = stream.live.headMap(stream.deletedTo, true);
        dead.values().forEach(deleted -> deleted.segment().liveFrames--);
        dead.clear();
      }
    }
  }

  long highest(String persistenceId) {
    Stream stream = streams.get(persistenceId);
    return stream == null ? 0 : stream.highest;
  }

  long deletedTo(String persistenceId) {
    Stream stream = streams.get(persistenceId);
    return stream == null ? 0 : stream.deletedTo;
  }

  /** The first frames, at most so many, that hold something from a sequence number on. */
  List<Location> locate(String persistenceId, long from, int countMax) {
    Stream stream = streams.get(persistenceId);
    return stream == null
        ? List.of()
        : stream.live.tailMap(from, true).values().stream().limit(countMax).toList();
  }

  /** The notes of deletion that only this segment holds. */
  List<JournalFrame.Deletion> deletionsIn(JournalSegment segment) {
    var deletions = new ArrayList<JournalFrame.Deletion>();
    streams.forEach((persistenceId, stream) -> {
      if (stream.segmentOfDeletion == segment) {
        deletions.add(new JournalFrame.Deletion(persistenceId, stream.deletedTo, stream.highest));
      }
    });
    return deletions;
  }
}
