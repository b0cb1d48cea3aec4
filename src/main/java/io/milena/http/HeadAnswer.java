package io.milena.http;

import akka.http.javadsl.model.HttpEntities;
import akka.http.javadsl.model.HttpResponse;
import akka.http.scaladsl.model.headers.CustomHeader;
import java.util.OptionalLong;

/**
 * The answer to HEAD: what GET would answer, without the body. Akka HTTP leaves out how long the
 * body would be, which is what clients ask for.
 */
final class HeadAnswer {

  private HeadAnswer() {}

  static HttpResponse of(HttpResponse answer) {
    OptionalLong length = answer.entity().getContentLengthOption();
    HttpResponse head =
        answer.withEntity(HttpEntities.create(answer.entity().getContentType(), new byte[0]));
    return length.isPresent() && length.getAsLong() > 0
        ? head.addHeader(new ContentLength(length.getAsLong()))
        : head;
  }

  private static final class ContentLength extends CustomHeader {

    private final long bytes;

    ContentLength(long bytes) {
      this.bytes = bytes;
    }

    @Override
    public String name() {
      return "Content-Length";
    }

    @Override
    public String value() {
      return Long.toString(bytes);
    }

    @Override
    public boolean renderInRequests() {
      return false;
    }

    @Override
    public boolean renderInResponses() {
      return true;
    }
  }
}
