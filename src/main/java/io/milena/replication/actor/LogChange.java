package io.milena.replication.actor;

import io.milena.log.PartitionLog;

/** A change to a log that only its writer may make. */
@FunctionalInterface
interface LogChange {

  /** Makes the change; called on the replica's actor. */
  void apply(PartitionLog log);
}
