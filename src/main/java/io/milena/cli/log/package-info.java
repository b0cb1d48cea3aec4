/** The commands that read and mend the logs of a node that does not run. */
@NullMarked
package io.milena.cli.log;

import org.jspecify.annotations.NullMarked;
