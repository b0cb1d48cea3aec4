"""confluent-kafka (librdkafka) against a node: confluent.py BOOTSTRAP. Status 0 when everything was as it should be."""

import sys
import threading
import time

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic

BOOTSTRAP = sys.argv[1]
TOPIC = "confluent"
GROUP = "confluent-group"
PARTITIONS = 4


def await_condition(what, condition, timeout_s=30):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "not in time: " + what
        time.sleep(0.01)


def results(futures):
    return [future.result(20) for future in futures.values()]


def create_topic(admin):
    topic = NewTopic(TOPIC, num_partitions=3, replication_factor=1, config={"retention.ms": "3600000"})
    results(admin.create_topics([topic]))
    try:
        results(admin.create_topics([topic]))
        raise AssertionError("a topic that exists was created")
    except KafkaException as failure:
        assert failure.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS, failure
    results(admin.create_partitions([NewPartitions(TOPIC, PARTITIONS)]))
    await_condition("partitions", lambda: len(admin.list_topics(TOPIC, timeout=10).topics[TOPIC].partitions) == PARTITIONS)
    resource = ConfigResource("topic", TOPIC)
    assert results(admin.describe_configs([resource]))[0]["retention.ms"].value == "3600000"
    results(admin.alter_configs([ConfigResource("topic", TOPIC, set_config={"retention.ms": "7200000"})]))
    assert results(admin.describe_configs([resource]))[0]["retention.ms"].value == "7200000"


def produce():
    """Record i has key k<i>, value v<i> and header h=<i>; the IT reads them again with the Java client."""
    sent = 0
    for compression in ("none", "gzip", "snappy", "lz4", "zstd"):
        for settings in ({"enable.idempotence": True}, {"acks": 1}, {"acks": "all"}):
            failures = []
            offsets = []

            def delivered(error, message):
                (failures if error else offsets).append(error or message.offset())

            producer = Producer({"bootstrap.servers": BOOTSTRAP, "compression.type": compression, "linger.ms": 5, **settings})
            for _ in range(200):
                producer.produce(
                    TOPIC, key="k%d" % sent, value="v%d" % sent, headers=[("h", str(sent))], on_delivery=delivered
                )
                sent += 1
            assert producer.flush(20) == 0
            assert not failures and len(offsets) == 200 and min(offsets) >= 0, failures[:3]
    producer.produce(TOPIC, key="tombstone", value=None)
    assert producer.flush(20) == 0
    return sent + 1


class Member(threading.Thread):
    def __init__(self, strategy):
        super().__init__()
        self.consumer = Consumer(
            {
                "bootstrap.servers": BOOTSTRAP,
                "group.id": GROUP + "-" + strategy,
                "auto.offset.reset": "earliest",
                "partition.assignment.strategy": strategy,
                "session.timeout.ms": 6000,
                "heartbeat.interval.ms": 300,
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 100,
            }
        )
        self.stopped = threading.Event()
        self.records = []
        self.assigned = set()
        self.consumer.subscribe([TOPIC], on_assign=self.on_assign, on_revoke=self.on_revoke)
        self.incremental = strategy == "cooperative-sticky"
        self.start()

    def on_assign(self, consumer, partitions):
        if not self.incremental:
            self.assigned.clear()
        self.assigned.update(partition.partition for partition in partitions)

    def on_revoke(self, consumer, partitions):
        self.commit()
        self.assigned.difference_update(partition.partition for partition in partitions)

    def run(self):
        while not self.stopped.is_set():
            message = self.consumer.poll(0.05)
            if message is not None and message.error() is None:
                self.records.append((message.partition(), message.offset()))
        self.commit()
        self.consumer.close()

    def commit(self):
        try:
            self.consumer.commit(asynchronous=False)
        except KafkaException as failure:
            if failure.args[0].code() != KafkaError._NO_OFFSET:  # nothing was read since the last assignment
                raise

    def stop(self):
        self.stopped.set()
        self.join()


def consume(strategy, expected):
    first = Member(strategy)
    await_condition("every record, " + strategy, lambda: len(first.records) == expected)
    second = Member(strategy)
    await_condition("two members share", lambda: len(first.assigned) == 2 and len(second.assigned) == 2)
    second.stop()
    await_condition("the partitions come back", lambda: len(first.assigned) == PARTITIONS)
    first.stop()
    assert len(set(first.records)) == expected and not second.records, "a clean rebalance reads nothing again"


def look(expected):
    consumer = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": GROUP + "-range"})
    partitions = [TopicPartition(TOPIC, i) for i in range(PARTITIONS)]
    ends = [consumer.get_watermark_offsets(partition, timeout=10)[1] for partition in partitions]
    assert sum(ends) == expected, ends
    assert [found.offset for found in consumer.committed(partitions, timeout=10)] == ends
    past = int(time.time() * 1000) - 600_000
    future = int(time.time() * 1000) + 600_000
    found = consumer.offsets_for_times([TopicPartition(TOPIC, 0, past), TopicPartition(TOPIC, 1, future)], timeout=10)
    assert [partition.offset for partition in found] == [0, -1], found
    consumer.assign([TopicPartition(TOPIC, 0, 5)])
    assert consumer.poll(20).offset() == 5
    consumer.seek(TopicPartition(TOPIC, 0, 2))
    offset = -1
    while offset != 2:
        offset = consumer.poll(20).offset()
    consumer.close()


def main():
    admin = AdminClient({"bootstrap.servers": BOOTSTRAP})
    create_topic(admin)
    expected = produce()
    for strategy in ("range", "roundrobin", "cooperative-sticky"):
        consume(strategy, expected)
    look(expected)
    groups = {group.id: group.state for group in admin.list_groups(timeout=10)}
    assert groups[GROUP + "-range"] == "Empty", groups


main()
