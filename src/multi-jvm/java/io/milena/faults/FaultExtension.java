package io.milena.faults;

import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.milena.SmallDisk;
import io.milena.faults.FaultCluster.Disks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.kafka.common.utils.Utils;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.opentest4j.TestAbortedException;

/**
 * A cluster for the cases of a class: each goes on with the cluster that the one before has left,
 * and gets a fresh one where that one failed.
 */
final class FaultExtension implements BeforeEachCallback, AfterEachCallback, AfterAllCallback {

  /** The tag of cases that only {@code mvn verify -Pfaults} runs. */
  static final String WHOLE_LIST = "whole-list";

  private final int size;
  private final Disks disks;
  private Path directory;
  private FaultCluster cluster;
  private int clusters;

  FaultExtension(int size, Disks disks) {
    this.size = size;
    this.disks = disks;
  }

  FaultCluster cluster() {
    return cluster;
  }

  /** Skips the case where nodes cannot be cut off. */
  void assumeCuts() {
    String reason = cluster.network().whyNoCuts();
    assumeTrue(reason.isEmpty(), reason);
  }

  /** The disk of a node; skips the case where there is none. */
  SmallDisk assumeSmallDisk(int node) {
    return cluster
        .disk(node)
        .orElseGet(() -> abort("skipped: mounting a file system is not allowed here"));
  }

  @Override
  public void beforeEach(ExtensionContext context) throws Exception {
    if (cluster != null) {
      return;
    }
    directory = Files.createTempDirectory("milena-faults");
    String name = context.getRequiredTestClass().getSimpleName() + "-" + ++clusters;
    cluster =
        FaultCluster.start(directory, FaultReport.DIRECTORY.resolve(name), network(), size, disks);
  }

  private ClusterNetwork network() {
    try {
      return NamespaceNetwork.create(size);
    } catch (IOException failure) {
      return new LoopbackNetwork("skipped: no network namespaces here: " + failure.getMessage());
    }
  }

  @Override
  public void afterEach(ExtensionContext context) throws Exception {
    boolean failed =
        context
            .getExecutionException()
            .filter(failure -> !(failure instanceof TestAbortedException))
            .isPresent();
    if (failed) {
      closeCluster();
    }
  }

  @Override
  public void afterAll(ExtensionContext context) throws Exception {
    closeCluster();
  }

  private void closeCluster() throws Exception {
    if (cluster != null) {
      cluster.close();
      cluster = null;
      Utils.delete(directory.toFile());
    }
  }
}
