package io.milena.http.group;

import akka.actor.typed.Scheduler;
import io.milena.http.KafkaApis;
import io.milena.metadata.MetadataService;
import java.util.List;
import java.util.function.Supplier;
import scala.concurrent.ExecutionContextExecutor;

/** Makes readers members of groups. */
public final class GroupMembers {

  private final KafkaApis apis;
  private final Groups groups;
  private final MetadataService metadata;
  private final Scheduler scheduler;
  private final ExecutionContextExecutor executor;

  public GroupMembers(
      KafkaApis apis,
      MetadataService metadata,
      Scheduler scheduler,
      ExecutionContextExecutor executor) {
    this.apis = apis;
    this.groups = new Groups(apis);
    this.metadata = metadata;
    this.scheduler = scheduler;
    this.executor = executor;
  }

  public Groups groups() {
    return groups;
  }

  /**
   * A member that has not joined yet.
   *
   * @param topics what it subscribes to, asked before each joining
   */
  public GroupMember member(
      String group, Supplier<List<String>> topics, GroupMember.Listener listener) {
    return new GroupMember(group, topics, apis, metadata, scheduler, executor, listener);
  }
}
