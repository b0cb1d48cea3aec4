package io.milena.node;

import akka.actor.Address;
import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.Behavior;
import akka.actor.typed.Props;
import akka.actor.typed.javadsl.Behaviors;
import akka.cluster.typed.Cluster;
import akka.cluster.typed.Join;
import akka.remote.RemoteTransportException;
import io.milena.cluster.ClusterJoiner;
import io.milena.cluster.ClusterMetadata;
import io.milena.cluster.KnownNodesKeeper;
import io.milena.cluster.MemberIdentity;
import io.milena.cluster.MetadataMember;
import io.milena.cluster.NodeWatch;
import io.milena.cluster.OtherNodes;
import io.milena.cluster.ReplicaSetLeaders;
import io.milena.cluster.SelfWatch;
import io.milena.common.CarrierThread;
import io.milena.common.Clock;
import io.milena.group.GroupConfig;
import io.milena.group.actor.GroupCoordinator;
import io.milena.http.HttpNode;
import io.milena.http.HttpPort;
import io.milena.http.peer.HttpAddressApi;
import io.milena.log.LogConfig;
import io.milena.metadata.ConfigDefinitions;
import io.milena.metadata.EffectiveConfigs;
import io.milena.metadata.LeaderBalance;
import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataReply;
import io.milena.metadata.MetadataService;
import io.milena.metadata.NodeImage;
import io.milena.metadata.actor.MetadataGroupSettings;
import io.milena.raft.Membership;
import io.milena.raft.RaftConfig;
import io.milena.replication.ReplicaConfig;
import io.milena.replication.actor.FlushRounds;
import io.milena.replication.actor.InSyncProposals;
import io.milena.replication.actor.LocalReplicas;
import io.milena.replication.actor.LogDirectories;
import io.milena.wire.KafkaServer;
import io.milena.wire.ListenAddress;
import io.milena.wire.handler.ApiHandler;
import io.milena.wire.handler.ClusterInfoApi;
import io.milena.wire.handler.LeaderLookup;
import io.milena.wire.handler.NodeIdentity;
import io.milena.wire.handler.PrivateApi;
import io.milena.wire.handler.ProducerIds;
import java.io.IOException;
import java.net.BindException;
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
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
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

  private static final Duration METADATA_TIMEOUT = Duration.ofSeconds(30);

  /** One tick of Raft: elections after 14 to 28 of silence. */
  private static final Duration TICK_INTERVAL = Duration.ofMillis(50);

  /** A leader that nobody heard of for this many silence timeouts has long been replaced. */
  private static final int CUT_OFF_SILENCES = 2;

  private static final Logger LOG = LoggerFactory.getLogger(NodeStarter.class);

  /** Flushes of one round of fsync mode that run side by side; more wait for a thread. */
  private static final int FLUSH_THREADS = 16;

  private static final Duration PROGRESS_INTERVAL = Duration.ofSeconds(10);
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(10);
  private static final long UNKNOWN_NODE_EPOCH = -1;

  private final NodeConfig config;
  private final DataDirectory data;
  private final Clock clock = Clock.system();
  private final Belonging belonging;
  private final int nodeId;
  private final Uuid clusterId;
  private final LogDirectories directories;
  private final MemberIdentity self;
  private final Map<String, String> staticConfig;

  /** What holds on this node where nothing dynamic is set. */
  private final Map<String, String> fixedValues;

  private final AtomicLong nodeEpoch = new AtomicLong(UNKNOWN_NODE_EPOCH);
  private List<ApiHandler> apis = List.of();

  /** Where clients reach this node by HTTP; empty until they do. */
  private volatile String httpAddress = "";

  private NodeStarter(NodeConfig config, DataDirectory data, Belonging belonging) {
    this.config = config;
    this.data = data;
    this.belonging = belonging;
    this.nodeId = belonging.nodeId();
    this.clusterId = belonging.clusterId();
    this.directories = data.logDirectories(clusterId.toString(), nodeId);
    this.self = new MemberIdentity(nodeId, Uuid.randomUuid());
    Map<String, String> settings = new HashMap<>(config.kafka());
    settings.put("node.id", Integer.toString(nodeId));
    this.staticConfig = Map.copyOf(settings);
    this.fixedValues = EffectiveConfigs.effectiveNodeConfig(MetadataImage.EMPTY, this.staticConfig);
    // What their parts would find wrong later, when there is more to undo.
    var _ = WireSettings.of(config, fixedValues);
    var _ = groupConfig();
    var _ = NodeSettings.cleaner(fixedValues);
    var _ = Replication.settings(config);
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

  /**
   * Starts a node and returns once it serves.
   *
   * @throws StartupException when it cannot
   */
  static Node.Parts start(NodeConfig config, DataDirectory data) {
    validate(config.kafka());
    Belonging belonging = Belonging.of(config, data);
    while (true) {
      try {
        return new NodeStarter(config, data, belonging).start();
      } catch (NodeIdTakenException taken) {
        if (!belonging.isIdChosen()) {
          throw taken;
        }
        belonging = belonging.withAnotherId(config, data);
      }
    }
  }

  private Node.Parts start() {
    ActorSystem<Void> system = createSystem();
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

  private ActorSystem<Void> createSystem() {
    try {
      return ActorSystem.create(Behaviors.empty(), "milena", AkkaSettings.of(config, data, self));
    } catch (RemoteTransportException failure) {
      throw StartupException.inUse(
          "cluster port "
              + config.cluster().address()
              + " cannot be listened on ("
              + failure.getMessage()
              + "): stop what uses it, or choose another with milena.cluster.port",
          failure);
    }
  }

  private Node.Parts start(ActorSystem<Void> system, List<ExecutorService> executors) {
    // A node that is alone need not ask anybody, and has its cluster while it does the rest.
    boolean isAlone = belonging.founder() && !belonging.hasOthers();
    if (isAlone) {
      Cluster cluster = Cluster.get(system);
      cluster.manager().tell(Join.create(cluster.selfMember().address()));
    }
    CompletionStage<String> disksFailed =
        JournalWatch.start(system)
            .applyToEither(
                directories
                    .allFailed()
                    .thenApply(_ ->
                        "none of its log directories can be used any more: repair the disks,"
                            + " then start it again"),
                reason -> reason);
    MetadataMember member = metadata(system);
    MetadataService metadata = member.service();
    ClusterMetadata.get(system).provide(metadata);
    ExecutorService io = Executors.newCachedThreadPool(carriers("milena-io"));
    int openerThreads = NodeSettings.recoveryThreads(fixedValues);
    ThreadPoolExecutor openers =
        new ThreadPoolExecutor(
            openerThreads,
            openerThreads,
            0,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(), // bounded by the partitions of this node
            named("milena-open"));
    ExecutorService flushers =
        Executors.newFixedThreadPool(FLUSH_THREADS, carriers("milena-flush"));
    executors.add(io);
    executors.add(flushers);
    executors.add(openers);
    LocalReplicas replicas = replicas(system, metadata, io, flushers, openers);
    GroupCoordinator groups =
        new GroupCoordinator(nodeId, groupConfig(), replicas, metadata, clock);
    ProducerIds producerIds = new ProducerIds(metadata, nodeId, nodeEpoch::get);
    Replication replication =
        new Replication(nodeId, clusterId, metadata, replicas, Replication.settings(config), clock);
    replication.limit(NodeSettings.rates(fixedValues));
    KafkaServer server = bind(member, replicas, groups, producerIds, replication);
    OtherNodes others = new OtherNodes(nodeId, metadata);
    NodeWatch watch =
        new NodeWatch(
            nodeId,
            gone -> {
              member.gone(gone);
              others.gone(gone);
            });
    Optional<HttpPort> http = Optional.empty();
    try {
      metadata.subscribe(new KnownNodesKeeper(nodeId, belonging.founder(), data.metadata(), io));
      metadata.subscribe(watch);
      metadata.subscribe(others);
      metadata.subscribe(replicas);
      metadata.subscribe(dynamicSettings(replicas, openers, replication, server, io));
      List<NodeConfig.Listener> addresses = addresses(server);
      register(system, metadata, addresses);
      AtomicBoolean ready = new AtomicBoolean();
      http = http(system, metadata, replicas, server, ready);
      replicas.removeStrays();
      awaitAll(
          replicas.allOpened(),
          () -> {
            LocalReplicas.Progress progress = replicas.openingProgress();
            LOG.info("opening the partition logs: {} of {}", progress.opened(), progress.all());
          });
      replicas.begin();
      data.rememberLogDirectories();
      // Before it may lead: others lead what is on a dead disk.
      awaitAll(
          replicas.reportOffline(),
          () -> LOG.info("waiting for the metadata group, which must know of offline replicas"));
      // Not before: what a group appends must find the mark of the last clean stop removed.
      spawn(system, groups.behavior(), "groups");
      unfence(metadata);
      producerIds.prefetch();
      server.start();
      replication.start(server, nodeEpoch::get);
      ready.set(true);
      CompletableFuture<String> givenUp = SelfWatch.start(system, self, metadata);
      LostContact.watch(system, member, nodeId, nodeEpoch.get(), cutOffTime(), givenUp);
      if (!isAlone) {
        ClusterJoiner.start(system, nodeId, metadata);
      }
      ReplicaSetLeaders leaders =
          ReplicaSetLeaders.start(system, nodeId, nodeEpoch::get, metadata, leaderBalance());
      return new Node.Parts(
          self,
          nodeEpoch.get(),
          system,
          member,
          watch,
          others,
          leaders,
          replicas,
          replication,
          server,
          addresses,
          clusterAddress(system),
          http,
          executors,
          givenUp,
          disksFailed);
    } catch (RuntimeException failure) {
      watch.close();
      http.ifPresent(HttpPort::stop); // else its port is taken when the node tries again
      replication.close();
      server.stop(0).join();
      replicas.abandon();
      throw failure;
    }
  }

  /** Recovery takes as long as it takes, however many bytes there are; it says how far it is. */
  private static void awaitAll(CompletionStage<Void> stage, Runnable onProgress) {
    CompletableFuture<Void> all = stage.toCompletableFuture();
    while (!all.isDone()) {
      try {
        all.get(PROGRESS_INTERVAL.toSeconds(), TimeUnit.SECONDS);
      } catch (TimeoutException notYet) {
        onProgress.run();
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
        throw new StartupException("interrupted while opening the partition logs", interrupted);
      } catch (ExecutionException failure) {
        throw new StartupException(
            "opening the partition logs failed: " + failure.getCause(), failure);
      }
    }
  }

  private Optional<HttpPort> http(
      ActorSystem<Void> system,
      MetadataService metadata,
      LocalReplicas replicas,
      KafkaServer server,
      AtomicBoolean ready) {
    if (config.http().port() < 0) {
      return Optional.empty();
    }
    HttpNode node =
        new HttpNode(
            clusterId.toString(),
            new NodeIdentity(nodeId, staticConfig),
            metadata,
            replicas,
            apis,
            HttpPortSettings.advertised(config),
            () -> {
              LocalReplicas.Progress progress = replicas.openingProgress();
              return new HttpNode.Readiness(ready.get(), progress.opened(), progress.all());
            },
            server::metrics,
            clock);
    try {
      HttpPort port = HttpPort.bind(system, HttpPortSettings.of(config), node);
      httpAddress = HttpPortSettings.advertised(config).orElseGet(() -> httpAddress(port));
      return Optional.of(port);
    } catch (IOException failure) {
      throw StartupException.inUse(
          "HTTP port "
              + config.http()
              + " cannot be listened on: stop what uses it or choose another with --http HOST:PORT",
          failure);
    }
  }

  /**
   * A node that listens on every interface is reached by HTTP where it is by the Kafka protocol.
   */
  private String httpAddress(HttpPort port) {
    boolean everywhere = config.http().host().isEmpty() || config.http().host().equals("0.0.0.0");
    String host = everywhere ? advertisedHost(config.listeners().getFirst()) : config.http().host();
    return new NodeConfig.Listener("HTTP", host, port.address().getPort()).toString();
  }

  private MetadataMember metadata(ActorSystem<Void> system) {
    MetadataGroupSettings settings =
        new MetadataGroupSettings(
            RaftConfig.defaults(nodeId),
            belonging.founder() ? Membership.ofVoters(nodeId) : Membership.EMPTY,
            staticConfig,
            new SecureRandom().nextLong(),
            TICK_INTERVAL,
            METADATA_TIMEOUT,
            config.cluster().silenceTimeout(),
            config.cluster().voters(),
            MetadataGroupSettings.DEFAULT_SNAPSHOT_BYTES,
            "",
            "");
    return MetadataMember.start(system, settings, belonging.known(), METADATA_TIMEOUT);
  }

  private static <T> ActorRef<T> spawn(
      ActorSystem<Void> system, Behavior<T> behavior, String name) {
    return system.systemActorOf(behavior, name, Props.empty());
  }

  private LocalReplicas replicas(
      ActorSystem<Void> system,
      MetadataService metadata,
      ExecutorService io,
      ExecutorService flushers,
      ExecutorService openers) {
    LocalReplicas replicas =
        new LocalReplicas(
            nodeId,
            self.incarnation(),
            directories,
            this::replicaConfig,
            new LocalReplicas.Intervals(
                millis("log.retention.check.interval.ms", 300_000),
                millis("replica.high.watermark.checkpoint.interval.ms", 5_000),
                millis("log.flush.offset.checkpoint.interval.ms", 60_000)),
            NodeSettings.cleaner(fixedValues),
            NodeSettings.rates(fixedValues).moving(),
            clock,
            openers,
            io,
            new FlushRounds(flushers));
    replicas.start(
        new LocalReplicas.Spawner() {
          @Override
          public <T> ActorRef<T> spawn(Behavior<T> behavior, String name) {
            return NodeStarter.spawn(system, behavior, name);
          }
        },
        new InSyncProposals(metadata, nodeEpoch::get, millis("replica.lag.time.max.ms", 30_000)));
    return replicas;
  }

  /**
   * As long as nobody says otherwise leaders return at once, not after Kafka's five minutes and
   * from a tenth on.
   */
  private LeaderBalance.Settings leaderBalance() {
    return new LeaderBalance.Settings(
        Boolean.parseBoolean(config.kafka("auto.leader.rebalance.enable", "true").trim()),
        Duration.ofSeconds(
            Math.max(0, config.kafkaLong("leader.imbalance.check.interval.seconds", 0))),
        Math.max(0, config.kafkaInt("leader.imbalance.per.broker.percentage", 0)));
  }

  private Duration millis(String setting, int otherwise) {
    return Duration.ofMillis(Math.max(1, config.kafkaInt(setting, otherwise)));
  }

  private ReplicaConfig replicaConfig(MetadataImage image, String topic) {
    Map<String, String> values = EffectiveConfigs.effectiveTopicConfig(image, staticConfig, topic);
    Map<String, String> ofLog = new HashMap<>(values);
    String expiration =
        EffectiveConfigs.effectiveNodeValue(
            image, staticConfig, LogConfig.PRODUCER_EXPIRATION_CONFIG);
    if (expiration != null) {
      ofLog.put(LogConfig.PRODUCER_EXPIRATION_CONFIG, expiration);
    }
    return new ReplicaConfig(
        LogConfig.of(ofLog),
        Integer.parseInt(values.getOrDefault(TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG, "1").trim()));
  }

  private DynamicSettings dynamicSettings(
      LocalReplicas replicas,
      ThreadPoolExecutor openers,
      Replication replication,
      KafkaServer server,
      Executor io) {
    return new DynamicSettings(
        staticConfig,
        new DynamicSettings.Parts(
            replicas::reconfigureCleaner,
            threads -> {
              // Neither may ever be above the other.
              openers.setMaximumPoolSize(Math.max(threads, openers.getCorePoolSize()));
              openers.setCorePoolSize(threads);
              openers.setMaximumPoolSize(threads);
            },
            rates -> {
              replication.limit(rates);
              replicas.moveBytesPerSecond(rates.moving());
            },
            server::limit),
        io);
  }

  private GroupConfig groupConfig() {
    return GroupSettings.of(fixedValues);
  }

  private KafkaServer bind(
      MetadataMember member,
      LocalReplicas replicas,
      GroupCoordinator groups,
      ProducerIds producerIds,
      Replication replication) {
    MetadataService metadata = member.service();
    Duration cutOff = cutOffTime();
    apis =
        Handlers.all(
            config,
            new NodeIdentity(nodeId, staticConfig),
            clusterId,
            member,
            new LeaderLookup(metadata, replicas, () -> member.isCutOffFor(cutOff)),
            replicas,
            groups,
            producerIds,
            new NodeLogDirectories(directories, replicas),
            clock);
    List<ListenAddress> addresses =
        config.listeners().stream()
            .map(listener -> new ListenAddress(listener.name(), listener.host(), listener.port()))
            .toList();
    List<PrivateApi> own = new ArrayList<>(replication.apis());
    own.add(new ClusterInfoApi(metadata));
    own.add(new HttpAddressApi(() -> httpAddress));
    try {
      return KafkaServer.bind(addresses, apis, own, WireSettings.of(config, fixedValues), clock);
    } catch (BindException failure) {
      throw StartupException.inUse(String.valueOf(failure.getMessage()), failure);
    } catch (IOException failure) {
      throw StartupException.wrongConfiguration(String.valueOf(failure.getMessage()), failure);
    }
  }

  /** Without word of the metadata leader for so long a node takes itself for cut off. */
  private Duration cutOffTime() {
    return config.cluster().silenceTimeout().multipliedBy(CUT_OFF_SILENCES);
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

  private void register(
      ActorSystem<Void> system, MetadataService metadata, List<NodeConfig.Listener> bound) {
    List<NodeImage.Endpoint> endpoints = new ArrayList<>();
    for (NodeConfig.Listener listener : bound) {
      int port = advertised(listener).port() == 0 ? listener.port() : advertised(listener).port();
      String host = advertisedHost(listener);
      endpoints.add(new NodeImage.Endpoint(listener.name(), host, port, "PLAINTEXT"));
    }
    MetadataCommand.RegisterNode command =
        new MetadataCommand.RegisterNode(
            nodeId,
            self.incarnation(),
            clusterId,
            endpoints,
            clusterAddress(system),
            Optional.ofNullable(staticConfig.get("broker.rack")),
            List.of(belonging.directoryId()),
            directories.mayHaveLostRecords());
    MetadataReply.NodeRegistered reply = submitUntilDecided(metadata, command);
    if (reply.error() == Errors.DUPLICATE_BROKER_REGISTRATION) {
      throw new NodeIdTakenException(reply.message());
    }
    refuse(reply.error(), reply.message(), "register");
    nodeEpoch.set(reply.nodeEpoch());
  }

  private NodeConfig.Listener advertised(NodeConfig.Listener listener) {
    return config.advertised().stream()
        .filter(other -> other.name().equals(listener.name()))
        .findFirst()
        .orElse(listener);
  }

  private String advertisedHost(NodeConfig.Listener listener) {
    String host = advertised(listener).host();
    return host.isEmpty() || host.equals("0.0.0.0") ? HostNames.canonical() : host;
  }

  /** A node that starts before a majority of the voters runs waits for them, however long. */
  private static <R extends MetadataReply> R submitUntilDecided(
      MetadataService metadata, MetadataCommand<R> command) {
    CompletableFuture<R> reply = metadata.submit(command).toCompletableFuture();
    while (true) {
      try {
        return reply.get(PROGRESS_INTERVAL.toSeconds(), TimeUnit.SECONDS);
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
        throw new StartupException("interrupted while joining the metadata group", interrupted);
      } catch (TimeoutException notYet) {
        LOG.info("waiting for the metadata group: a majority of its voters must be running");
      } catch (ExecutionException undecided) {
        LOG.info("waiting for the metadata group: {}", String.valueOf(undecided.getCause()));
        reply = metadata.submit(command).toCompletableFuture();
      }
    }
  }

  private static NodeImage.ClusterAddress clusterAddress(ActorSystem<Void> system) {
    Address address = system.address();
    return new NodeImage.ClusterAddress(
        address.getHost().orElseThrow(), address.getPort().orElseThrow());
  }

  private void unfence(MetadataService metadata) {
    MetadataReply.Done reply =
        submitUntilDecided(metadata, new MetadataCommand.UnfenceNode(nodeId, nodeEpoch.get()));
    refuse(reply.error(), reply.message(), "unfence");
  }

  private void refuse(Errors error, String message, String what) {
    if (error != Errors.NONE) {
      throw new StartupException(
          "the metadata group refused to " + what + " node " + nodeId + ": " + message);
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
