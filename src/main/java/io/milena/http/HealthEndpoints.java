package io.milena.http;

import java.util.List;

/**
 * The two questions of an orchestrator: {@code GET /health/live} (the process serves HTTP) and
 * {@code GET /health/ready} (the Kafka listeners serve; 503 until then, with how many partition
 * logs have been opened).
 */
final class HealthEndpoints {

  private HealthEndpoints() {}

  static List<Endpoint> of(HttpNode node) {
    return List.of(
        new Endpoint("GET", "/health/live", _ -> Answers.now(Answers.text(200, "live"))),
        new Endpoint(
            "GET",
            "/health/ready",
            _ -> {
              HttpNode.Readiness state = node.readiness().get();
              return Answers.now(
                  state.ready()
                      ? Answers.text(200, "ready")
                      : Answers.text(
                          503,
                          "starting: %d of %d partition logs are open"
                              .formatted(state.openedLogs(), state.allLogs())));
            }));
  }
}
