package io.milena.cli;

import java.util.ArrayList;
import java.util.List;

/** Rows under headings, columns as wide as their widest cell, numbers to the right. */
public final class Table {

  private static final String GAP = "  ";

  private final List<String> headings;
  private final List<List<String>> rows = new ArrayList<>();

  public Table(String... headings) {
    this.headings = List.of(headings);
  }

  /** Adds one row, as many cells as there are headings. */
  public Table row(Object... cells) {
    if (cells.length != headings.size()) {
      throw new IllegalArgumentException(
          cells.length + " cells under " + headings.size() + " headings");
    }
    List<String> row = new ArrayList<>();
    for (Object cell : cells) {
      row.add(String.valueOf(cell));
    }
    rows.add(row);
    return this;
  }

  public boolean isEmpty() {
    return rows.isEmpty();
  }

  /** The headings and the rows, without trailing blanks. */
  public List<String> lines() {
    int columns = headings.size();
    int[] widths = new int[columns];
    boolean[] isNumeric = new boolean[columns];
    for (int column = 0; column < columns; column++) {
      widths[column] = headings.get(column).length();
      isNumeric[column] = !rows.isEmpty();
      for (List<String> row : rows) {
        String cell = row.get(column);
        widths[column] = Math.max(widths[column], cell.length());
        isNumeric[column] &= cell.matches("-|-?[0-9.]+");
      }
    }
    List<String> lines = new ArrayList<>();
    lines.add(line(headings, widths, isNumeric));
    for (List<String> row : rows) {
      lines.add(line(row, widths, isNumeric));
    }
    return lines;
  }

  private static String line(List<String> cells, int[] widths, boolean[] isNumeric) {
    StringBuilder line = new StringBuilder();
    for (int column = 0; column < widths.length; column++) {
      String cell = cells.get(column);
      String padding = " ".repeat(widths[column] - cell.length());
      line.append(column == 0 ? "" : GAP)
          .append(isNumeric[column] ? padding + cell : cell + padding);
    }
    return line.toString().stripTrailing();
  }
}
