package io.milena.node;

import java.net.InetAddress;
import java.net.UnknownHostException;

/** This machine's name, for a listener on every interface that does not say what to advertise. */
final class HostNames {

  private HostNames() {}

  static String canonical() {
    try {
      return InetAddress.getLocalHost().getCanonicalHostName();
    } catch (UnknownHostException noName) {
      return "localhost";
    }
  }
}
