package io.milena.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SegmentIndexTest {

  @TempDir Path directory;

  @Test
  void findsWhatANaiveSearchFinds() throws Exception {
    for (int seed = 0; seed < 200; seed++) {
      Random random = new Random(seed);
      int entries = random.nextInt(70);
      SegmentIndex offsets = SegmentIndex.empty(SegmentIndex.Kind.OFFSET);
      SegmentIndex times = SegmentIndex.empty(SegmentIndex.Kind.TIME);
      int[] offset = new int[entries];
      long[] time = new long[entries];
      int last = 0;
      for (int i = 0; i < entries; i++) {
        last += 1 + random.nextInt(5);
        offset[i] = last;
        time[i] = 10L * last + random.nextInt(3);
        offsets = offsets.withOffset(last, i * 100);
        times = times.withTimestamp(time[i], last);
      }
      Path file = directory.resolve("index");
      offsets.writeTo(file, false);
      SegmentIndex mapped = SegmentIndex.map(SegmentIndex.Kind.OFFSET, file);
      assertThat(mapped.count()).isEqualTo(entries);
      assertThat(mapped.fault()).isNull();
      for (int probe = -1; probe < last + 3; probe++) {
        int floor = -1;
        int below = -1;
        for (int i = 0; i < entries; i++) {
          floor = offset[i] <= probe ? i : floor;
          below = time[i] < probe * 10L ? i : below;
        }
        assertThat(offsets.floorByOffset(probe)).as("seed %d", seed).isEqualTo(floor);
        assertThat(mapped.floorByOffset(probe)).as("seed %d", seed).isEqualTo(floor);
        assertThat(times.lastBelowTimestamp(probe * 10L)).as("seed %d", seed).isEqualTo(below);
      }
    }
  }

  @Test
  void laterEntriesAreInvisibleToEarlierHolders() {
    SegmentIndex one = SegmentIndex.empty(SegmentIndex.Kind.OFFSET).withOffset(5, 100);
    SegmentIndex two = one.withOffset(9, 200);
    assertThat(one.floorByOffset(100)).isZero();
    assertThat(two.floorByOffset(100)).isEqualTo(1);
    SegmentIndex other = two.truncated(1).withOffset(7, 150);
    assertThat(two.relativeOffset(1)).isEqualTo(9);
    assertThat(other.relativeOffset(1)).isEqualTo(7);
  }
}
