package io.milena.http.rest;

import akka.http.javadsl.model.HttpResponse;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.milena.http.Answers;
import io.milena.http.Exchange;
import io.milena.http.HttpFailure;
import java.util.Collection;

/**
 * How version 3 shows things: each with its kind, its URL and its name, others by their URLs.
 *
 * @param base the URL of the cluster, as this client reaches it
 */
record ResourcesV3(String base, String clusterId) {

  /** For one request. */
  static ResourcesV3 of(Exchange exchange, String clusterId) {
    String host =
        exchange.header("Host").orElseGet(() -> exchange.request().getUri().host().toString());
    return new ResourcesV3("http://" + host + "/v3/clusters/" + clusterId, clusterId);
  }

  /** The request names a cluster: there is only this one. */
  static ResourcesV3 inCluster(Exchange exchange, String clusterId) {
    if (!exchange.path("cluster_id").equals(clusterId)) {
      throw new HttpFailure(
          404,
          404,
          "Cluster " + exchange.path("cluster_id") + " cannot be found: this is " + clusterId);
    }
    return of(exchange, clusterId);
  }

  /**
   * A resource.
   *
   * @param kind such as KafkaTopic
   * @param path below the cluster, such as /topics/orders; empty for the cluster
   * @param name such as topic=orders, behind the cluster's
   */
  ObjectNode resource(String kind, String path, String name) {
    ObjectNode node = Answers.object().put("kind", kind);
    node.putObject("metadata")
        .put("self", base + path)
        .put("resource_name", "crn:///kafka=" + clusterId + (name.isEmpty() ? "" : "/" + name));
    return node.put("cluster_id", clusterId);
  }

  /** A reference to another resource. */
  void related(ObjectNode node, String field, String path) {
    node.putObject(field).put("related", base + path);
  }

  /** A list of resources. */
  HttpResponse list(String kind, String path, Collection<ObjectNode> data) {
    ObjectNode node = Answers.object().put("kind", kind);
    node.putObject("metadata").put("self", base + path).putNull("next");
    ArrayNode all = node.putArray("data");
    all.addAll(data);
    return Answers.json(200, node);
  }
}
