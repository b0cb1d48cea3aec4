package io.milena.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The {@code --output} option, and what a command prints with. */
public final class Output {

  /** For people, or for scripts. */
  public enum Form {
    TEXT,
    JSON;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private static final ObjectMapper MAPPER = JsonMapper.builder().build();

  @Option(
      names = {"-O", "--output"},
      paramLabel = "FORM",
      defaultValue = "text",
      description = "${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
  private Form form = Form.TEXT;

  @Spec(Spec.Target.MIXEE)
  private @Nullable CommandSpec command;

  public boolean isJson() {
    return form == Form.JSON;
  }

  public static ObjectNode object() {
    return JsonNodeFactory.instance.objectNode();
  }

  public static ArrayNode array() {
    return JsonNodeFactory.instance.arrayNode();
  }

  /** Prints to standard output. */
  public void line(String text) {
    out().println(text);
    out().flush();
  }

  /** Prints a remark for the person, to standard error, so that a pipe does not see it. */
  public void remark(String text) {
    PrintWriter err = spec().commandLine().getErr();
    err.println(text);
    err.flush();
  }

  public void json(JsonNode node) {
    try {
      line(MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(node));
    } catch (JsonProcessingException e) {
      throw new AssertionError("a tree of JSON nodes is always writable", e);
    }
  }

  /** Prints the table, or as JSON the given node. */
  public void either(Table table, JsonNode node) {
    if (isJson()) {
      json(node);
    } else {
      table.lines().forEach(out()::println);
      out().flush();
    }
  }

  private PrintWriter out() {
    return spec().commandLine().getOut();
  }

  private CommandSpec spec() {
    if (command == null) {
      throw new IllegalStateException("not a mixin of a command");
    }
    return command;
  }
}
