package io.milena.metadata.actor;

import akka.actor.typed.ActorRef;
import io.milena.metadata.actor.MetadataGroup.Answered;
import io.milena.metadata.actor.MetadataGroup.Command;
import io.milena.metadata.actor.MetadataGroup.Outcome;

/** Who asked the metadata group for a change, and gets the outcome. */
sealed interface Asker {

  /**
   * @param imageIndex of an image that shows what the outcome says
   */
  void tell(Outcome outcome, long imageIndex);

  /** Somebody on this node, who is told once this node's image shows it. */
  record Here(ActorRef<Outcome> replyTo) implements Asker {
    @Override
    public void tell(Outcome outcome, long imageIndex) {
      replyTo.tell(outcome);
    }
  }

  /** The member on another node, which waits for its own image. */
  record Elsewhere(ActorRef<Command> member, long requestId) implements Asker {
    @Override
    public void tell(Outcome outcome, long imageIndex) {
      member.tell(new Answered(requestId, outcome, imageIndex));
    }
  }

  /** The leader itself, which sees in the image what became of it. */
  enum Nobody implements Asker {
    INSTANCE;

    @Override
    public void tell(Outcome outcome, long imageIndex) {}
  }
}
