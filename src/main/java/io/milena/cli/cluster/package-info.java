/** The cluster command: nodes, the metadata quorum, leaders, and what keeps partitions back. */
@NullMarked
package io.milena.cli.cluster;

import org.jspecify.annotations.NullMarked;
