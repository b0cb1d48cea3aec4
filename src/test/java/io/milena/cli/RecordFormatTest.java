package io.milena.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;

class RecordFormatTest {

  private static final byte[] NOT_TEXT = {(byte) 0xff, 0, (byte) 0xfe};

  @Test
  void templateHasEveryField() throws IOException {
    RecordFormat format = RecordFormat.template("%t/%p/%o %T %I %k(%K)=%s(%S) %h %%\\t|\\n", "-");
    assertThat(text(format, record(utf8("key"), utf8("value"))))
        .isEqualTo("orders/2/7 1500 1970-01-01T00:00:01.500Z key(3)=value(5) a=1,b=- %\t|\n");
  }

  @Test
  void nullIsToldByTheMarker() throws IOException {
    assertThat(text(RecordFormat.template("%k=%s %S", "NULL"), record(null, null)))
        .isEqualTo("NULL=NULL -1");
  }

  @Test
  void bytesThatAreNoTextAreWrittenAsTheyAre() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    RecordFormat.template("%s", "").write(record(null, NOT_TEXT), out);
    assertThat(out.toByteArray()).isEqualTo(NOT_TEXT);
  }

  @Test
  void unknownLettersAreRefused() {
    assertThatThrownBy(() -> RecordFormat.template("%x", "")).hasMessageContaining("%x");
    assertThatThrownBy(() -> RecordFormat.template("\\q", "")).hasMessageContaining("\\q");
    assertThatThrownBy(() -> RecordFormat.template("50%", "")).hasMessageContaining("ends");
  }

  @Test
  void separatorsTakeEscapes() {
    assertThat(RecordFormat.unescape("a\\tb\\\\")).isEqualTo("a\tb\\");
    assertThat(RecordFormat.unescape("\\")).isEqualTo("\\");
  }

  @Test
  void jsonOfConsumeIsReadByProduceByteForByte() throws IOException {
    for (byte[] value : new byte[][] {utf8("väl\n\"ue"), NOT_TEXT, new byte[0], null}) {
      ConsumerRecord<byte[], byte[]> consumed = record(utf8("key"), value);
      ProducerRecord<byte[], byte[]> produced =
          RecordJson.read(text(RecordFormat.json(), consumed), "copy", null);
      assertThat(produced.topic()).isEqualTo("copy");
      assertThat(produced.key()).isEqualTo(consumed.key());
      assertThat(produced.value()).isEqualTo(value);
      assertThat(produced.partition()).isEqualTo(2);
      assertThat(produced.timestamp()).isEqualTo(1_500);
      assertThat(produced.headers().toArray()).isEqualTo(consumed.headers().toArray());
    }
  }

  @Test
  void jsonValuesThatAreNoTextAreSentAsJson() {
    assertThat(RecordJson.read("{\"value\":{\"a\":[1, 2]}}", "t", 4))
        .usingRecursiveComparison()
        .isEqualTo(new ProducerRecord<>("t", 4, null, null, utf8("{\"a\":[1,2]}")));
    assertThat(RecordJson.read("{\"value\":\"v\",\"headers\":{\"h\":\"x\"}}", "t", null).headers())
        .isEqualTo(new RecordHeaders().add("h", utf8("x")));
  }

  @Test
  void jsonThatIsNoRecordIsRefusedWithTheReason() {
    assertThatThrownBy(() -> RecordJson.read("{", "t", null)).hasMessageContaining("not JSON");
    assertThatThrownBy(() -> RecordJson.read("7", "t", null)).hasMessageContaining("object");
    assertThatThrownBy(() -> RecordJson.read("{\"key\":\"k\"}", "t", null))
        .hasMessageContaining("tombstone");
    assertThatThrownBy(() -> RecordJson.read("{\"value\":1,\"partition\":\"x\"}", "t", null))
        .hasMessageContaining("partition");
    assertThatThrownBy(() -> RecordJson.read("{\"valueBase64\":\"*\"}", "t", null))
        .hasMessageContaining("Base64");
  }

  private static ConsumerRecord<byte[], byte[]> record(byte[] key, byte[] value) {
    return new ConsumerRecord<>(
        "orders",
        2,
        7,
        1_500,
        TimestampType.CREATE_TIME,
        key == null ? -1 : key.length,
        value == null ? -1 : value.length,
        key,
        value,
        new RecordHeaders().add("a", utf8("1")).add("b", null),
        Optional.empty());
  }

  private static String text(RecordFormat format, ConsumerRecord<byte[], byte[]> record)
      throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    format.write(record, out);
    return out.toString(StandardCharsets.UTF_8);
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
