"""The Markdown table of docs/performance.md: every figure cold and warm, its ratio, and whether the target is met."""
import json
import re
import statistics
from dataclasses import dataclass

WARM_PASS = 3


@dataclass(frozen=True)
class Target:
    """Milena's figure divided by Kafka's must be at most (or at least) the limit."""

    workloads: str  # pattern of their names
    figure: str
    title: str
    unit: str
    limit: float
    at_least: bool = False

    def is_met(self, ratio):
        return ratio >= self.limit if self.at_least else ratio <= self.limit

    def text(self):
        return '%s %g' % ('≥' if self.at_least else '≤', self.limit)


TARGETS = [
    Target(r'^(1k|100b)-(?!.*fsync)', 'cpu_s_per_gb', 'broker CPU', 's/GB', 0.5),
    Target(r'^(1k|100b)-(?!.*fsync)', 'records_per_s', 'throughput', 'records/s', 1.3, at_least=True),
    Target(r'^requests-', 'cpu_s_per_million', 'broker CPU', 's/million', 0.4),
    Target(r'^requests-', 'ack_p50_us', 'ack p50', 'µs', 0.7),
    Target(r'^requests-', 'ack_p99_us', 'ack p99', 'µs', 0.7),
    Target(r'^single-', 'cpu_s_per_million', 'broker CPU', 's/million', 0.4),
    Target(r'^single-', 'ack_p50_us', 'ack p50', 'µs', 0.7),
    Target(r'^single-', 'ack_p99_us', 'ack p99', 'µs', 0.7),
    Target(r'^single-', 'e2e_p99_us', 'end-to-end p99', 'µs', 0.7),
    Target(r'^read-', 'cpu_s_per_gb', 'broker CPU', 's/GB', 0.7),
    Target(r'^(paced|producers)-', 'ack_p99_us', 'ack p99', 'µs', 0.7),
    Target(r'^(paced|producers)-', 'e2e_p99_us', 'end-to-end p99', 'µs', 0.7),
    Target(r'^start$', 'first_record_s', 'start to first acknowledged record', 's', 0.5),
    Target(r'^memory$', 'idle_mib', 'resident, idle', 'MiB', 0.5),
    Target(r'^memory$', 'load_mib', 'resident, highest under load', 'MiB', 0.5),
    Target(r'^idle$', 'cpu_ms_per_s', 'CPU', 'ms/s', 1.0),
    Target(r'^recovery$', 'ready_s', 'kill -9 to first acknowledged record', 's', 0.3),
]


class Results:
    """figures[phase][workload][side][figure] -> list of values; phase is cold or warm."""

    def __init__(self, paths):
        self.figures, self.failures, self.header = {}, [], {}
        self._peaks = {}
        for path in paths:
            with open(path) as file:
                for line in file:
                    self._add(json.loads(line))
        for (phase, side), peak in self._peaks.items():
            self._put(phase, 'memory', side, 'load_mib', peak)

    def _put(self, phase, workload, side, figure, value):
        self.figures.setdefault(phase, {}).setdefault(workload, {}).setdefault(side, {}).setdefault(figure, []).append(value)

    def _add(self, line):
        match line['kind']:
            case 'run':
                self.header = line
            case 'failure':
                self.failures.append(line)
            case 'start':
                self._put('cold', 'start', line['side'], 'other_cpu_s', line['other_cpu_s'])
                self._put('cold', 'start', line['side'], 'first_record_s', line['first_s'])
                self._put('warm', 'start', line['side'], 'first_record_s', line['again_s'])
                self._put('cold', 'memory', line['side'], 'idle_mib', line['idle_rss_mib'])
                self._put('cold', 'idle', line['side'], 'cpu_ms_per_s', line['idle_cpu_ms_per_s'])
            case 'recovery':
                self._put('cold', 'recovery', line['side'], 'other_cpu_s', line['other_cpu_s'])
                self._put('cold', 'recovery', line['side'], 'ready_s', line['ready_s'])
            case 'idle' if line['pass'] >= WARM_PASS:
                self._put('warm', 'memory', line['side'], 'idle_mib', line['rss_mib'])
                self._put('warm', 'idle', line['side'], 'cpu_ms_per_s', line['idle_cpu_ms_per_s'])
            case 'workload' if line['pass'] == 1 or line['pass'] >= WARM_PASS:
                phase = 'cold' if line['pass'] == 1 else 'warm'
                for figure, value in line.items():
                    if isinstance(value, (int, float)):
                        self._put(phase, line['workload'], line['side'], figure, value)
                key = phase, line['side']
                self._peaks[key] = max(self._peaks.get(key, 0), line['rss_peak_mib'])

    def median(self, phase, workload, side, figure):
        values = self.figures.get(phase, {}).get(workload, {}).get(side, {}).get(figure)
        return statistics.median(values) if values else None

    def names(self):
        found = {}
        for phase in self.figures.values():
            found.update(dict.fromkeys(phase))
        return list(found)


def _text(value):
    if value is None:
        return '-'
    return '%.0f' % value if abs(value) >= 100 else '%.1f' % value if abs(value) >= 10 else '%.2f' % value


def _row(results, workload, target):
    cells, verdicts, other = [], [], []
    for phase in ('cold', 'warm'):
        ours, theirs = (results.median(phase, workload, side, target.figure) for side in ('milena', 'kafka'))
        ratio = ours / theirs if ours is not None and theirs else None
        cells += [_text(ours), _text(theirs), '**%.2f**' % ratio if ratio is not None else '-']
        if ratio is not None:
            verdicts.append(target.is_met(ratio))
        noise = [results.median(phase, workload, side, 'other_cpu_s') for side in ('milena', 'kafka')]
        other.append(' / '.join(_text(value) for value in noise) if any(value is not None for value in noise) else '-')
    if all(cell == '-' for cell in cells):
        return None
    verdict = '-' if not verdicts else 'met' if all(verdicts) else 'missed'
    if len(verdicts) == 2 and verdicts[0] != verdicts[1]:
        verdict = 'missed ' + ('warm' if verdicts[0] else 'cold')
    return '| %s | %s, %s | %s | %s | %s | %s | %s |' % (
        workload, target.title, target.unit, ' | '.join(cells[:3]), ' | '.join(cells[3:]), target.text(), verdict, '; '.join(other))


def _fsync_rows(results):
    """Not against Kafka: what the fsync mode costs against our own replicated mode, for 6 partitions."""
    cells, verdicts = [], []
    for phase in ('cold', 'warm'):
        replicated = results.median(phase, '1k-6p-all', 'milena', 'records_per_s')
        fsync = results.median(phase, '1k-6p-all-fsync', 'milena', 'records_per_s')
        if not fsync or not replicated:
            return []
        cells += [_text(fsync), _text(replicated), '**%.2f**' % (replicated / fsync)]
        verdicts.append(replicated / fsync <= 1.3)
    return ['', '| durability | cold: fsync | replicated | ratio | warm: fsync | replicated | ratio | target | |', '|---|---|---|---|---|---|---|---|---|',
            '| 1k-6p-all, records/s | %s | ≤ 1.3 | %s |' % (' | '.join(cells), 'met' if all(verdicts) else 'missed')]


def summarise(paths):
    results = Results(paths)
    rows = []
    for name in results.names():
        rows += [row for target in TARGETS if re.search(target.workloads, name) and (row := _row(results, name, target))]
    print('| workload | figure | cold: Milena | Kafka | ratio | warm: Milena | Kafka | ratio | target | | other CPU s, Milena / Kafka: cold; warm |')
    print('|---|---|---|---|---|---|---|---|---|---|---|')
    print('\n'.join(rows + _fsync_rows(results)))
    for failure in results.failures:
        print('\nFAILED: pass %d, %s, %s: %s' % (failure['pass'], failure['side'], failure['workload'], failure['error'].splitlines()[0][:300]))
    return 0
