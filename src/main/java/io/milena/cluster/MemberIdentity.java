package io.milena.cluster;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.Uuid;

/**
 * Which node, and which life of its process, a member of the Akka cluster is. A member says so by
 * its roles, so every other member knows it without asking.
 *
 * @param nodeId of the metadata group
 * @param incarnation as the process registers with the metadata group
 */
public record MemberIdentity(int nodeId, Uuid incarnation) {

  private static final String NODE_ROLE = "node-";
  private static final String INCARNATION_ROLE = "incarnation-";

  /** For {@code akka.cluster.roles}. */
  public List<String> roles() {
    return List.of(NODE_ROLE + nodeId, INCARNATION_ROLE + incarnation);
  }

  /** What a member's roles say; empty where they are not those of a node of Milena. */
  static Optional<MemberIdentity> of(Set<String> roles) {
    Optional<String> nodeId = suffix(roles, NODE_ROLE);
    Optional<String> incarnation = suffix(roles, INCARNATION_ROLE);
    try {
      return nodeId.isPresent() && incarnation.isPresent()
          ? Optional.of(
              new MemberIdentity(
                  Integer.parseInt(nodeId.get()), Uuid.fromString(incarnation.get())))
          : Optional.empty();
    } catch (IllegalArgumentException notOurs) {
      return Optional.empty();
    }
  }

  private static Optional<String> suffix(Set<String> roles, String prefix) {
    return roles.stream()
        .filter(role -> role.startsWith(prefix))
        .map(role -> role.substring(prefix.length()))
        .findFirst();
  }
}
