/** Cluster membership, sharding of replica-set leaders, downing, and messages between nodes. */
@NullMarked
package io.milena.cluster;

import org.jspecify.annotations.NullMarked;
