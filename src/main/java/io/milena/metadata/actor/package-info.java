/**
 * The actors of the metadata group: Raft persisted and connected, and the image published on each
 * node.
 */
@NullMarked
package io.milena.metadata.actor;

import org.jspecify.annotations.NullMarked;
