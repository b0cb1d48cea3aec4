package io.milena.replication;

/** What a replica is at the moment. */
public enum ReplicaRole {
  /** It leads its partition in {@link ReplicaView#leaderEpoch()}. */
  LEADER,
  /** It follows the leader. */
  FOLLOWER,
  /** It exists and does neither: recovering, stopping, or without a leader. */
  IDLE,
  /**
   * Its log failed or its directory is gone; nothing can be read or written (KAFKA_STORAGE_ERROR).
   */
  OFFLINE
}
