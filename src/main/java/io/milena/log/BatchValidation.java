package io.milena.log;

import org.apache.kafka.common.record.internal.MemoryRecords;

/** What {@link BatchValidator} found. */
public sealed interface BatchValidation {

  /**
   * The batches may be appended.
   *
   * @param records what to append: the same bytes, unless the topic asks for another compression.
   *     Base offsets and leader epochs are still to be assigned; the checksum does not cover them
   * @param batchCount number of batches
   * @param offsetCount offsets that the batches take, over all of them
   * @param maxTimestampMs largest timestamp, or -1 when no record has one
   * @param maxTimestampOffsetDelta last offset of the batch that has it, relative to the offset
   *     that the first batch will get
   * @param logAppendTimeMs the timestamp written into the batches for LogAppendTime, else -1
   */
  record Valid(
      MemoryRecords records,
      int batchCount,
      int offsetCount,
      long maxTimestampMs,
      int maxTimestampOffsetDelta,
      long logAppendTimeMs)
      implements BatchValidation {}

  /**
   * The batches break a rule.
   *
   * @param outcome what to answer
   */
  record Invalid(AppendOutcome.Rejected outcome) implements BatchValidation {}
}
