/** The APIs of Confluent's REST Proxy: version 2 and version 3. */
@NullMarked
package io.milena.http.rest;

import org.jspecify.annotations.NullMarked;
