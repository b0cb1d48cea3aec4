package io.milena.http;

/** Told of every HTTP request that has been answered. */
@FunctionalInterface
public interface RequestMeter {
  /**
   * @param pattern of the endpoint, or "none"
   * @param startNanos when it began, in {@link System#nanoTime()}
   */
  void answered(String method, String pattern, int status, long startNanos);
}
