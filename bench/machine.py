"""What the operating system knows: CPU time, memory, ports, and a page cache that is ready to be written."""
import os
import socket
import sys
import threading
import time

_TICKS = os.sysconf('SC_CLK_TCK')


def say(text):
    print(text, file=sys.stderr, flush=True)


def cpu_seconds(pid):
    """User and system time of a process since it began."""
    with open('/proc/%d/stat' % pid) as stat:
        fields = stat.read().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def busy_seconds():
    """(CPU time of everything on this machine, time stolen by the hypervisor)."""
    with open('/proc/stat') as stat:
        user, nice, system, _idle, _wait, irq, softirq, steal = map(int, stat.readline().split()[1:9])
    return (user + nice + system + irq + softirq) / _TICKS, steal / _TICKS


def resident_mib(pid):
    """(all that is resident, the part of it that no file backs)."""
    found = {}
    with open('/proc/%d/status' % pid) as status:
        for line in status:
            if line.startswith(('VmRSS:', 'RssAnon:')):
                found[line.split(':')[0]] = int(line.split()[1]) / 1024
    return found['VmRSS'], found['RssAnon']


class Sampler(threading.Thread):
    """The highest resident memory of a process, looked at five times a second."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self._pid, self._ended, self.peak_mib = pid, threading.Event(), 0.0

    def run(self):
        while True:
            try:
                self.peak_mib = max(self.peak_mib, resident_mib(self._pid)[0])
            except (OSError, KeyError):
                return
            if self._ended.wait(0.2):
                return

    def end(self):
        self._ended.set()
        self.join()
        return self.peak_mib


def await_calm(pid, limit_s=8.0):
    """Until a process has used less than a tenth of a core for a while: what it owes from before is done."""
    deadline = time.monotonic() + limit_s
    before = cpu_seconds(pid)
    while time.monotonic() < deadline:
        time.sleep(0.3)
        now = cpu_seconds(pid)
        if now - before <= 0.03:
            return
        before = now


def port_is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(('127.0.0.1', port))
        except OSError:
            return False
        return True


def await_end(pid, limit_s):
    """Until a process is gone (or only waits to be collected); whether it is."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        try:
            with open('/proc/%d/stat' % pid) as stat:
                if stat.read().rpartition(')')[2].split()[0] == 'Z':
                    return True
        except OSError:
            return True
        time.sleep(0.01)
    return False


def fill_page_cache(directory, gib):
    """Writes and deletes a file. Memory that has lain free for long can be slow to write for the first time (a virtual
    machine may have to fetch it from its host), and whichever side came first would pay for that."""
    path = os.path.join(directory, 'page-cache-fill')
    block = os.urandom(1 << 20) * 16
    try:
        with open(path, 'wb', buffering=0) as file:
            for _ in range(int(gib * 1024) // 16):
                file.write(block)
    finally:
        if os.path.exists(path):
            os.remove(path)
