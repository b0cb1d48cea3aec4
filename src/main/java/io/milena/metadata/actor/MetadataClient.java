package io.milena.metadata.actor;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.javadsl.AskPattern;
import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataReply;
import io.milena.metadata.MetadataService;
import java.time.Duration;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.errors.TimeoutException;

/** {@link MetadataService} over this node's {@link MetadataGroup}. May be used from any thread. */
public final class MetadataClient implements MetadataService {

  private final ActorSystem<?> system;
  private final ActorRef<MetadataGroup.Command> group;
  private final MetadataPublisher publisher;
  private final Duration timeout;

  /**
   * @param publisher the one that was given to the group
   * @param timeout how long a command may take
   */
  public MetadataClient(
      ActorSystem<?> system,
      ActorRef<MetadataGroup.Command> group,
      MetadataPublisher publisher,
      Duration timeout) {
    this.system = system;
    this.group = group;
    this.publisher = publisher;
    this.timeout = timeout;
  }

  @Override
  public MetadataImage image() {
    return publisher.image();
  }

  @Override
  public void subscribe(MetadataListener listener) {
    publisher.subscribe(listener);
  }

  @Override
  public <R extends MetadataReply> CompletionStage<R> submit(MetadataCommand<R> command) {
    CompletionStage<MetadataGroup.Outcome> outcome =
        AskPattern.ask(
            group,
            replyTo -> new MetadataGroup.Submit(command, replyTo),
            timeout,
            system.scheduler());
    return outcome.handle((answer, failure) -> result(command, answer, failure));
  }

  /** The group answers a command with the kind of reply that the command names. */
  @SuppressWarnings("unchecked")
  private <R extends MetadataReply> R result(
      MetadataCommand<R> command,
      MetadataGroup.@org.jspecify.annotations.Nullable Outcome outcome,
      @org.jspecify.annotations.Nullable Throwable failure) {
    return switch (outcome) {
      case MetadataGroup.Decided(MetadataReply reply) -> (R) reply;
      case MetadataGroup.Unavailable(String reason) ->
          throw new CompletionException(new TimeoutException(reason));
      case null ->
          throw new CompletionException(
              new TimeoutException(
                  "The metadata group did not decide "
                      + command.getClass().getSimpleName()
                      + " within "
                      + timeout.toMillis()
                      + " ms; whether it will is unknown",
                  failure));
    };
  }
}
