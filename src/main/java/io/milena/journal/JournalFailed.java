package io.milena.journal;

import java.nio.file.Path;

/**
 * A journal could not be written, and not for lack of space: it refuses everything from now on.
 * Published once on the event stream of the actor system.
 */
public record JournalFailed(Path directory, Exception cause) {}
