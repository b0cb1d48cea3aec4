package io.milena.wire;

/** A frame that is no request this node serves; the message is a clause for the log. */
final class MalformedRequestException extends Exception {
  MalformedRequestException(String reason) {
    super(reason, null, false, false);
  }
}
