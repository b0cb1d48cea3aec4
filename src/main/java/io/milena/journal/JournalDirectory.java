package io.milena.journal;

import com.typesafe.config.Config;

/** Where the plugins keep their files: both below {@code milena.journal.dir}. */
final class JournalDirectory {
  private JournalDirectory() {}

  /**
   * @param config of the journal plugin
   */
  static String events(Config config) {
    return checked(config.getString("dir")) + "/events";
  }

  /**
   * @param config of the snapshot plugin; its {@code dir} may be empty
   * @param system the whole configuration
   */
  static String snapshots(Config config, Config system) {
    String own = config.getString("dir");
    return own.isEmpty() ? checked(system.getString("milena.journal.dir")) + "/snapshots" : own;
  }

  private static String checked(String directory) {
    if (directory.isEmpty()) {
      throw new IllegalArgumentException(
          "milena.journal.dir is empty: set it to a directory in this node's data directory");
    }
    return directory;
  }
}
