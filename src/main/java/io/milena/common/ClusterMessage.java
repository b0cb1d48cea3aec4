package io.milena.common;

/**
 * What one node says to another over Akka remoting: control messages only, immutable, of ids and
 * numbers. Written as CBOR by Jackson (reference.conf binds it); Java serialisation is off, so a
 * message without this marker cannot leave its node.
 */
public interface ClusterMessage {}
