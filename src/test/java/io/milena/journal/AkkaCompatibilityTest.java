package io.milena.journal;

import static org.assertj.core.api.Assertions.assertThat;

import akka.persistence.CapabilityFlag;
import akka.persistence.japi.journal.JavaJournalSpec;
import akka.persistence.japi.snapshot.JavaSnapshotStoreSpec;
import akka.persistence.journal.JournalSpec$;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.scalatest.Args;
import org.scalatest.Suite;
import org.scalatest.events.Event;
import org.scalatest.events.SuiteAborted;
import org.scalatest.events.TestFailed;
import org.scalatest.events.TestSucceeded;
import scala.Option;

/** Akka's own test kit for persistence plugins, one JUnit test for each of its tests. */
class AkkaCompatibilityTest {
  @TempDir Path directory;

  @TestFactory
  Stream<DynamicTest> journal() {
    return run(new Journal(config()), 16);
  }

  @TestFactory
  Stream<DynamicTest> snapshotStore() {
    return run(new SnapshotStore(config()), 12);
  }

  private Config config() {
    return ConfigFactory.parseMap(
            Map.of(
                "akka.persistence.journal.plugin", "milena.journal",
                "akka.persistence.snapshot-store.plugin", "milena.snapshot-store",
                "milena.journal.dir", directory.toString(),
                "milena.journal.segment-bytes", "1000"))
        .withFallback(JournalSpec$.MODULE$.config())
        .withFallback(ConfigFactory.load());
  }

  private static Stream<DynamicTest> run(Suite suite, int testCountMin) {
    List<Event> events = new ArrayList<>();
    var args =
        Args.apply(
            event -> {
              synchronized (events) {
                events.add(event);
              }
            },
            Args.apply$default$2(),
            Args.apply$default$3(),
            Args.apply$default$4(),
            Args.apply$default$5(),
            Args.apply$default$6(),
            Args.apply$default$7(),
            Args.apply$default$8(),
            Args.apply$default$9(),
            Args.apply$default$10());
    suite.run(Option.empty(), args).waitUntilCompleted();
    var tests = events.stream().flatMap(event -> asTest(event).stream()).toList();
    assertThat(tests).hasSizeGreaterThanOrEqualTo(testCountMin);
    return tests.stream();
  }

  private static Optional<DynamicTest> asTest(Event event) {
    return switch (event) {
      case TestSucceeded succeeded ->
          Optional.of(DynamicTest.dynamicTest(succeeded.testName(), () -> {}));
      case TestFailed failed ->
          Optional.of(
              DynamicTest.dynamicTest(
                  failed.testName(),
                  () -> {
                    throw new AssertionError(
                        failed.message(), failed.throwable().getOrElse(() -> null));
                  }));
      case SuiteAborted aborted ->
          Optional.of(
              DynamicTest.dynamicTest(
                  "suite",
                  () -> {
                    throw new AssertionError(aborted.message());
                  }));
      default -> Optional.empty();
    };
  }

  private static final class Journal extends JavaJournalSpec {
    Journal(Config config) {
      super(config);
    }

    @Override
    public CapabilityFlag supportsRejectingNonSerializableObjects() {
      return CapabilityFlag.on();
    }

    @Override
    public CapabilityFlag supportsSerialization() {
      return CapabilityFlag.on();
    }
  }

  private static final class SnapshotStore extends JavaSnapshotStoreSpec {
    SnapshotStore(Config config) {
      super(config);
    }

    @Override
    public CapabilityFlag supportsSerialization() {
      return CapabilityFlag.on();
    }
  }
}
