package io.milena.http.stream;

import io.milena.http.HttpNode;
import io.milena.http.group.GroupMembers;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/**
 * What all streams of a node share.
 *
 * @param feeds partitions to read
 * @param topics wakes streams whose topics change
 * @param members makes streams members of groups
 * @param open streams now
 * @param records sent
 */
record StreamContext(
    HttpNode node,
    Feeds feeds,
    TopicWatch topics,
    GroupMembers members,
    AtomicInteger open,
    LongAdder records) {}
