"""What both sides have to do, in the order in which they do it."""
from dataclasses import dataclass, field
from typing import Callable, Optional

KIB, SMALL = 1024, 100


@dataclass
class Workload:
    """One piece of work on a topic of its own, or on the topic that an earlier workload has filled."""

    name: str
    partitions: int
    run: Callable  # (tools, bootstrap, topic) -> figures, CPU seconds of the tool, records, bytes of their values
    reads: Optional[str] = None
    settings: dict = field(default_factory=dict)  # of the topic
    sides: tuple = ('milena', 'kafka')
    quick: bool = False


def workloads(scale):
    """All of them. Scale makes those without a fixed rate longer or shorter."""
    found = []
    kib_records, small_records = max(2000, int(400_000 * scale)), max(10_000, int(2_500_000 * scale))
    requests = max(1000, int(60_000 * scale))
    seconds = max(3, round(15 * min(1, scale)))

    def produce(name, size, partitions, acks, codec='none', quick=False, read=False, **more):
        records = kib_records if size == KIB else small_records
        producer = {'acks': acks, 'compression.type': codec}
        found.append(Workload(name, partitions, lambda tools, bootstrap, topic: tools.produce(
            bootstrap, topic, records, size, producer), quick=quick, **more))
        if read:
            found.append(Workload('read-' + name, partitions, lambda tools, bootstrap, topic: tools.consume(
                bootstrap, topic, records, size), reads=name, quick=quick))

    produce('1k-1p-acks1', KIB, 1, '1')
    produce('1k-6p-acks1', KIB, 6, '1', quick=True, read=True)
    produce('1k-1p-all', KIB, 1, 'all', read=True)
    produce('1k-6p-all', KIB, 6, 'all', quick=True)
    produce('1k-6p-all-fsync', KIB, 6, 'all', settings={'durability': 'fsync'}, sides=('milena',), quick=True)
    produce('1k-1p-all-lz4', KIB, 1, 'all', 'lz4')
    produce('1k-6p-acks1-lz4', KIB, 6, '1', 'lz4')
    produce('1k-6p-all-lz4', KIB, 6, 'all', 'lz4', read=True)
    produce('100b-1p-acks1', SMALL, 1, '1')
    produce('100b-6p-acks1', SMALL, 6, '1', read=True)
    produce('100b-1p-all', SMALL, 1, 'all')
    produce('100b-6p-all', SMALL, 6, 'all', quick=True, read=True)
    produce('100b-6p-all-lz4', SMALL, 6, 'all', 'lz4')

    for acks, label in (('1', 'acks1'), ('all', 'all')):
        found.append(Workload('requests-100b-1p-' + label, 1, lambda tools, bootstrap, topic, acks=acks: tools.produce(
            bootstrap, topic, requests, SMALL, {'acks': acks, 'linger.ms': 0, 'batch.size': 0}), quick=acks == '1'))
    for acks, label in (('1', 'acks1'), ('all', 'all')):
        found.append(Workload('single-100b-1p-' + label, 1, lambda tools, bootstrap, topic, acks=acks: tools.latency(
            'single', bootstrap, topic, SMALL, acks=acks, linger=0, count=max(500, int(6000 * scale)),
            warmup=max(200, int(2000 * scale))), quick=acks == 'all'))
    found.append(Workload('paced-5k/s-1k-6p-all', 6, lambda tools, bootstrap, topic: tools.latency(
        'paced', bootstrap, topic, KIB, acks='all', rate=5000, seconds=seconds, warmup=max(2, seconds // 3), producers=1,
        read='true'), quick=True))
    found.append(Workload('paced-tool-5k/s-1k-6p-acks1', 6, lambda tools, bootstrap, topic: tools.produce(
        bootstrap, topic, 5000 * seconds, KIB, {'acks': '1'}, per_second=5000)))
    found.append(Workload('producers-50-100b-6p-acks1', 6, lambda tools, bootstrap, topic: tools.latency(
        'paced', bootstrap, topic, SMALL, acks='1', linger=0, rate=2000, seconds=max(3, seconds // 2),
        warmup=max(2, seconds // 4), producers=50, read='false')))
    return found
