package io.milena.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.junit.jupiter.api.Test;

class LineReaderTest {

  @Test
  void aPlainLineIsAValue() {
    assertThat(new LineReader("t", null, false, null, null, null).read("a:b"))
        .usingRecursiveComparison()
        .isEqualTo(new ProducerRecord<>("t", null, null, null, utf8("a:b")));
  }

  @Test
  void theFirstSeparatorEndsTheKey() {
    assertThat(new LineReader("t", "::", false, null, 3, null).read("k::v::w"))
        .usingRecursiveComparison()
        .isEqualTo(new ProducerRecord<>("t", 3, null, utf8("k"), utf8("v::w")));
  }

  @Test
  void theMarkerMakesTombstonesAndAnEmptyValueStaysEmpty() {
    LineReader reader = new LineReader("t", ":", false, "NULL", null, null);
    assertThat(reader.read("k:NULL").value()).isNull();
    assertThat(reader.read("NULL:v").key()).isNull();
    assertThat(reader.read("k:").value()).isEmpty();
  }

  @Test
  void headersComeBeforeATab() {
    assertThat(new LineReader("t", ":", true, null, null, null).read("a=1,b=\tk:v"))
        .usingRecursiveComparison()
        .isEqualTo(
            new ProducerRecord<>(
                "t",
                null,
                null,
                utf8("k"),
                utf8("v"),
                new RecordHeaders().add("a", utf8("1")).add("b", utf8(""))));
  }

  @Test
  void aFixedKeyServesLinesWithoutOne() {
    assertThat(new LineReader("t", null, false, null, null, "k").read("v").key())
        .isEqualTo(utf8("k"));
  }

  @Test
  void aMissingSeparatorIsNamed() {
    assertThatThrownBy(() -> new LineReader("t", ":", false, null, null, null).read("v"))
        .hasMessageContaining("':'");
    assertThatThrownBy(() -> new LineReader("t", null, true, null, null, null).read("v"))
        .hasMessageContaining("tab");
    assertThatThrownBy(() -> new LineReader("t", null, true, null, null, null).read("x\tv"))
        .hasMessageContaining("'x'");
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
