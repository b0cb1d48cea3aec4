package io.milena.http.transport;

import java.time.Duration;

/**
 * How long and how many: what keeps slow, dead and many clients from costing more than they should.
 *
 * @param connectionsMax connections open at a time; one more is closed as soon as it is accepted
 * @param headTimeout from the first byte of a request to the end of its headers
 * @param idleTimeout without a byte in either direction
 * @param stallTimeout for a client that does not read what is being sent to it
 */
public record HttpLimits(
    int connectionsMax, Duration headTimeout, Duration idleTimeout, Duration stallTimeout) {

  /** What a node has unless told otherwise. */
  public static final HttpLimits DEFAULT =
      new HttpLimits(
          20_000, Duration.ofSeconds(15), Duration.ofSeconds(75), Duration.ofMinutes(10));
}
