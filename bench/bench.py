#!/usr/bin/env python3
"""Measures Milena against Apache Kafka 4.4 on this machine, in one alternating run. See bench/README.md."""
import argparse
import contextlib
import fcntl
import json
import os
import re
import signal
import sys
import time

sys.dont_write_bytecode = True

import lifecycle
import machine
import report
import wire
from machine import say
from sides import Kafka, Milena, SideFailed
from tools import HOME, ToolFailed, Tools
from workloads import workloads

QUICK_SCALE, QUICK_RECOVERY_GIB = 0.1, 0.5
WARM_PASS = 3  # figures from here on are warm: the whole list has run twice before


def arguments():
    parser = argparse.ArgumentParser(prog='bin/milena bench', description=__doc__)
    parser.add_argument('--quick', action='store_true', help='a few workloads, shorter: a few minutes instead of most of an hour')
    parser.add_argument('--only', default='', metavar='REGEX', help='workloads whose name it finds; also "start" and "recovery"')
    parser.add_argument('--scale', type=float, help='length of the workloads that have no fixed rate; default 1, with --quick %s' % QUICK_SCALE)
    parser.add_argument('--passes', type=int, default=WARM_PASS, help='how often the list runs: the first is cold, from the third on warm (default 3)')
    parser.add_argument('--sides', default='milena,kafka', help='default milena,kafka')
    parser.add_argument('--starts', type=int, help='starts to measure on each side; default 3, with --quick 1')
    parser.add_argument('--recovery-gib', type=float, help='log to recover after kill -9; default 5, with --quick %s' % QUICK_RECOVERY_GIB)
    parser.add_argument('--port', type=int, default=19700, help='first of four free ports (default 19700)')
    parser.add_argument('--dir', default=os.path.join(HOME, 'target', 'bench'), help="data, Kafka's jars and logs (default target/bench)")
    parser.add_argument('--out', metavar='FILE', help='where JSON lines are added (default DIR/results-TIME.jsonl)')
    parser.add_argument('--lock', metavar='FILE', help='hold a flock on FILE during each measurement, on a machine that others use')
    parser.add_argument('--fill-gib', type=float, help='page cache to fill first; default half of what is free, at most 8, with --quick 2')
    parser.add_argument('--list', action='store_true', help='name the workloads and end')
    parser.add_argument('--summarise', nargs='+', metavar='FILE', help='print the Markdown table of earlier results and end')
    chosen = parser.parse_args()
    unset = lambda value, quick, full: value if value is not None else quick if chosen.quick else full
    chosen.scale = unset(chosen.scale, QUICK_SCALE, 1.0)
    chosen.starts = unset(chosen.starts, 1, 3)
    chosen.recovery_gib = unset(chosen.recovery_gib, QUICK_RECOVERY_GIB, 5.0)
    chosen.fill_gib = unset(chosen.fill_gib, 2.0, min(8.0, free_gib() / 2))
    chosen.sides = chosen.sides.split(',')
    if not set(chosen.sides) <= {'milena', 'kafka'}:
        parser.error('--sides: milena, kafka, or both with a comma')
    return chosen


def free_gib():
    with open('/proc/meminfo') as memory:
        for line in memory:
            if line.startswith('MemAvailable:'):
                return int(line.split()[1]) / (1 << 20)
    return 4.0


class Bench:
    """One run: owns the processes and the file of results."""

    def __init__(self, options):
        self.options = options
        self.directory = os.path.abspath(options.dir)
        os.makedirs(self.directory, exist_ok=True)
        self.tools = Tools(self.directory)
        ports = {'milena': options.port, 'kafka': options.port + 2}
        kinds = {'milena': Milena, 'kafka': Kafka}
        self.sides = [kinds[name](os.path.join(self.directory, 'data', name), self.tools, ports[name]) for name in options.sides]
        self.path = options.out or os.path.join(self.directory, time.strftime('results-%Y%m%d-%H%M%S.jsonl'))
        self.failures = 0
        self.topics = {}  # (side, workload) -> topic that a later workload reads

    def run(self):
        self._check_ports()
        self.tools.prepare()
        for side in self.sides:
            if isinstance(side, Milena):
                side.build()
        self._write({'kind': 'run', 'at': time.strftime('%Y-%m-%dT%H:%M:%S%z'), 'arguments': sys.argv[1:], 'scale': self.options.scale,
                     'processors': os.cpu_count(), 'memory_gib': round(os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2 ** 30, 1)})
        try:
            if self.options.fill_gib > 0:
                say('bench: filling %.1f GiB of page cache ...' % self.options.fill_gib)
                machine.fill_page_cache(self.directory, self.options.fill_gib)
            if self._wanted('start'):
                for run in range(1, self.options.starts + 1):
                    for side in self.sides if run % 2 else self.sides[::-1]:
                        self._lifecycle(lifecycle.start_and_idle, side, run, 5 if self.options.quick else 10)
            self._passes()
            if self._wanted('recovery'):
                for side in self.sides:  # they ran through the passes, and listen where those that recover will
                    side.stop()
                for side in self.sides:
                    self._lifecycle(lifecycle.recovery, side, self.options.recovery_gib, 1)
        finally:
            self._end()
        say('bench: results are in %s' % self.path)
        return 1 if self.failures else 0

    def _wanted(self, name):
        return re.search(self.options.only, name) is not None

    def _check_ports(self):
        for side in self.sides:
            taken = [port for port in side.ports if not machine.port_is_free(port)]
            if taken:
                raise SystemExit('bench: port %d, which %s would use, is taken: choose others with --port' % (taken[0], side.name))

    def _write(self, line):
        with open(self.path, 'a') as file:
            file.write(json.dumps(line) + '\n')

    @contextlib.contextmanager
    def _locked(self):
        if not self.options.lock:
            yield
            return
        with open(self.options.lock, 'a') as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _lifecycle(self, measure, side, *more):
        name = measure.__name__.replace('_', ' ')
        try:
            with self._locked():
                before, begun = machine.busy_seconds()[0], time.monotonic()
                line = measure(side, *more)
                line['other_cpu_s'] = round(machine.busy_seconds()[0] - before - line.pop('side_cpu_s'), 2)
                line['took_s'] = round(time.monotonic() - begun, 2)
            self._write(line)
            say('bench: %-10s %-28s %s' % (side.name, name, ', '.join('%s %s' % pair for pair in line.items() if pair[0] not in ('kind', 'side', 'run'))))
        except (SideFailed, ToolFailed, wire.WireError, OSError) as failure:
            self._failed(side, name, 1, failure)

    def _passes(self):
        known = workloads(self.options.scale)
        names = {one.name for one in known if self._wanted(one.name) and (one.quick or not self.options.quick)}
        names |= {one.reads for one in known if one.name in names}  # what is read must have been written
        wanted = [one for one in known if one.name in names]
        if not wanted:
            return
        for side in self.sides:
            with self._locked():
                side.wipe()
                side.start('first')
                machine.await_calm(side.pid, 20)
                side.pause()
        for number in range(1, self.options.passes + 1):
            for index, workload in enumerate(wanted):
                # Neither side is always the first.
                turns = self.sides if (number + index) % 2 else self.sides[::-1]
                with self._locked():
                    for side in turns:
                        if side.name in workload.sides:
                            self._turn(side, workload, number, {one.reads for one in wanted[index + 1:]})
            self._idle(number)

    def _turn(self, side, workload, number, read_later):
        """One workload on one side, while the other is stopped."""
        side.resume()
        try:
            line = self._measured(side, workload, number, read_later)
        except (SideFailed, ToolFailed, wire.WireError, OSError) as failure:
            self._failed(side, workload.name, number, failure)
        else:
            self._write(line)
            say('bench: pass %d  %-7s %-28s %s' % (number, side.name, workload.name, brief(line)))
        finally:
            if side.pid:
                side.pause()

    def _measured(self, side, workload, number, read_later):
        topic = self.topics.get((side.name, workload.reads))
        if topic is None:
            topic = 'bench-%s-%d' % (re.sub('[^a-z0-9-]', '-', workload.name), number)
            self._create(side, topic, workload)
        else:
            wire.await_leaders(side.address, topic, workload.partitions, time.monotonic() + 60)
        machine.await_calm(side.pid)
        sampler = machine.Sampler(side.pid)
        sampler.start()
        broker, (busy, stolen), begun = machine.cpu_seconds(side.pid), machine.busy_seconds(), time.monotonic()
        try:
            figures, tool_s, records, size = workload.run(self.tools, side.bootstrap, topic)
            machine.await_calm(side.pid)  # work that the side has put off is its work as well
        finally:
            peak = sampler.end()
        broker = machine.cpu_seconds(side.pid) - broker
        busy, stolen = machine.busy_seconds()[0] - busy, machine.busy_seconds()[1] - stolen
        _, anonymous = machine.resident_mib(side.pid)
        line = {'kind': 'workload', 'pass': number, 'side': side.name, 'workload': workload.name, **figures, 'records': records, 'bytes': size,
                'took_s': round(time.monotonic() - begun, 2), 'broker_cpu_s': round(broker, 2),
                'cpu_s_per_gb': round(broker / size * 1e9, 3), 'cpu_s_per_million': round(broker / records * 1e6, 3),
                'tool_cpu_s': round(tool_s, 2), 'other_cpu_s': round(busy - broker - tool_s, 2), 'stolen_s': round(stolen, 2),
                'rss_peak_mib': round(peak, 1), 'anonymous_mib': round(anonymous, 1)}
        self._keep_or_delete(side, workload, topic, read_later)
        return line

    @staticmethod
    def _create(side, topic, workload):
        # The default keeps a deleted topic's files for a minute: the disk would fill.
        settings = {'file.delete.delay.ms': '1000', **workload.settings}
        wire.create_topic(side.address, topic, workload.partitions, settings)

    def _keep_or_delete(self, side, workload, topic, read_later):
        if workload.name in read_later:
            self.topics[side.name, workload.name] = topic
        else:
            self.topics.pop((side.name, workload.reads), None)
            wire.delete_topic(side.address, topic)

    def _idle(self, number):
        """What each side uses after all that, doing nothing."""
        if not self._wanted('idle'):
            return
        seconds = 5 if self.options.quick else 10
        for side in self.sides:
            with self._locked():
                side.resume()
                machine.await_calm(side.pid, 15)
                before, begun = machine.cpu_seconds(side.pid), time.monotonic()
                time.sleep(seconds)
                used = (machine.cpu_seconds(side.pid) - before) / (time.monotonic() - begun) * 1000
                resident, anonymous = machine.resident_mib(side.pid)
                side.pause()
            line = {'kind': 'idle', 'pass': number, 'side': side.name, 'idle_cpu_ms_per_s': round(used, 2),
                    'rss_mib': round(resident, 1), 'anonymous_mib': round(anonymous, 1)}
            self._write(line)
            say('bench: pass %d  %-7s %-28s %.1f ms CPU/s, %.0f MiB' % (number, side.name, 'idle', used, resident))

    def _failed(self, side, name, number, failure):
        self.failures += 1
        self._write({'kind': 'failure', 'pass': number, 'side': side.name, 'workload': name, 'error': str(failure)[-1500:]})
        say('bench: pass %d  %-7s %-28s FAILED: %s' % (number, side.name, name, str(failure)[-600:]))

    def _end(self):
        """Nothing keeps running, whatever has happened; logs stay, records go."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        self.tools.stop()
        for side in self.sides:
            side.stop()


def brief(line):
    parts = ['%.0f records/s' % line['records_per_s']] if 'records_per_s' in line else []
    parts += ['%.2f CPU s/GB' % line['cpu_s_per_gb'], '%.2f CPU s/million' % line['cpu_s_per_million']]
    for name in ('ack', 'e2e'):
        if name + '_p50_us' in line:
            parts.append('%s %.0f/%.0f/%.0f us' % (name, line[name + '_p50_us'], line[name + '_p99_us'], line[name + '_p999_us']))
    parts += ['%.0f MiB' % line['rss_peak_mib'], 'other %.1f CPU s' % line['other_cpu_s']]
    return ', '.join(parts)


def main():
    options = arguments()
    if options.list:
        print('\n'.join(['start', *(one.name for one in workloads(options.scale) if one.quick or not options.quick), 'idle', 'recovery']))
        return 0
    if options.summarise:
        return report.summarise(options.summarise)
    for number in (signal.SIGINT, signal.SIGTERM):  # a background job of a shell would ignore the first
        signal.signal(number, signal.default_int_handler)
    bench = Bench(options)
    try:
        failed = bench.run()
    except SideFailed as failure:
        say('bench: %s' % failure)
        return 1
    except KeyboardInterrupt:
        say('bench: interrupted; what was measured is in %s' % bench.path)
        return 130
    report.summarise([bench.path])
    return failed


if __name__ == '__main__':
    sys.exit(main())
