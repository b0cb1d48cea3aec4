package io.milena.bench;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.DispatcherSelector;
import akka.actor.typed.javadsl.Behaviors;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.milena.common.CarrierThread;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One message to an actor and its answer: on the replica dispatcher from a carrier thread, as a
 * network loop does it, and on Akka's default dispatcher from a thread that waits.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
    value = 1,
    jvmArgsAppend = {
      "-Djmh.executor=CUSTOM",
      "-Djmh.executor.class=io.milena.bench.CarrierBenchmark$CarrierThreads"
    })
public class CarrierBenchmark {

  /** Makes JMH's own threads carriers. */
  public static final class CarrierThreads extends ThreadPoolExecutor {
    public CarrierThreads(int threads, String prefix) {
      super(
          threads,
          threads,
          0,
          TimeUnit.SECONDS,
          new LinkedBlockingQueue<>(),
          task -> {
            CarrierThread thread = new CarrierThread(task, prefix);
            thread.setDaemon(true);
            return thread;
          });
    }
  }

  private record Ask(long number, CompletableFuture<Long> answer) {}

  private ActorSystem<Void> system;
  private ActorRef<Ask> carried;
  private ActorRef<Ask> elsewhere;

  @Setup
  public void start() {
    Config config =
        ConfigFactory.parseString("akka.actor.provider = local")
            .withFallback(ConfigFactory.parseResources("milena-akka.conf"))
            .withFallback(ConfigFactory.load());
    system = ActorSystem.create(Behaviors.empty(), "benchmark", config.resolve());
    carried =
        system.systemActorOf(
            counter(), "carried", DispatcherSelector.fromConfig("milena.replica-dispatcher"));
    elsewhere =
        system.systemActorOf(counter(), "elsewhere", DispatcherSelector.defaultDispatcher());
  }

  private static akka.actor.typed.Behavior<Ask> counter() {
    return Behaviors.receive(Ask.class)
        .onMessage(
            Ask.class,
            ask -> {
              ask.answer().complete(ask.number() + 1);
              return Behaviors.same();
            })
        .build();
  }

  @TearDown
  public void stop() {
    system.terminate();
  }

  @Benchmark
  public long onTheCarrier() {
    CompletableFuture<Long> answer = new CompletableFuture<>();
    carried.tell(new Ask(1, answer));
    return answer.join();
  }

  @Benchmark
  public long onAnotherThread() {
    CompletableFuture<Long> answer = new CompletableFuture<>();
    elsewhere.tell(new Ask(1, answer));
    return answer.join();
  }
}
