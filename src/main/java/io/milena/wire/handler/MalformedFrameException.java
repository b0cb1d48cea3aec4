package io.milena.wire.handler;

/** A frame that is no request, or no answer, of its API; the message is a clause for the log. */
public final class MalformedFrameException extends Exception {
  private static final long serialVersionUID = 1;

  public MalformedFrameException(String reason) {
    super(reason, null, false, false);
  }
}
