/**
 * The rules of a replica: leader's and follower's progress, high watermark, in-sync replicas,
 * divergence.
 */
@NullMarked
package io.milena.replication;

import org.jspecify.annotations.NullMarked;
