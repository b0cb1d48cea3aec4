"""Just enough of the Kafka protocol to create and delete topics and to produce one record, without starting a JVM.

Start-up is timed with it: a request of a few bytes every few milliseconds costs the machine nothing.
"""
import socket
import struct
import time

PRODUCE, METADATA, CREATE_TOPICS, DELETE_TOPICS = 0, 3, 19, 20
NONE, UNSUPPORTED, INVALID_CONFIG = 0, 35, 40
CREATE_AGAIN = {6, 7, 14, 15, 38, 41}  # no leader, timed out, loading, no coordinator, too few brokers yet, not controller


class WireError(Exception):
    """The server answered with an error, or not at all."""


class _Writer:
    def __init__(self):
        self.parts = []

    def put(self, layout, *values):
        self.parts.append(struct.pack('>' + layout, *values))
        return self

    def text(self, value):
        if value is None:
            return self.put('h', -1)
        data = value.encode()
        self.put('h', len(data)).parts.append(data)
        return self

    def bytes(self):
        return b''.join(self.parts)


class _Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, layout):
        values = struct.unpack_from('>' + layout, self.data, self.at)
        self.at += struct.calcsize('>' + layout)
        return values[0] if len(values) == 1 else values

    def text(self):
        size = self.take('h')
        if size < 0:
            return None
        self.at += size
        return self.data[self.at - size:self.at].decode()

    def each(self):
        return range(self.take('i'))


def _request(address, api_key, version, body, timeout_s):
    header = _Writer().put('hhi', api_key, version, 1).text('milena-bench').bytes()
    with socket.create_connection(address, timeout_s) as connection:
        connection.settimeout(timeout_s)
        connection.sendall(struct.pack('>i', len(header) + len(body)) + header + body)
        answer = connection.makefile('rb')
        size = answer.read(4)
        data = answer.read(struct.unpack('>i', size)[0]) if len(size) == 4 else b''
        if len(data) < 4:
            raise WireError('%s:%d closed the connection' % address)
        reader = _Reader(data)
        reader.take('i')  # correlation id
        return reader


def leaders(address, topic, timeout_s=5.0):
    """The leader's node id of every partition of a topic, -1 for none; an empty list when there is no such topic."""
    body = _Writer().put('i', 1).text(topic).put('?', False).bytes()
    reader = _request(address, METADATA, 4, body, timeout_s)
    reader.take('i')
    for _ in reader.each():
        reader.take('i'), reader.text(), reader.take('i'), reader.text()
    reader.text(), reader.take('i')
    found = []
    for _ in reader.each():
        reader.take('h'), reader.text(), reader.take('?')
        for _ in reader.each():
            _error, _index, leader = reader.take('hii')
            for _list in range(2):
                for _ in reader.each():
                    reader.take('i')
            found.append(leader)
    return found


def create_topic(address, name, partitions, settings=None, timeout_s=60.0):
    """Creates a topic and waits until every partition has a leader."""
    settings = settings or {}
    body = _Writer().put('i', 1).text(name).put('ihi', partitions, -1, 0).put('i', len(settings))
    for key, value in settings.items():
        body.text(key).text(value)
    body.put('i?', 30_000, False)
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            reader = _request(address, CREATE_TOPICS, 4, body.bytes(), timeout_s)
            reader.take('ii'), reader.text()
            error, message = reader.take('h'), reader.text()
        except (OSError, WireError) as failure:
            error, message = 7, str(failure)
        if error not in CREATE_AGAIN or time.monotonic() > deadline:
            break
        time.sleep(0.01)
    if error != NONE:
        raise WireError('topic %s cannot be created: error %d, %s' % (name, error, message))
    await_leaders(address, name, partitions, deadline)


def await_leaders(address, topic, partitions, deadline):
    while True:
        try:
            found = leaders(address, topic)
        except (OSError, WireError):
            found = []
        if len(found) == partitions and min(found) >= 0:
            return
        if time.monotonic() > deadline:
            raise WireError('topic %s still has partitions without a leader: %s' % (topic, found))
        time.sleep(0.005)


def delete_topic(address, name):
    body = _Writer().put('i', 1).text(name).put('i', 30_000).bytes()
    reader = _request(address, DELETE_TOPICS, 1, body, 60.0)
    reader.take('ii'), reader.text()
    return reader.take('h')


def _crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def _batch_of_one(value):
    """A batch of magic 2 with one record, no key, no headers; value below 64 bytes, so that every varint is one byte."""
    zigzag = lambda number: bytes([number * 2])
    body = b'\0' + zigzag(0) + zigzag(0) + b'\x01' + zigzag(len(value)) + value + zigzag(0)
    record = zigzag(len(body)) + body
    now_ms = int(time.time() * 1000)
    checked = struct.pack('>hiqqqhii', 0, 0, now_ms, now_ms, -1, -1, -1, 1) + record
    rest = struct.pack('>iBI', 0, 2, _crc32c(checked)) + checked
    return struct.pack('>qi', 0, len(rest)) + rest


def produce_one(address, topic, timeout_s=10.0):
    """Produces one record to partition 0 with acks=all; Kafka's error code."""
    records = _batch_of_one(b'hello')
    body = _Writer().text(None).put('hi', -1, 10_000).put('i', 1).text(topic).put('iii', 1, 0, len(records)).bytes() + records
    reader = _request(address, PRODUCE, 3, body, timeout_s)
    reader.take('i'), reader.text(), reader.take('ii')
    return reader.take('h')


def first_record(address, topic, deadline, new_topic=True):
    """Waits until a record is acknowledged, creating the topic first if it is new."""
    while True:
        try:
            with socket.create_connection(address, 1.0):
                break
        except OSError:
            if time.monotonic() > deadline:
                raise WireError('nothing listens on %s:%d' % address) from None
            time.sleep(0.004)
    if new_topic:
        create_topic(address, topic, 1, timeout_s=deadline - time.monotonic())
    while True:
        try:
            error = produce_one(address, topic)
        except (OSError, WireError) as failure:
            error = failure
        if error == NONE:
            return
        if time.monotonic() > deadline:
            raise WireError('no record was acknowledged: %s' % error)
        time.sleep(0.004)
