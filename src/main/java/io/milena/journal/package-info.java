/** The Akka Persistence journal and snapshot store, over segment files, with group-commit fsync. */
@NullMarked
package io.milena.journal;

import org.jspecify.annotations.NullMarked;
