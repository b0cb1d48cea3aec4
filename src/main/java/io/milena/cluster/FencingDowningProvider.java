package io.milena.cluster;

import akka.actor.ActorSystem;
import akka.actor.Props;
import akka.actor.typed.javadsl.Adapter;
import akka.cluster.DowningProvider;
import scala.Option;
import scala.concurrent.duration.Duration;
import scala.concurrent.duration.FiniteDuration;

/**
 * Akka's hook for who decides that a member is gone: here the metadata group, by fencing the node
 * (architecture.md, section 2). Akka creates it, as {@code akka.cluster.downing-provider-class}.
 */
public final class FencingDowningProvider extends DowningProvider {

  /** Akka's constructor. */
  public FencingDowningProvider(ActorSystem system) {}

  /** Zero: what a downed member led, Raft has granted to others in the commit that fenced it. */
  @Override
  public FiniteDuration downRemovalMargin() {
    return Duration.Zero();
  }

  @Override
  public Option<Props> downingActorProps() {
    return Option.apply(Adapter.props(FencingDowning::create));
  }
}
