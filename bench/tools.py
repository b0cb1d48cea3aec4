"""Kafka's perf tools and Latency.java, and the jars and payloads they need."""
import json
import os
import random
import re
import subprocess
import tempfile

from machine import say

HERE = os.path.dirname(os.path.abspath(__file__))
HOME = os.path.dirname(HERE)
# What kafka-run-class.sh gives every tool, and the heap of the perf tools.
STOCK_FLAGS = ['-server', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20', '-XX:InitiatingHeapOccupancyPercent=35',
               '-XX:+ExplicitGCInvokesConcurrent', '-Djava.awt.headless=true']
TOOL_HEAP = '-Xmx512M'

_PRODUCED = re.compile(
    r'records sent, ([\d.]+) records/sec \(([\d.]+) MB/sec\), ([\d.]+) ms avg latency, ([\d.]+) ms max latency, '
    r'(\d+) ms 50th, (\d+) ms 95th, (\d+) ms 99th, (\d+) ms 99.9th')


class ToolFailed(Exception):
    """A tool ended with an error, or did not say what it should."""


def find_java():
    script = '. "%s/bin/java-home.sh" && echo "$JAVA_HOME"' % HOME
    found = subprocess.run(['bash', '-c', script], stdout=subprocess.PIPE, text=True)
    if found.returncode:
        raise SystemExit(found.returncode)  # the script has said why
    return os.path.join(found.stdout.strip(), 'bin')


class Tools:
    """Runs one tool at a time. Everything it needs lies in a directory that may be kept between runs."""

    def __init__(self, directory):
        self._directory = directory
        self._bin = find_java()
        self._classes = os.path.join(directory, 'classes')
        self._log_config = os.path.join(directory, 'tools-log4j2.properties')
        self._current = None

    @property
    def java(self):
        return os.path.join(self._bin, 'java')

    def prepare(self):
        """Jars and classes, so that nothing is fetched or compiled between measurements."""
        self.jars('broker'), self.jars('tools')
        os.makedirs(self._classes, exist_ok=True)
        compile_ = [os.path.join(self._bin, 'javac'), '-nowarn', '-d', self._classes,
                    '-cp', self.jars('broker'), os.path.join(HERE, 'Latency.java')]
        subprocess.run(compile_, check=True)
        with open(self._log_config, 'w') as file:
            file.write('rootLogger.level = ERROR\nrootLogger.appenderRef.stderr.ref = stderr\nappender.stderr.type = Console\n'
                       'appender.stderr.name = stderr\nappender.stderr.target = SYSTEM_ERR\nappender.stderr.layout.type = PatternLayout\n')

    def jars(self, profile):
        """The class path of a profile of pom.xml."""
        directory = os.path.join(self._directory, 'jars', profile)
        done, pom = os.path.join(directory, '.complete'), os.path.join(HERE, 'pom.xml')
        if not os.path.exists(done) or os.path.getmtime(done) < os.path.getmtime(pom):
            say("bench: fetching Kafka's jars (%s) ..." % profile)
            command = ['mvn', '-q', '-B', '-ntp', '-f', pom, '-P', profile, 'prepare-package', '-Djars=' + directory]
            if subprocess.run(command, stdout=2).returncode:
                raise SystemExit("bench: Kafka's jars cannot be fetched: see Maven's words above")
            open(done, 'w').close()
        return os.path.join(directory, '*')

    def payloads(self, size_bytes):
        """A file of 2000 different JSON-like lines of one size, the same on every machine; lz4 leaves about 75 % of 1 KiB."""
        path = os.path.join(self._directory, 'payload-%d.txt' % size_bytes)
        if not os.path.exists(path):
            source = random.Random(size_bytes)
            fields = ['customer', 'order', 'status', 'price', 'warehouse', 'carrier', 'note', 'currency', 'created']
            with open(path, 'w') as file:
                for _ in range(2000):
                    line = '{"number":%d' % source.randrange(10 ** 9)
                    while len(line) < size_bytes:
                        line += ',"%s":"%016x-%s"' % (source.choice(fields), source.getrandbits(64), source.choice(fields))
                    file.write(line[:size_bytes - 1] + '}\n')
        return path

    def stop(self):
        if self._current and self._current.poll() is None:
            self._current.kill()
            self._current.wait()

    def _run(self, classpath, main, arguments):
        """(what it printed, its CPU seconds)"""
        command = [self.java, TOOL_HEAP, *STOCK_FLAGS, '-Dlog4j2.configurationFile=' + self._log_config,
                   '-cp', classpath, main, *map(str, arguments)]
        with tempfile.TemporaryFile() as output:
            self._current = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
            _, status, usage = os.wait4(self._current.pid, 0)
            self._current.returncode = os.waitstatus_to_exitcode(status)
            output.seek(0)
            text = output.read().decode(errors='replace')
        if self._current.returncode:
            raise ToolFailed('%s ended with %d: %s' % (main, self._current.returncode, text[-1500:]))
        return text, usage.ru_utime + usage.ru_stime

    def produce(self, bootstrap, topic, records, size_bytes, settings, per_second=-1):
        """ProducerPerformance; the figures are of its steady state, after a fifth of the records."""
        text, cpu_s = self._run(self.jars('tools'), 'org.apache.kafka.tools.ProducerPerformance', [
            '--bootstrap-server', bootstrap, '--topic', topic, '--num-records', records, '--throughput', per_second,
            '--payload-file', self.payloads(size_bytes), '--warmup-records', records // 5, '--reporting-interval', 3600_000,
            '--command-property', *('%s=%s' % pair for pair in settings.items())])
        found = [line for line in text.splitlines() if _PRODUCED.search(line)]
        if not found:
            raise ToolFailed('ProducerPerformance reported nothing: %s' % text[-1500:])
        steady = [line for line in found if 'steady state' in line]
        rate, _, mean, longest, p50, _, p99, p999 = map(float, _PRODUCED.search((steady or found)[-1]).groups())
        return {'records_per_s': rate, 'ack_mean_us': mean * 1000, 'ack_max_us': longest * 1000, 'ack_p50_us': p50 * 1000,
                'ack_p99_us': p99 * 1000, 'ack_p999_us': p999 * 1000}, cpu_s, records, records * size_bytes

    def consume(self, bootstrap, topic, records, size_bytes):
        """ConsumerPerformance, in a group of its own, from the beginning."""
        text, cpu_s = self._run(self.jars('tools'), 'org.apache.kafka.tools.ConsumerPerformance', [
            '--bootstrap-server', bootstrap, '--topic', topic, '--num-records', records, '--hide-header',
            '--timeout', 30_000, '--reporting-interval', 3600_000])
        rows = [line.split(',') for line in text.splitlines() if line.count(',') >= 9]
        if not rows or int(rows[-1][4]) < records:
            raise ToolFailed('ConsumerPerformance did not read all %d records: %s' % (records, text[-1500:]))
        row = rows[-1]  # start, end, MB, MB/s, records, records/s, rebalance ms, fetch ms, fetch MB/s, fetch records/s
        return {'records_per_s': float(row[9]), 'rebalance_ms': int(row[6])}, cpu_s, int(row[4]), int(row[4]) * size_bytes

    def latency(self, mode, bootstrap, topic, size_bytes, **options):
        """Latency.java: what the perf tools round to milliseconds, in microseconds."""
        arguments = [mode, '--bootstrap', bootstrap, '--topic', topic, '--size', size_bytes]
        for name, value in options.items():
            arguments += ['--' + name, value]
        text, cpu_s = self._run(self._classes + os.pathsep + self.jars('broker'), 'Latency', arguments)
        rows = [line for line in text.splitlines() if line.startswith('{')]
        if not rows:
            raise ToolFailed('Latency reported nothing: %s' % text[-1500:])
        figures = json.loads(rows[-1])
        records = figures.pop('records')
        if figures.pop('failed') or figures.pop('missing'):
            raise ToolFailed('records were refused or not read: %s' % rows[-1])
        return figures, cpu_s, records, records * size_bytes
