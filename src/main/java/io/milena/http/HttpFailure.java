package io.milena.http;

import org.apache.kafka.common.protocol.Errors;

/**
 * A request that is answered with an error, in the shape that the REST Proxy APIs have: {@code
 * {"error_code": 40401, "message": "..."}}.
 */
public final class HttpFailure extends RuntimeException {

  private static final long serialVersionUID = 1;

  private final int status;
  private final int code;

  /**
   * @param status HTTP status
   * @param code {@code error_code}: the status, or the status with two digits that say more
   * @param message what happened, to what, and what to do
   */
  public HttpFailure(int status, int code, String message) {
    super(message, null, false, false);
    this.status = status;
    this.code = code;
  }

  /** A request that cannot be served as it is. */
  public static HttpFailure badRequest(String message) {
    return new HttpFailure(400, 400, message);
  }

  /** Kafka's error as HTTP has it: whose fault it is, and whether to try again. */
  public static HttpFailure of(Errors error, String message) {
    int status = statusOf(error);
    return new HttpFailure(status, codeOf(error, status), message);
  }

  /** Kafka's error, with its own message where there is none that says more. */
  public static HttpFailure of(Errors error) {
    return of(error, error.message());
  }

  public int status() {
    return status;
  }

  public int code() {
    return code;
  }

  private static int statusOf(Errors error) {
    return switch (error) {
      case UNKNOWN_TOPIC_OR_PARTITION,
          UNKNOWN_TOPIC_ID,
          GROUP_ID_NOT_FOUND,
          UNKNOWN_MEMBER_ID,
          RESOURCE_NOT_FOUND ->
          404;
      case TOPIC_AUTHORIZATION_FAILED,
          GROUP_AUTHORIZATION_FAILED,
          CLUSTER_AUTHORIZATION_FAILED,
          POLICY_VIOLATION ->
          403;
      case NON_EMPTY_GROUP, GROUP_SUBSCRIBED_TO_TOPIC -> 409;
      case MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE -> 413;
      case OFFSET_OUT_OF_RANGE -> 416;
      case THROTTLING_QUOTA_EXCEEDED -> 429;
      case UNKNOWN_SERVER_ERROR, KAFKA_STORAGE_ERROR, CORRUPT_MESSAGE -> 500;
      case REQUEST_TIMED_OUT -> 504;
      default ->
          error.exception() instanceof org.apache.kafka.common.errors.RetriableException
              ? 503
              : 400;
    };
  }

  private static int codeOf(Errors error, int status) {
    return switch (error) {
      case UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID -> 40403;
      case INVALID_TOPIC_EXCEPTION,
          INVALID_CONFIG,
          INVALID_REPLICATION_FACTOR,
          INVALID_PARTITIONS ->
          40002;
      case TOPIC_ALREADY_EXISTS -> 40002;
      case NOT_LEADER_OR_FOLLOWER, LEADER_NOT_AVAILABLE -> 50003;
      default -> status;
    };
  }
}
