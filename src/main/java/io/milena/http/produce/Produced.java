package io.milena.http.produce;

import org.apache.kafka.common.protocol.Errors;

/**
 * What became of a record.
 *
 * @param partition it went to, or was to go to; -1 when none was chosen
 * @param offset it has, -1 with an error
 * @param timestampMs it has
 * @param error NONE once it is acknowledged
 * @param message says more than the error's name; empty without an error
 */
public record Produced(int partition, long offset, long timestampMs, Errors error, String message) {

  static Produced refused(int partition, Errors error, String message) {
    return new Produced(partition, -1, -1, error, message);
  }
}
