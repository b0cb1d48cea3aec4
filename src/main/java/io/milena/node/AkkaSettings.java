package io.milena.node;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.milena.cluster.MemberIdentity;
import java.util.Map;

/** Akka's configuration of one node: what is in the files, and what only the running node knows. */
final class AkkaSettings {

  private AkkaSettings() {}

  static Config of(NodeConfig config, DataDirectory data, MemberIdentity self) {
    return ConfigFactory.parseMap(
            Map.of(
                "milena.journal.dir",
                data.metadata().toAbsolutePath().toString(),
                "akka.cluster.roles",
                self.roles(),
                "akka.remote.artery.canonical.hostname",
                config.cluster().address().host(),
                "akka.remote.artery.canonical.port",
                config.cluster().address().port(),
                "akka.remote.artery.bind.hostname",
                bindHost(config)),
            "the running node")
        .withFallback(config.akka());
  }

  private static String bindHost(NodeConfig config) {
    String host = config.cluster().bindHost();
    return host.isEmpty() ? "0.0.0.0" : host;
  }
}
