package io.milena.wire;

/**
 * Memory that received bytes lie in. It is used again once everyone who retained it has released
 * it; both may be done from any thread.
 */
public interface ReceivedBytes {
  /** Keeps the bytes beyond the call they were handed over in. */
  ReceivedBytes retain();

  /** Lets go of what was retained once. */
  void release();
}
