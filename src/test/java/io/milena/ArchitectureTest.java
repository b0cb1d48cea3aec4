package io.milena;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/**
 * The layering and purity rules of docs/architecture.md, section 3, held against the compiled
 * classes.
 */
@AnalyzeClasses(packages = "io.milena", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {

  @ArchTest
  static final ArchRule dependenciesPointUpTheTable =
      layeredArchitecture()
          .consideringOnlyDependenciesInLayers()
          .withOptionalLayers(true)
          .layer("common")
          .definedBy("io.milena.common")
          .layer("log")
          .definedBy("io.milena.log..")
          .layer("raft")
          .definedBy("io.milena.raft")
          .layer("metadata")
          .definedBy("io.milena.metadata")
          .layer("replication")
          .definedBy("io.milena.replication")
          .layer("group")
          .definedBy("io.milena.group")
          .layer("journal")
          .definedBy("io.milena.journal")
          .layer("actors")
          .definedBy(
              "io.milena.metadata.actor", "io.milena.replication.actor", "io.milena.group.actor")
          .layer("cluster")
          .definedBy("io.milena.cluster")
          .layer("edges")
          .definedBy("io.milena.wire..", "io.milena.http..")
          .layer("node")
          .definedBy("io.milena.node")
          .layer("cli")
          .definedBy("io.milena.cli..")
          .whereLayer("cli")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("node")
          .mayOnlyBeAccessedByLayers("cli")
          .whereLayer("edges")
          .mayOnlyBeAccessedByLayers("node", "cli")
          .whereLayer("cluster")
          .mayOnlyBeAccessedByLayers("edges", "node", "cli")
          .whereLayer("actors")
          .mayOnlyBeAccessedByLayers("cluster", "edges", "node", "cli")
          .whereLayer("journal")
          .mayOnlyBeAccessedByLayers("actors", "cluster", "edges", "node", "cli")
          .whereLayer("group")
          .mayOnlyBeAccessedByLayers("actors", "cluster", "edges", "node", "cli")
          .whereLayer("raft")
          .mayOnlyBeAccessedByLayers(
              "metadata", "journal", "actors", "cluster", "edges", "node", "cli");

  @ArchTest
  static final ArchRule onlyTheShellsKnowAkka =
      noClasses()
          .that()
          .resideOutsideOfPackages(
              "io.milena..actor..",
              "io.milena.cluster..",
              "io.milena.wire..",
              "io.milena.http..",
              "io.milena.journal..",
              "io.milena.node..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("akka..");

  @ArchTest
  static final ArchRule onlyTheEdgesAndTheLogTouchFilesAndSockets =
      noClasses()
          .that()
          .resideInAnyPackage(
              "io.milena.raft..", "io.milena.metadata", "io.milena.replication", "io.milena.group")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("java.nio.file..", "java.nio.channels..", "java.net..");

  @ArchTest
  static final ArchRule pureCoresReadNoClockAndStartNoThread =
      noClasses()
          .that()
          .resideInAnyPackage(
              "io.milena.raft..", "io.milena.metadata", "io.milena.replication", "io.milena.group")
          .should()
          .callMethod(System.class, "currentTimeMillis")
          .orShould()
          .callMethod(System.class, "nanoTime")
          .orShould()
          .callMethod(Math.class, "random")
          .orShould()
          .dependOnClassesThat()
          .areAssignableTo(Thread.class)
          .orShould()
          .dependOnClassesThat()
          .areAssignableTo(java.util.concurrent.ExecutorService.class);

  @ArchTest
  static final ArchRule onlyTheWallSeamReadsTheWallClock =
      classes()
          .that()
          .resideInAnyPackage("io.milena.log..", "io.milena..actor..")
          .should(
              com.tngtech.archunit.lang.conditions.ArchConditions.not(
                  com.tngtech.archunit.lang.conditions.ArchConditions.callMethod(
                      System.class, "currentTimeMillis")));
}
