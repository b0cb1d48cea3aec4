/** One persistent actor for each partition replica, the only writer of its segment files. */
@NullMarked
package io.milena.replication.actor;

import org.jspecify.annotations.NullMarked;
