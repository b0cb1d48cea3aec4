package io.milena.http.segments;

import akka.http.javadsl.model.HttpResponse;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.milena.http.Answers;
import io.milena.http.Endpoint;
import io.milena.http.Exchange;
import io.milena.http.HttpFailure;
import io.milena.http.Partitions;
import io.milena.log.SegmentFile;
import io.milena.replication.ReplicaView;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.stream.Collectors;

/**
 * A partition's log as files, for whoever copies it as a whole: the list of its segments, each
 * segment, and the batches of an offset range, in the format that they have on disk and on the
 * Kafka protocol. Up to the high watermark and never past it.
 */
public final class SegmentEndpoints {

  private static final String LOG = "/log/{topic}/{partition}";
  private static final String SUFFIX = ".log";

  private final Partitions partitions;

  public SegmentEndpoints(Partitions partitions) {
    this.partitions = partitions;
  }

  /** What it serves. */
  public List<Endpoint> endpoints() {
    return List.of(
        new Endpoint("GET", LOG + "/segments", served(SegmentEndpoints::list)),
        new Endpoint("GET", LOG + "/segments/{file}", served(SegmentEndpoints::file)),
        new Endpoint("GET", LOG + "/batches", served(SegmentEndpoints::batches)));
  }

  private interface Answering {
    HttpResponse of(Exchange exchange, ReplicaView view) throws IOException;
  }

  private Endpoint.Handler served(Answering answering) {
    return exchange ->
        partitions.read(
            exchange,
            exchange.path("topic"),
            exchange.pathInt("partition"),
            view -> answering.of(exchange, view));
  }

  private static HttpResponse list(Exchange exchange, ReplicaView view) throws IOException {
    ObjectNode answer =
        Answers.object()
            .put("topic", exchange.path("topic"))
            .put("partition", exchange.pathInt("partition"))
            .put("log_start_offset", view.log().logStartOffset())
            .put("high_watermark", view.highWatermark());
    ArrayNode files = answer.putArray("segments");
    for (SegmentFile file : view.log().segmentFiles(view.highWatermark())) {
      files
          .addObject()
          .put("base_offset", file.baseOffset())
          .put("end_offset", file.endOffset())
          .put("size_bytes", file.bytes().sizeInBytes())
          .put("first_timestamp_ms", file.firstTimestampMs())
          .put("newest_timestamp_ms", file.newestTimestampMs())
          .put("sealed", file.sealed())
          .put("etag", "\"" + file.tag() + "\"")
          .put("href", href(exchange, file));
    }
    return Answers.json(200, answer);
  }

  private static String href(Exchange exchange, SegmentFile file) {
    String list = exchange.request().getUri().getPathString();
    return list.replaceAll("/+$", "")
        + "/"
        + String.format(Locale.ROOT, "%020d", file.baseOffset())
        + SUFFIX;
  }

  private static HttpResponse file(Exchange exchange, ReplicaView view) throws IOException {
    String name = exchange.path("file");
    long baseOffset = baseOffset(name);
    SegmentFile file =
        view.log()
            .segmentFile(baseOffset, view.highWatermark())
            .orElseThrow(() ->
                new HttpFailure(
                    404,
                    404,
                    "there is no segment "
                        + name
                        + ": retention may have removed it; "
                        + "the list of segments has those that there are"));
    return new FileAnswer(List.of(file.bytes()), file.tag()).to(exchange);
  }

  private static long baseOffset(String name) {
    String digits =
        name.endsWith(SUFFIX) ? name.substring(0, name.length() - SUFFIX.length()) : name;
    try {
      return Long.parseLong(digits);
    } catch (NumberFormatException _) {
      throw new HttpFailure(
          404, 404, "there is no segment '" + name + "': a segment is named by its base offset");
    }
  }

  private static HttpResponse batches(Exchange exchange, ReplicaView view) throws IOException {
    long start = view.log().logStartOffset();
    long end = view.highWatermark();
    long from = exchange.queryLong("from", start, 0, Long.MAX_VALUE);
    long to = exchange.queryLong("to", end, 0, Long.MAX_VALUE);
    if (from < start || from > end) {
      throw new HttpFailure(
          416,
          416,
          "offset " + from + " cannot be read: the log has offsets from " + start + " to " + end);
    }
    if (to < from) {
      throw HttpFailure.badRequest("to is " + to + ", which is less than from, " + from);
    }
    List<SegmentFile> parts = view.log().batches(from, Math.min(to, end));
    String tags = parts.stream().map(SegmentFile::tag).collect(Collectors.joining(" "));
    return new FileAnswer(
            parts.stream().map(SegmentFile::bytes).toList(),
            UUID.nameUUIDFromBytes(tags.getBytes(StandardCharsets.UTF_8)).toString())
        .to(exchange);
  }
}
