/** Clients that nobody here wrote, unmodified, against a real node process. */
@org.jspecify.annotations.NullMarked
package io.milena.clients;
