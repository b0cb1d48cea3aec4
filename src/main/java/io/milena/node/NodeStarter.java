package io.milena.node;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.Behavior;
import akka.actor.typed.Props;
import akka.actor.typed.javadsl.Behaviors;
import akka.cluster.typed.Cluster;
import akka.cluster.typed.Join;
import io.milena.cluster.ClusterMetadata;
import io.milena.cluster.MemberIdentity;
import io.milena.cluster.ReplicaSetLeaders;
import io.milena.common.CarrierThread;
import io.milena.common.Clock;
import io.milena.group.GroupConfig;
import io.milena.group.actor.GroupCoordinator;
import io.milena.http.HttpPort;
import io.milena.log.CleanableLog;
import io.milena.log.LogConfig;
import io.milena.log.LogDirectory;
import io.milena.metadata.ConfigDefinitions;
import io.milena.metadata.EffectiveConfigs;
import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataReply;
import io.milena.metadata.MetadataService;
import io.milena.metadata.NodeImage;
import io.milena.metadata.actor.MetadataClient;
import io.milena.metadata.actor.MetadataGroup;
import io.milena.metadata.actor.MetadataGroupSettings;
import io.milena.metadata.actor.MetadataPublisher;
import io.milena.metadata.actor.Peers;
import io.milena.replication.ReplicaConfig;
import io.milena.replication.actor.CleanerSettings;
import io.milena.replication.actor.FlushRounds;
import io.milena.replication.actor.LocalReplicas;
import io.milena.wire.KafkaServer;
import io.milena.wire.ListenAddress;
import io.milena.wire.handler.ApiHandler;
import io.milena.wire.handler.NodeIdentity;
import io.milena.wire.handler.ProducerIds;
import io.milena.wire.handler.SingleLogDirectory;
import java.io.IOException;
import java.net.BindException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.protocol.Errors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts a node together, in the order in which the parts need each other: actor system and cluster
 * membership, metadata group, replicas, coordinator, listeners (bound, so that their ports are
 * known), registration, recovery of every log, and only then the listeners begin to serve.
 */
final class NodeStarter {

  /** Node id of a data directory that is used for the first time, when none is configured. */
  private static final int DEFAULT_NODE_ID = 1;

  private static final Duration METADATA_TIMEOUT = Duration.ofSeconds(30);
  private static final Logger LOG = LoggerFactory.getLogger(NodeStarter.class);

  /** Flushes of one round of fsync mode that run side by side; more wait for a thread. */
  private static final int FLUSH_THREADS = 16;

  private static final Duration PROGRESS_INTERVAL = Duration.ofSeconds(10);
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(10);
  private static final Duration STEP_TIMEOUT = Duration.ofSeconds(60);
  private static final long UNKNOWN_NODE_EPOCH = -1;

  private final NodeConfig config;
  private final DataDirectory data;
  private final Clock clock = Clock.system();
  private final int nodeId;
  private final Uuid clusterId;
  private final Uuid directoryId;
  private final MemberIdentity self;
  private final Map<String, String> staticConfig;
  private final AtomicLong nodeEpoch = new AtomicLong(UNKNOWN_NODE_EPOCH);

  private NodeStarter(NodeConfig config, DataDirectory data) {
    this.config = config;
    this.data = data;
    Optional<LogDirectory.Meta> owner = data.owner();
    this.nodeId = chooseNodeId(config, data.root(), owner);
    this.clusterId =
        owner.map(meta -> Uuid.fromString(meta.clusterId())).orElseGet(Uuid::randomUuid);
    this.directoryId = owner.map(LogDirectory.Meta::directoryId).orElseGet(Uuid::randomUuid);
    this.self = new MemberIdentity(nodeId, Uuid.randomUuid());
    Map<String, String> settings = new HashMap<>(config.kafka());
    settings.put("node.id", Integer.toString(nodeId));
    this.staticConfig = Map.copyOf(settings);
    validate(config.kafka());
    // What their parts would find wrong later, when there is more to undo.
    var _ = WireSettings.of(config);
    var _ = groupConfig();
    var _ = cleanerSettings();
    if (owner.isEmpty()) {
      data.partitions().writeMeta(new LogDirectory.Meta(clusterId.toString(), nodeId, directoryId));
    }
  }

  private static void validate(Map<String, String> settings) {
    try {
      for (String name : ConfigDefinitions.validateFile(settings)) {
        LOG.warn(
            "setting {} is not one that a node knows: it is ignored; check its spelling", name);
      }
    } catch (ConfigException wrong) {
      throw StartupException.wrongConfiguration(String.valueOf(wrong.getMessage()), wrong);
    }
  }

  static Node start(NodeConfig config, DataDirectory data) {
    return new NodeStarter(config, data).start();
  }

  private static int chooseNodeId(NodeConfig config, Path root, Optional<LogDirectory.Meta> owner) {
    String setting = config.kafka().containsKey("node.id") ? "node.id" : "broker.id";
    int configured =
        config.kafkaInt(setting, owner.map(LogDirectory.Meta::nodeId).orElse(DEFAULT_NODE_ID));
    if (owner.isPresent() && owner.get().nodeId() != configured) {
      throw StartupException.wrongConfiguration(
          "data directory "
              + root
              + " belongs to node "
              + owner.get().nodeId()
              + ", but "
              + setting
              + " says "
              + configured
              + ": start node "
              + configured
              + " on its own directory, or drop the setting");
    }
    if (configured < 0) {
      throw StartupException.wrongConfiguration(
          setting + " is " + configured + ": it must be 0 or more");
    }
    return configured;
  }

  private Node start() {
    ActorSystem<Void> system =
        ActorSystem.create(Behaviors.empty(), "milena", AkkaSettings.of(config, data, self));
    List<ExecutorService> executors = new ArrayList<>();
    try {
      return start(system, executors);
    } catch (RuntimeException failure) {
      // The directory may be given to another node only once nothing here writes to it any more.
      executors.forEach(ExecutorService::shutdownNow);
      system.terminate();
      try {
        system
            .getWhenTerminated()
            .toCompletableFuture()
            .get(STOP_TIMEOUT.toSeconds(), TimeUnit.SECONDS);
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
      } catch (ExecutionException | TimeoutException late) {
        LOG.warn("the actor system did not stop in time: {}", late.toString());
      }
      throw failure;
    }
  }

  private Node start(ActorSystem<Void> system, List<ExecutorService> executors) {
    Cluster cluster = Cluster.get(system);
    cluster.manager().tell(Join.create(cluster.selfMember().address()));
    MetadataService metadata = metadata(system);
    ClusterMetadata.get(system).provide(metadata);
    ExecutorService io = Executors.newCachedThreadPool(carriers("milena-io"));
    ExecutorService openers =
        Executors.newFixedThreadPool(
            Math.max(
                1,
                config.kafkaInt(
                    "num.recovery.threads.per.data.dir",
                    Runtime.getRuntime().availableProcessors())),
            named("milena-open"));
    ExecutorService flushers =
        Executors.newFixedThreadPool(FLUSH_THREADS, carriers("milena-flush"));
    executors.add(io);
    executors.add(flushers);
    executors.add(openers);
    LocalReplicas replicas = replicas(system, io, flushers, openers);
    GroupCoordinator groups =
        new GroupCoordinator(nodeId, groupConfig(), replicas, metadata, clock);
    ProducerIds producerIds = new ProducerIds(metadata, nodeId, nodeEpoch::get);
    KafkaServer server = bind(metadata, replicas, groups, producerIds);
    try {
      metadata.subscribe(replicas);
      List<NodeConfig.Listener> addresses = addresses(server);
      register(metadata, addresses);
      AtomicBoolean ready = new AtomicBoolean();
      Optional<HttpPort> http = http(system, ready);
      replicas.removeStrays();
      awaitOpened(replicas);
      replicas.begin();
      // Not before: what a group appends must find the mark of the last clean stop removed.
      spawn(system, groups.behavior(), "groups");
      unfence(metadata);
      producerIds.prefetch();
      server.start();
      ready.set(true);
      ReplicaSetLeaders leaders = ReplicaSetLeaders.start(system, nodeId, nodeEpoch::get, metadata);
      return new Node(
          new Node.Parts(
              data, nodeId, system, leaders, replicas, server, addresses, http, executors));
    } catch (RuntimeException failure) {
      server.stop(0).join();
      replicas.abandon();
      throw failure;
    }
  }

  /** Recovery takes as long as it takes, however many bytes there are; it says how far it is. */
  private static void awaitOpened(LocalReplicas replicas) {
    CompletableFuture<Void> opened = replicas.allOpened().toCompletableFuture();
    while (!opened.isDone()) {
      try {
        opened.get(PROGRESS_INTERVAL.toSeconds(), TimeUnit.SECONDS);
      } catch (TimeoutException stillOpening) {
        LocalReplicas.Progress progress = replicas.openingProgress();
        LOG.info("opening the partition logs: {} of {}", progress.opened(), progress.all());
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
        throw new StartupException("interrupted while opening the partition logs", interrupted);
      } catch (ExecutionException failure) {
        throw new StartupException(
            "opening the partition logs failed: " + failure.getCause(), failure);
      }
    }
  }

  private Optional<HttpPort> http(ActorSystem<Void> system, AtomicBoolean ready) {
    NodeConfig.Listener listener = config.http();
    if (listener.port() < 0) {
      return Optional.empty();
    }
    try {
      String host = listener.host().isEmpty() ? "0.0.0.0" : listener.host();
      return Optional.of(
          HttpPort.bind(system, host, listener.port(), ready::get)
              .toCompletableFuture()
              .get(STEP_TIMEOUT.toSeconds(), TimeUnit.SECONDS));
    } catch (ExecutionException | TimeoutException failure) {
      throw StartupException.inUse(
          "HTTP port "
              + listener
              + " cannot be listened on: stop what uses it or choose another with --http HOST:PORT",
          failure);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new StartupException("interrupted while binding the HTTP port", interrupted);
    }
  }

  private MetadataService metadata(ActorSystem<Void> system) {
    MetadataPublisher publisher = new MetadataPublisher();
    ActorRef<MetadataGroup.Command> group =
        spawn(
            system,
            MetadataGroup.create(
                MetadataGroupSettings.ofSoleVoter(
                    nodeId, staticConfig, new SecureRandom().nextLong()),
                publisher,
                Peers.none()),
            "metadata");
    return new MetadataClient(system, group, publisher, METADATA_TIMEOUT);
  }

  private static <T> ActorRef<T> spawn(
      ActorSystem<Void> system, Behavior<T> behavior, String name) {
    return system.systemActorOf(behavior, name, Props.empty());
  }

  private LocalReplicas replicas(
      ActorSystem<Void> system,
      ExecutorService io,
      ExecutorService flushers,
      ExecutorService openers) {
    LocalReplicas replicas =
        new LocalReplicas(
            nodeId,
            data.partitions(),
            this::replicaConfig,
            new LocalReplicas.Intervals(
                millis("log.retention.check.interval.ms", 300_000),
                millis("replica.high.watermark.checkpoint.interval.ms", 5_000),
                millis("log.flush.offset.checkpoint.interval.ms", 60_000)),
            cleanerSettings(),
            clock,
            openers,
            io,
            new FlushRounds(flushers));
    replicas.start(
        new LocalReplicas.Spawner() {
          @Override
          public <T> ActorRef<T> spawn(Behavior<T> behavior) {
            return NodeStarter.spawn(system, behavior, "replicas");
          }
        });
    return replicas;
  }

  private CleanerSettings cleanerSettings() {
    String rate = config.kafka("log.cleaner.io.max.bytes.per.second", "1.7976931348623157E308");
    try {
      return new CleanerSettings(
          Boolean.parseBoolean(config.kafka("log.cleaner.enable", "true")),
          config.kafkaInt("log.cleaner.threads", 1),
          Duration.ofMillis(config.kafkaLong("log.cleaner.backoff.ms", 15_000)),
          config.kafkaLong(
              "log.cleaner.dedupe.buffer.size", CleanableLog.DEDUPE_BUFFER_BYTES_DEFAULT),
          Double.parseDouble(rate.trim()));
    } catch (IllegalArgumentException wrong) {
      throw StartupException.wrongConfiguration("log cleaner: " + wrong.getMessage(), wrong);
    }
  }

  private Duration millis(String setting, int otherwise) {
    return Duration.ofMillis(Math.max(1, config.kafkaInt(setting, otherwise)));
  }

  private ReplicaConfig replicaConfig(MetadataImage image, String topic) {
    Map<String, String> values = EffectiveConfigs.effectiveTopicConfig(image, staticConfig, topic);
    return new ReplicaConfig(
        LogConfig.of(values),
        Integer.parseInt(values.getOrDefault(TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG, "1").trim()));
  }

  private GroupConfig groupConfig() {
    return GroupSettings.of(
        EffectiveConfigs.effectiveNodeConfig(MetadataImage.EMPTY, staticConfig));
  }

  private KafkaServer bind(
      MetadataService metadata,
      LocalReplicas replicas,
      GroupCoordinator groups,
      ProducerIds producerIds) {
    List<ApiHandler> handlers =
        Handlers.all(
            config,
            new NodeIdentity(nodeId, staticConfig),
            clusterId,
            metadata,
            replicas,
            groups,
            producerIds,
            new SingleLogDirectory(data.partitions().path()),
            clock);
    List<ListenAddress> addresses =
        config.listeners().stream()
            .map(listener -> new ListenAddress(listener.name(), listener.host(), listener.port()))
            .toList();
    try {
      return KafkaServer.bind(addresses, handlers, List.of(), WireSettings.of(config), clock);
    } catch (BindException failure) {
      throw StartupException.inUse(String.valueOf(failure.getMessage()), failure);
    } catch (IOException failure) {
      throw StartupException.wrongConfiguration(String.valueOf(failure.getMessage()), failure);
    }
  }

  private List<NodeConfig.Listener> addresses(KafkaServer server) {
    Map<String, Integer> ports = server.ports();
    return config.listeners().stream()
        .map(listener ->
            new NodeConfig.Listener(
                listener.name(),
                listener.host().isEmpty() ? "localhost" : listener.host(),
                ports.getOrDefault(listener.name(), listener.port())))
        .toList();
  }

  private void register(MetadataService metadata, List<NodeConfig.Listener> bound) {
    List<NodeImage.Endpoint> endpoints = new ArrayList<>();
    for (NodeConfig.Listener listener : bound) {
      NodeConfig.Listener advertised =
          config.advertised().stream()
              .filter(other -> other.name().equals(listener.name()))
              .findFirst()
              .orElse(listener);
      String host =
          advertised.host().isEmpty() || advertised.host().equals("0.0.0.0")
              ? HostNames.canonical()
              : advertised.host();
      int port = advertised.port() == 0 ? listener.port() : advertised.port();
      endpoints.add(new NodeImage.Endpoint(listener.name(), host, port, "PLAINTEXT"));
    }
    MetadataReply.NodeRegistered reply =
        await(
            metadata.submit(
                new MetadataCommand.RegisterNode(
                    nodeId,
                    self.incarnation(),
                    clusterId,
                    endpoints,
                    Optional.ofNullable(staticConfig.get("broker.rack")),
                    List.of(directoryId))),
            "registering the node with the metadata group");
    refuse(reply.error(), reply.message(), "register");
    nodeEpoch.set(reply.nodeEpoch());
  }

  private void unfence(MetadataService metadata) {
    MetadataReply.Done reply =
        await(
            metadata.submit(new MetadataCommand.UnfenceNode(nodeId, nodeEpoch.get())),
            "joining the metadata group's live nodes");
    refuse(reply.error(), reply.message(), "unfence");
  }

  private void refuse(Errors error, String message, String what) {
    if (error != Errors.NONE) {
      throw new StartupException(
          "the metadata group refused to " + what + " node " + nodeId + ": " + message);
    }
  }

  private static <T> T await(CompletionStage<T> stage, String doing) {
    try {
      return stage.toCompletableFuture().get(STEP_TIMEOUT.toSeconds(), TimeUnit.SECONDS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new StartupException("interrupted while " + doing, interrupted);
    } catch (TimeoutException late) {
      throw new StartupException(
          doing + " took longer than " + STEP_TIMEOUT.toSeconds() + " s", late);
    } catch (ExecutionException failure) {
      throw new StartupException(doing + " failed: " + failure.getCause(), failure);
    }
  }

  /**
   * Threads that carry the replica actors they tell of a flush: one hand-over less in fsync mode.
   */
  private static java.util.concurrent.ThreadFactory carriers(String name) {
    AtomicInteger number = new AtomicInteger();
    return task -> {
      CarrierThread thread = new CarrierThread(task, name + "-" + number.getAndIncrement());
      thread.setDaemon(true);
      return thread;
    };
  }

  private static java.util.concurrent.ThreadFactory named(String name) {
    return Thread.ofPlatform().daemon().name(name + "-", 0).factory();
  }
}
