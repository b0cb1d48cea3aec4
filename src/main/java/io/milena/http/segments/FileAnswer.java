package io.milena.http.segments;

import akka.NotUsed;
import akka.http.javadsl.model.ContentType;
import akka.http.javadsl.model.ContentTypes;
import akka.http.javadsl.model.HttpEntities;
import akka.http.javadsl.model.HttpResponse;
import akka.http.javadsl.model.headers.RawHeader;
import akka.stream.javadsl.Source;
import akka.util.ByteString;
import io.milena.http.Exchange;
import io.milena.http.HttpFailure;
import io.milena.log.FileRegion;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Bytes of segment files as an answer: conditional requests, ranges, HEAD (RFC 9110). The bytes
 * themselves never come into the heap.
 *
 * @param regions one after the other
 * @param tag differs whenever the bytes differ
 */
record FileAnswer(List<FileRegion> regions, String tag) {

  private static final ContentType TYPE = ContentTypes.APPLICATION_OCTET_STREAM;

  HttpResponse to(Exchange exchange) {
    String etag = "\"" + tag + "\"";
    if (exchange.header("If-Match").filter(wanted -> !matches(wanted, etag)).isPresent()) {
      throw new HttpFailure(412, 412, "the bytes have changed: their ETag is " + etag);
    }
    HttpResponse response =
        HttpResponse.create()
            .addHeader(RawHeader.create("ETag", etag))
            .addHeader(RawHeader.create("Accept-Ranges", "bytes"));
    if (exchange.header("If-None-Match").filter(known -> matches(known, etag)).isPresent()) {
      return response.withStatus(304);
    }
    long size = regions.stream().mapToLong(FileRegion::sizeInBytes).sum();
    Optional<ByteRange> range;
    try {
      range =
          exchange.header("If-Range").filter(known -> !known.equals(etag)).isPresent()
              ? Optional.empty()
              : exchange.header("Range").flatMap(header -> ByteRange.parse(header, size));
    } catch (HttpFailure refused) {
      if (refused.status() != 416) {
        throw refused;
      }
      return response
          .withStatus(416)
          .addHeader(RawHeader.create("Content-Range", "bytes */" + size))
          .withEntity(String.valueOf(refused.getMessage()));
    }
    if (range.isEmpty()) {
      return response.withEntity(HttpEntities.create(TYPE, size, body(exchange, regions)));
    }
    ByteRange part = range.get();
    return response
        .withStatus(206)
        .addHeader(
            RawHeader.create(
                "Content-Range", "bytes %d-%d/%d".formatted(part.first(), part.last(), size)))
        .withEntity(
            HttpEntities.create(
                TYPE, part.length(), body(exchange, slices(part.first(), part.length()))));
  }

  private static boolean matches(String header, String etag) {
    return header.equals("*")
        || Arrays.stream(header.split(","))
            .map(String::trim)
            .map(each -> each.startsWith("W/") ? each.substring(2) : each)
            .anyMatch(etag::equals);
  }

  /** A region is promised to the connection only when its turn has come. */
  private static Source<ByteString, Object> body(Exchange exchange, List<FileRegion> regions) {
    Source<FileRegion, NotUsed> source = Source.from(regions);
    return source.map(exchange.socket().files()::promise).mapMaterializedValue(unused -> unused);
  }

  private List<FileRegion> slices(long first, long length) {
    List<FileRegion> slices = new ArrayList<>();
    long skip = first;
    long left = length;
    for (FileRegion region : regions) {
      int size = region.sizeInBytes();
      if (skip >= size) {
        skip -= size;
      } else if (left > 0) {
        int part = (int) Math.min(left, size - skip);
        slices.add(region.slice((int) skip, part));
        left -= part;
        skip = 0;
      }
    }
    return slices;
  }
}
