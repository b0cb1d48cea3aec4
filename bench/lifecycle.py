"""Starting, being idle, and coming back after kill -9: measured on fresh processes, one side at a time."""
import os
import time

import machine
import wire


def start_and_idle(side, run, idle_s):
    """A first start on an empty directory, then doing nothing, then a second start on what is there."""
    side.wipe()
    first_s = side.start('first')
    try:
        time.sleep(idle_s)  # what a JVM does after its start is not idleness
        resident, anonymous = machine.resident_mib(side.pid)
        before, begun = machine.cpu_seconds(side.pid), time.monotonic()
        time.sleep(idle_s)
        idle = (machine.cpu_seconds(side.pid) - before) / (time.monotonic() - begun) * 1000
        used = machine.cpu_seconds(side.pid)
        stop_s = side.stop()
        again_s = side.start('second')
        used += machine.cpu_seconds(side.pid)
    finally:
        side.stop()
    return {'kind': 'start', 'side': side.name, 'run': run, 'first_s': round(first_s, 3), 'again_s': round(again_s, 3),
            'stop_s': round(stop_s, 3), 'idle_rss_mib': round(resident, 1), 'idle_anonymous_mib': round(anonymous, 1),
            'idle_cpu_ms_per_s': round(idle, 2), 'side_cpu_s': round(used, 2)}


def recovery(side, gib, run):
    """Fills six partitions, kills the process without warning, and starts it again until a record is acknowledged."""
    side.wipe()
    side.start('first')
    try:
        wire.create_topic(side.address, 'filled', 6)
        records = int(gib * (1 << 20))
        _, tool_s, _, _ = side.tools.produce(side.bootstrap, 'filled', records, 1024, {
            'acks': '1', 'batch.size': 262_144, 'linger.ms': 20, 'buffer.memory': 134_217_728})
        on_disk, filling_s = log_bytes(side.directory), machine.cpu_seconds(side.pid)
        side.kill()
        again_s = side.start('second')
        cpu_s = machine.cpu_seconds(side.pid)
    finally:
        side.stop()
        side.wipe()
    return {'kind': 'recovery', 'side': side.name, 'run': run, 'gib': gib, 'log_bytes': on_disk,
            'ready_s': round(again_s, 3), 'cpu_s': round(cpu_s, 2), 'side_cpu_s': round(filling_s + tool_s + cpu_s, 2)}


def log_bytes(directory):
    return sum(os.path.getsize(os.path.join(parent, name))
               for parent, _, names in os.walk(directory) for name in names if name.endswith('.log') and name[0].isdigit())
