package io.milena.wire;

/** Tells other protocols by their first four bytes, which here would be a frame's size. */
final class ForeignProtocol {
  private static final int TLS_HANDSHAKE = 0x16;
  private static final int TLS_MAJOR_VERSION = 0x03;

  private ForeignProtocol() {}

  /** What the peer seems to speak and what to do, to follow "it sent ..."; empty if unknown. */
  static String hint(int sizeField) {
    if (sizeField >>> 24 == TLS_HANDSHAKE && (sizeField >>> 16 & 0xff) == TLS_MAJOR_VERSION) {
      return ". It looks like a TLS handshake, and this listener is not encrypted: set"
          + " security.protocol=PLAINTEXT in the client";
    }
    return switch (ascii(sizeField)) {
      case "GET ", "POST", "PUT ", "HEAD", "DELE", "OPTI", "PATC", "CONN", "PRI " ->
          ". It looks like an HTTP request, and this is a Kafka port: HTTP has a port of its own,"
              + " --http HOST:PORT";
      default -> "";
    };
  }

  private static String ascii(int bytes) {
    StringBuilder text = new StringBuilder();
    for (int shift = 24; shift >= 0; shift -= 8) {
      text.append((char) (bytes >>> shift & 0xff));
    }
    return text.toString();
  }
}
