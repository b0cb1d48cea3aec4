package io.milena.metadata;

import java.util.List;

/**
 * What the leader decided about a command.
 *
 * @param records to append as one entry of the log: all are applied or none; empty when nothing
 *     changes
 * @param reply for the asker, once the records are committed
 * @param image the image with the records applied: what the next command is decided against
 */
public record Decision<R extends MetadataReply>(
    List<MetadataRecord> records, R reply, MetadataImage image) {

  public Decision {
    records = List.copyOf(records);
  }
}
