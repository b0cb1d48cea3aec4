package io.milena.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class KeyOffsetMapTest {

  private static ByteBuffer key(int number) {
    return ByteBuffer.allocate(Integer.BYTES).putInt(0, number);
  }

  @Test
  void agreesWithAHashMapWhileItGrows() {
    Random random = new Random(5);
    KeyOffsetMap map = new KeyOffsetMap(1 << 20);
    Map<Integer, Long> model = new HashMap<>();
    for (long offset = 0; offset < 50_000; offset++) {
      int number = random.nextInt(20_000);
      assertThat(map.put(key(number), offset)).isTrue();
      model.put(number, offset);
    }
    assertThat(map.size()).isEqualTo(model.size());
    for (int number = 0; number < 20_500; number++) {
      assertThat(map.get(key(number))).isEqualTo(model.getOrDefault(number, -1L));
    }
  }

  @Test
  void fullMapTakesNoNewKeyButNewerOffsets() {
    KeyOffsetMap map = new KeyOffsetMap(10 * 24);
    int accepted = 0;
    while (map.put(key(accepted), accepted)) {
      accepted++;
    }
    assertThat(accepted).isEqualTo(9);
    assertThat(map.get(key(accepted))).isEqualTo(-1);
    assertThat(map.put(key(3), 77)).isTrue();
    assertThat(map.get(key(3))).isEqualTo(77);
    assertThat(map.get(ByteBuffer.allocate(0))).isEqualTo(-1);
  }
}
