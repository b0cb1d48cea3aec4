package io.milena.replication;

/**
 * Where a leading replica says how its followers do, for {@link InSyncKeeper}. Called by the
 * replica's own thread; must not block.
 */
public interface InSyncReports {

  /** Of a replica that nobody follows. */
  InSyncReports NONE =
      new InSyncReports() {
        @Override
        public void onCaughtUp(int leaderEpoch, int nodeId, long nodeEpoch) {}

        @Override
        public void onJoined(int leaderEpoch, int nodeId, long nodeEpoch) {}

        @Override
        public void onLagging(int leaderEpoch, int nodeId) {}
      };

  /**
   * A follower out of the ISR has reached the high watermark and the start of the leader's epoch;
   * said once a life of its node.
   */
  void onCaughtUp(int leaderEpoch, int nodeId, long nodeEpoch);

  /**
   * A follower that was asked to join has everything below the high watermark, and from now on the
   * high watermark waits for it.
   */
  void onJoined(int leaderEpoch, int nodeId, long nodeEpoch);

  /**
   * A follower in the ISR has not had all that the leader has for too long; said at each review.
   */
  void onLagging(int leaderEpoch, int nodeId);
}
