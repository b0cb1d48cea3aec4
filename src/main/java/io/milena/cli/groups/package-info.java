/** The groups command: list, describe with lag, reset offsets, delete. */
@NullMarked
package io.milena.cli.groups;

import org.jspecify.annotations.NullMarked;
