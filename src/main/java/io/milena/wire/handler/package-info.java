/** What a node answers to each Kafka API, a class for each family of APIs. */
@NullMarked
package io.milena.wire.handler;

import org.jspecify.annotations.NullMarked;
