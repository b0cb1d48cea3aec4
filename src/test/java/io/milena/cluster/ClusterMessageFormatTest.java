package io.milena.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import akka.actor.testkit.typed.javadsl.SerializationTestKit;
import akka.actor.typed.ActorRef;
import com.typesafe.config.ConfigFactory;
import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataReply;
import io.milena.metadata.actor.MetadataGroup;
import io.milena.raft.Message;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Everything that members of the metadata group say to each other survives the way, as CBOR. */
class ClusterMessageFormatTest {

  private static ActorTestKit testKit;
  private static SerializationTestKit serialization;
  private static RecordSamples samples;
  private static ActorRef<MetadataGroup.Command> member;

  @BeforeAll
  static void startSystem() {
    testKit =
        ActorTestKit.create(
            "format",
            ConfigFactory.parseString(
                    "akka.actor.provider = local\nakka.actor.allow-java-serialization = off")
                .withFallback(ConfigFactory.load()));
    serialization = new SerializationTestKit(testKit.system());
    member = testKit.<MetadataGroup.Command>createTestProbe().ref();
    samples = new RecordSamples(Map.of(ActorRef.class, member));
  }

  @AfterAll
  static void stopSystem() {
    testKit.shutdownTestKit();
  }

  private static void verify(Object message) {
    assertThat(serialization.verifySerialization(message, true)).isEqualTo(message);
  }

  @Test
  void everyCommandIsForwardedAsItIs() {
    List<Object> commands = samples.all(MetadataCommand.class);
    assertThat(commands).hasSizeGreaterThanOrEqualTo(11);
    for (Object command : commands) {
      verify(new MetadataGroup.Forward(member, 5, (MetadataCommand<?>) command, 2));
    }
  }

  @Test
  void everyReplyComesBackAsItIs() {
    List<Object> replies = samples.all(MetadataReply.class);
    assertThat(replies).hasSizeGreaterThanOrEqualTo(7);
    for (Object reply : replies) {
      verify(
          new MetadataGroup.Answered(5, new MetadataGroup.Decided((MetadataReply) reply), 1 << 20));
    }
    verify(new MetadataGroup.Answered(5, new MetadataGroup.Unavailable("why"), 0));
  }

  @Test
  void everyMessageOfRaftArrivesAsItIs() {
    List<Object> messages = samples.all(Message.class);
    assertThat(messages).hasSize(Message.class.getPermittedSubclasses().length);
    for (Object message : messages) {
      verify(new MetadataGroup.Receive(3, (Message) message));
    }
  }

  @Test
  void leaderTellsOtherNodesItsStatus() {
    ActorRef<MetadataGroup.LeaderStatus> asker =
        testKit.<MetadataGroup.LeaderStatus>createTestProbe().ref();
    verify(new MetadataGroup.GetLeaderStatus(asker, 2));
    verify(samples.of(MetadataGroup.LeaderStatus.class));
  }

  @Test
  void everyRemoteMessageIsCovered() {
    assertThat(MetadataGroup.Remote.class.getPermittedSubclasses())
        .containsExactlyInAnyOrder(
            MetadataGroup.Receive.class,
            MetadataGroup.Forward.class,
            MetadataGroup.Answered.class,
            MetadataGroup.GetLeaderStatus.class);
  }
}
