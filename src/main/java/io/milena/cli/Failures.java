package io.milena.cli;

import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.GroupNotEmptyException;
import org.apache.kafka.common.errors.GroupSubscribedToTopicException;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidGroupIdException;
import org.apache.kafka.common.errors.InvalidPartitionsException;
import org.apache.kafka.common.errors.InvalidReplicaAssignmentException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicIdException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.jspecify.annotations.Nullable;

/** Turns what the clients throw into a sentence for a person and an exit code for a script. */
public final class Failures {

  private Failures() {}

  /**
   * Waits for an answer of the cluster.
   *
   * @param what what was asked, as it follows "cannot": "create topic 'orders'"
   * @throws CliException that names {@code what}, the reason and, where there is one, the remedy
   */
  public static <T> T await(@Nullable KafkaFuture<T> answer, String what) {
    if (answer == null) {
      throw new IllegalStateException("nothing was asked that would " + what);
    }
    try {
      return answer.get();
    } catch (ExecutionException e) {
      throw failed(what, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CliException(ExitCode.FAILURE, "interrupted while trying to " + what, e);
    }
  }

  /** The failure of {@code what}, with the reason and exit code that {@code failure} stands for. */
  public static CliException failed(String what, Throwable failure) {
    Throwable root = unwrap(failure);
    return root instanceof CliException told
        ? told
        : new CliException(exitCode(root), "cannot " + what + ": " + reason(root), root);
  }

  /** Whether the cluster's answer was that the thing does not exist. */
  public static boolean isNotFound(Throwable failure) {
    return exitCode(unwrap(failure)) == ExitCode.NOT_FOUND;
  }

  static int exitCode(Throwable failure) {
    return switch (failure) {
      case CliException told -> told.exitCode();
      case TimeoutException e -> isUnknownTopic(e) ? ExitCode.NOT_FOUND : ExitCode.UNREACHABLE;
      case UnknownTopicOrPartitionException _ -> ExitCode.NOT_FOUND;
      case UnknownTopicIdException _ -> ExitCode.NOT_FOUND;
      case GroupIdNotFoundException _ -> ExitCode.NOT_FOUND;
      case NoSuchFileException _ -> ExitCode.NOT_FOUND;
      case TopicExistsException _ -> ExitCode.CONFLICT;
      case GroupNotEmptyException _ -> ExitCode.CONFLICT;
      case GroupSubscribedToTopicException _ -> ExitCode.CONFLICT;
      case ConfigException _,
          InvalidConfigurationException _,
          InvalidPartitionsException _,
          InvalidReplicaAssignmentException _,
          InvalidGroupIdException _,
          InvalidRequestException _ ->
          ExitCode.USAGE;
      default -> ExitCode.FAILURE;
    };
  }

  static String reason(Throwable failure) {
    return switch (failure) {
      case CliException told -> message(told);
      case TimeoutException e when isUnknownTopic(e) ->
          "the topic or partition does not exist and is not made by itself: 'bin/milena topics"
              + " create' makes one";
      case TimeoutException e ->
          "no answer in time (" + message(e) + "): is the cluster healthy? --timeout waits longer";
      case UnknownTopicOrPartitionException _ ->
          "it does not exist: 'bin/milena topics list' shows what does";
      case GroupIdNotFoundException _ ->
          "it does not exist: 'bin/milena groups list' shows what does";
      case TopicExistsException _ -> "it exists already: --if-not-exists accepts that";
      case GroupNotEmptyException _ -> "it still has members: stop them first";
      case GroupSubscribedToTopicException _ ->
          "members of the group still read the topic: stop them first";
      case AuthenticationException e ->
          "the server refused the credentials (" + message(e) + "): check --command-config";
      case AuthorizationException e -> "not authorised: " + message(e);
      case UnsupportedVersionException e ->
          "the server does not offer what this needs: " + message(e);
      case NoSuchFileException e -> "no such file: " + e.getFile();
      case AccessDeniedException e -> "no permission to open " + e.getFile();
      case KafkaException e -> message(e);
      case java.io.IOException e -> message(e);
      default ->
          "unexpected "
              + failure.getClass().getSimpleName()
              + ": "
              + message(failure)
              + " (--debug shows where)";
    };
  }

  /** The failure that matters inside the wrappers of futures and client constructors. */
  static Throwable unwrap(Throwable failure) {
    Throwable current = failure;
    while (true) {
      Throwable cause = current.getCause();
      boolean isWrapper =
          current instanceof ExecutionException
              || current instanceof CompletionException
              || current.getClass() == KafkaException.class;
      if (!isWrapper || cause == null) {
        return current;
      }
      current = cause;
    }
  }

  /** A producer waits for a topic to appear and only then gives up. */
  private static boolean isUnknownTopic(TimeoutException failure) {
    return message(failure).contains("not present in metadata");
  }

  private static String message(Throwable failure) {
    String message = failure.getMessage();
    return message == null || message.isBlank() ? failure.getClass().getSimpleName() : message;
  }
}
