package io.milena.raft;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;

/** One server at a time (thesis, section 4.1): any two majorities before and after then overlap. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "kind")
@JsonSubTypes({
  @JsonSubTypes.Type(value = MembershipChange.AddLearner.class, name = "addLearner"),
  @JsonSubTypes.Type(value = MembershipChange.AddVoter.class, name = "addVoter"),
  @JsonSubTypes.Type(value = MembershipChange.Remove.class, name = "remove")
})
public sealed interface MembershipChange {

  /** Which node. */
  int nodeId();

  /** A node starts to follow the log; also turns a voter into a learner. */
  record AddLearner(int nodeId) implements MembershipChange {}

  /** A learner that has caught up becomes a voter. */
  record AddVoter(int nodeId) implements MembershipChange {}

  /** A node leaves. A leader that removes itself resigns once that is committed. */
  record Remove(int nodeId) implements MembershipChange {}
}
