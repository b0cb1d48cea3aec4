package io.milena.metadata;

import org.apache.kafka.common.protocol.Errors;

/**
 * Ends the decision about one item. Never leaves this package: the rules turn it into a reply.
 * Carries no stack trace, as refusing is ordinary.
 */
final class Refusal extends RuntimeException {

  private static final long serialVersionUID = 1;

  private final Errors error;
  private final String reason;

  Refusal(Errors error, String reason) {
    super(reason, null, false, false);
    this.error = error;
    this.reason = reason;
  }

  Errors error() {
    return error;
  }

  String reason() {
    return reason;
  }
}
