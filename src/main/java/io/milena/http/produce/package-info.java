/** Records that come by HTTP, on their way to the handler of Produce. */
@NullMarked
package io.milena.http.produce;

import org.jspecify.annotations.NullMarked;
