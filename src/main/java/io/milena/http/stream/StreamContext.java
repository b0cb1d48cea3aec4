package io.milena.http.stream;

import io.milena.http.HttpNode;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/**
 * What all streams of a node share.
 *
 * @param hub wakes streams that wait for records
 * @param topics wakes streams whose topics change
 * @param open streams now
 * @param records sent
 */
record StreamContext(
    HttpNode node, ViewHub hub, TopicWatch topics, AtomicInteger open, LongAdder records) {}
