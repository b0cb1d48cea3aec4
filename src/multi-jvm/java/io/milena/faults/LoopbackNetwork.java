package io.milena.faults;

import io.milena.NodeProcess.Place;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/** All nodes on the loopback interface: nothing can be cut. */
final class LoopbackNetwork implements ClusterNetwork {

  private final Map<Integer, Place> places = new HashMap<>();
  private final String whyNoCuts;

  LoopbackNetwork(String whyNoCuts) {
    this.whyNoCuts = whyNoCuts;
  }

  @Override
  public Place place(int node) throws IOException {
    Place place = places.get(node);
    if (place == null) {
      place = Place.onLoopback();
      places.put(node, place);
    }
    return place;
  }

  @Override
  public String whyNoCuts() {
    return whyNoCuts;
  }

  @Override
  public void cut(int from, int to) {
    throw new UnsupportedOperationException(whyNoCuts);
  }

  @Override
  public void heal() {
    // Nothing was cut.
  }

  @Override
  public void close() {
    // Nothing was made.
  }
}
