package io.milena.wire;

import io.milena.wire.handler.ApiHandler;
import io.milena.wire.handler.MalformedFrameException;
import io.milena.wire.handler.PrivateApi;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Collection;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.RequestHeader;
import org.jspecify.annotations.Nullable;

/** From the bytes of a frame to a decoded request and the handler that serves it. Immutable. */
final class Dispatcher {
  /** Largest API id that the codec knows. */
  static final int API_ID_MAX =
      Arrays.stream(ApiKeys.values()).mapToInt(api -> api.id).max().orElseThrow();

  private final @Nullable ApiHandler[] handlers;
  private final @Nullable PrivateApi[] privateApis =
      new PrivateApi[PrivateApi.KEY_MAX - PrivateApi.KEY_MIN + 1];

  /**
   * @throws IllegalArgumentException when two handlers serve one API, one serves versions that the
   *     codec does not know, or a private one has a key that is not
   */
  Dispatcher(
      Collection<? extends ApiHandler> served, Collection<? extends PrivateApi> servedPrivately) {
    handlers = new ApiHandler[API_ID_MAX + 1];
    for (ApiHandler handler : served) {
      ApiKeys api = handler.api();
      if (handlers[api.id] != null) {
        throw new IllegalArgumentException("Two handlers serve " + api.name);
      }
      if (handler.minVersion() > handler.maxVersion()
          || !api.isVersionSupported(handler.minVersion())
          || !api.isVersionSupported(handler.maxVersion())) {
        throw new IllegalArgumentException(
            "The handler of %s serves versions %d to %d; the codec knows %d to %d"
                .formatted(
                    api.name,
                    handler.minVersion(),
                    handler.maxVersion(),
                    api.oldestVersion(),
                    api.latestVersion()));
      }
      handlers[api.id] = handler;
    }
    for (PrivateApi api : servedPrivately) {
      if (!PrivateApi.isPrivate(api.key())) {
        throw new IllegalArgumentException(
            "The key %d of %s is not a private one".formatted(api.key(), api.name()));
      }
      int index = api.key() - PrivateApi.KEY_MIN;
      if (privateApis[index] != null) {
        throw new IllegalArgumentException("Two handlers serve " + api.name());
      }
      privateApis[index] = api;
    }
  }

  /** The header of the frame that {@code frame}'s remaining bytes are; its position moves on. */
  static RequestHeader header(ByteBuffer frame) throws MalformedFrameException {
    try {
      return RequestHeader.parse(frame);
    } catch (RuntimeException e) {
      throw new MalformedFrameException("no request header: " + reason(e));
    }
  }

  /** The handler of an API, or null when none serves it. */
  @Nullable ApiHandler handler(ApiKeys api) {
    return handlers[api.id];
  }

  /** The handler of a private API by its key, or null when none serves it. */
  @Nullable PrivateApi privateApi(short key) {
    return privateApis[key - PrivateApi.KEY_MIN];
  }

  /** Whether requests of this private key have no answer. */
  boolean isOneWay(short key) {
    PrivateApi api = privateApi(key);
    return api != null && api.isOneWay();
  }

  /** Decodes the body, which must end where the frame ends. */
  static ApiMessage body(RequestHeader header, ByteBuffer frame) throws MalformedFrameException {
    ApiMessage body = header.apiKey().messageType.newRequest();
    try {
      body.read(new ByteBufferAccessor(frame), header.apiVersion());
    } catch (RuntimeException e) {
      throw new MalformedFrameException("the body cannot be read: " + reason(e));
    }
    if (frame.hasRemaining()) {
      throw new MalformedFrameException(frame.remaining() + " bytes follow the body");
    }
    return body;
  }

  /** The error response that the API's own schema has for a failure; null when it has none. */
  static @Nullable ApiMessage errorResponse(
      RequestHeader header, ApiMessage request, Throwable error) {
    ByteBufferAccessor encoded = MessageUtil.toByteBufferAccessor(request, header.apiVersion());
    AbstractResponse response =
        AbstractRequest.parseRequest(header.apiKey(), header.apiVersion(), encoded)
            .request
            .getErrorResponse(error);
    return response == null ? null : response.data();
  }

  private static String reason(RuntimeException e) {
    Throwable cause = e.getCause() == null ? e : e.getCause();
    return cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
  }
}
