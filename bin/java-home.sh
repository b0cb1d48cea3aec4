# Sourced by the scripts beside it: sets JAVA_HOME to a JDK 25, looked for in JAVA_HOME itself, beside the default java,
# in the usual places and on the PATH. Where there is none, says which package to install and exits with 69.
milena_is_25() { [[ -x $1/bin/javac && -f $1/release ]] && grep -q '^JAVA_VERSION="25' "$1/release"; }
milena_find_25() {
  local on_path home
  on_path=$(readlink -f -- "$(command -v java || true)" 2>/dev/null || true)
  for home in "${JAVA_HOME:-/nonexistent}" "${on_path%/bin/java}" "$(dirname -- "${on_path%/bin/java}")"/* \
              /usr/lib/jvm/* /Library/Java/JavaVirtualMachines/*/Contents/Home "$HOME"/.sdkman/candidates/java/*; do
    if milena_is_25 "$home"; then echo "$home"; return; fi
  done
}
milena_found=$(milena_find_25)
if [[ -z $milena_found ]]; then
  echo "milena: no JDK 25 found: install one, for example the package temurin-25-jdk (or openjdk-25-jdk), or set JAVA_HOME to it" >&2
  exit 69
fi
export JAVA_HOME=$milena_found
