/** The topics command: create, list, describe, alter, delete. */
@NullMarked
package io.milena.cli.topics;

import org.jspecify.annotations.NullMarked;
