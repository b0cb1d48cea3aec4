"""The two systems: how each is started, paused, killed and stopped. Both listen on the loopback with default settings."""
import base64
import os
import shutil
import signal
import subprocess
import time
import uuid

import machine
import wire
from tools import HOME, STOCK_FLAGS

READY_TIMEOUT_S = 300


class SideFailed(Exception):
    """A system did not start or stop."""


class Side:
    """One process and its data directory. Subclasses say how to launch it."""

    name = '?'
    ports = ()

    def __init__(self, directory, tools):
        self.directory, self.tools = directory, tools
        self.pid, self.paused = None, False

    @property
    def address(self):
        return '127.0.0.1', self.ports[0]

    @property
    def bootstrap(self):
        return '127.0.0.1:%d' % self.ports[0]

    def _launch(self):
        raise NotImplementedError

    def prepare(self):
        """What comes before a first start and is not timed."""

    def wipe(self):
        shutil.rmtree(self.directory, ignore_errors=True)
        os.makedirs(self.directory)
        self.prepare()

    def start(self, topic, new_topic=True):
        """Starts it; seconds until the first record was acknowledged."""
        taken = [port for port in self.ports if not machine.port_is_free(port)]
        if taken:
            raise SideFailed('%s cannot start: port %d is taken (choose others with --port)' % (self.name, taken[0]))
        begun = time.monotonic()
        self._launch()
        try:
            wire.first_record(self.address, topic, begun + READY_TIMEOUT_S, new_topic)
        except wire.WireError as failure:
            raise SideFailed('%s does not serve: %s; its log is in %s' % (self.name, failure, self.directory)) from None
        took = time.monotonic() - begun
        self._started()
        return took

    def _started(self):
        pass

    def pause(self):
        """Not one instruction until it is resumed: the side that waits costs the other nothing."""
        os.kill(self.pid, signal.SIGSTOP)
        self.paused = True

    def resume(self):
        os.kill(self.pid, signal.SIGCONT)
        self.paused = False

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        self._gone(30)

    def stop(self):
        """Seconds it took; a process that does not end is killed."""
        if self.pid is None:
            return 0.0
        begun = time.monotonic()
        try:
            if self.paused:
                self.resume()
            os.kill(self.pid, signal.SIGTERM)
            self._gone(60)
        except SideFailed:
            self.kill()
        except ProcessLookupError:
            self.pid = None
        return time.monotonic() - begun

    def _gone(self, limit_s):
        if not machine.await_end(self.pid, limit_s):
            raise SideFailed('%s (pid %d) does not end' % (self.name, self.pid))
        self.pid = None
        until = time.monotonic() + 10  # the kernel closes the sockets of what was killed a little later
        while not all(map(machine.port_is_free, self.ports)) and time.monotonic() < until:
            time.sleep(0.01)


class Milena(Side):
    """Through bin/milena, as a user starts it: default settings, its start-up caches made beforehand."""

    name = 'milena'

    def __init__(self, directory, tools, port):
        super().__init__(directory, tools)
        self.ports = (port, port + 1)
        self._command = os.path.join(HOME, 'bin', 'milena')
        self._starter = None

    def build(self):
        if subprocess.run([self._command, 'prepare'], stdin=subprocess.DEVNULL, stdout=2).returncode:
            raise SystemExit('bench: Milena cannot be built: see above')

    def _launch(self):
        pid_file = os.path.join(self.directory, 'milena.pid')
        if os.path.exists(pid_file):
            os.remove(pid_file)  # of the process before, so that the next one found is the new one
        log = open(os.path.join(self.directory, 'start.log'), 'ab')
        self._starter = subprocess.Popen(
            [self._command, 'start', '--daemon', '--data', self.directory, '--kafka', self.bootstrap,
             '--http', '127.0.0.1:%d' % self.ports[1]],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        log.close()
        deadline = time.monotonic() + 30
        while self.pid is None:
            try:
                with open(pid_file) as file:
                    self.pid = int(file.read())
            except (OSError, ValueError):
                if self._starter.poll() not in (None, 0) or time.monotonic() > deadline:
                    raise SideFailed('milena does not start: see %s/start.log' % self.directory) from None
                time.sleep(0.01)

    def _started(self):
        if self._starter.wait(60):
            raise SideFailed('bin/milena start ended with %d: see %s/start.log' % (self._starter.returncode, self.directory))


class Kafka(Side):
    """Apache Kafka as its distribution starts it: one combined broker and controller, stock flags and heap."""

    name = 'kafka'

    def __init__(self, directory, tools, port):
        super().__init__(directory, tools)
        self.ports = (port, port + 1)
        self._process = None

    def prepare(self):
        broker, controller = ('127.0.0.1:%d' % port for port in self.ports)
        with open(os.path.join(self.directory, 'server.properties'), 'w') as file:
            file.write('\n'.join([
                'process.roles=broker,controller', 'node.id=1', 'controller.quorum.bootstrap.servers=' + controller,
                'listeners=PLAINTEXT://%s,CONTROLLER://%s' % (broker, controller), 'controller.listener.names=CONTROLLER',
                'log.dirs=%s/data' % self.directory, 'offsets.topic.replication.factor=1',
                'transaction.state.log.replication.factor=1', 'transaction.state.log.min.isr=1', '']))
        with open(os.path.join(self.directory, 'log4j2.properties'), 'w') as file:
            file.write('rootLogger.level = INFO\nrootLogger.appenderRef.file.ref = file\nappender.file.type = File\n'
                       'appender.file.name = file\nappender.file.fileName = %s/server.log\n'
                       'appender.file.layout.type = PatternLayout\nappender.file.layout.pattern = [%%d] %%p %%m (%%c)%%n\n' % self.directory)
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip('=')
        command = self._java('-Xmx256M') + ['kafka.tools.StorageTool', 'format', '--standalone',
                                           '--cluster-id=' + cluster_id, '--config', self._properties()]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise SideFailed("Kafka's directory cannot be formatted: %s" % done.stdout[-1500:])

    def _properties(self):
        return os.path.join(self.directory, 'server.properties')

    def _java(self, *flags):
        return [self.tools.java, *flags, *STOCK_FLAGS, '-Dlog4j2.configurationFile=%s/log4j2.properties' % self.directory,
                '-cp', self.tools.jars('broker')]

    def _launch(self):
        gc_log = '-Xlog:gc*:file=%s/gc.log:time,tags:filecount=10,filesize=100M' % self.directory
        with open(os.path.join(self.directory, 'out.log'), 'ab') as log:
            self._process = subprocess.Popen(self._java('-Xmx1G', '-Xms1G', gc_log) + ['kafka.Kafka', self._properties()],
                                             stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.pid = self._process.pid

    def _gone(self, limit_s):
        super()._gone(limit_s)
        self._process.wait()
