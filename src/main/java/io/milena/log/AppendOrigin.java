package io.milena.log;

/** Who writes to a log as its leader; decides which checks of producer state apply. */
public enum AppendOrigin {
  /** A client: everything is checked. */
  CLIENT,
  /** A group or transaction coordinator of this cluster: sequences are not checked. */
  COORDINATOR
}
