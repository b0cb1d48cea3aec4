/** Consumer groups, asked and joined from within. */
@NullMarked
package io.milena.http.group;

import org.jspecify.annotations.NullMarked;
