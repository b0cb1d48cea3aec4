"""kafka-python against a node: kafka_python.py BOOTSTRAP. Ends with status 0 when everything was as it should be."""

import sys
import time

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, NewPartitions, NewTopic
from kafka.codec import has_lz4, has_snappy, has_zstd
from kafka.errors import TopicAlreadyExistsError

BOOTSTRAP = sys.argv[1]
TOPIC = "kafka-python"
GROUP = "kafka-python-group"


def create_topic(admin):
    admin.create_topics([NewTopic(TOPIC, 3, 1)])
    try:
        admin.create_topics([NewTopic(TOPIC, 3, 1)])
        raise AssertionError("a topic that exists was created")
    except TopicAlreadyExistsError:
        pass
    admin.create_partitions({TOPIC: NewPartitions(4)})
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, TOPIC, {"retention.ms": "7200000"})])
    resources = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, TOPIC)])[0].resources
    assert ("retention.ms", "7200000") in [entry[:2] for entry in resources[0][4]], resources


def produce():
    """Record i has key k<i>, value v<i> and header h=<i>; the IT reads them again with the Java client."""
    compressions = [None, "gzip"]
    compressions += ["snappy"] if has_snappy() else []
    compressions += ["lz4"] if has_lz4() else []
    compressions += ["zstd"] if has_zstd() else []
    sent = 0
    for compression in compressions:
        for acks in (0, 1, "all"):
            producer = KafkaProducer(bootstrap_servers=BOOTSTRAP, compression_type=compression, acks=acks, linger_ms=5)
            futures = []
            for _ in range(50):
                text = b"%d" % sent
                futures.append(producer.send(TOPIC, key=b"k" + text, value=b"v" + text, headers=[("h", text)]))
                sent += 1
            producer.flush(20)
            assert all(future.get(20).offset >= (-1 if acks == 0 else 0) for future in futures)
            producer.close()
    producer = KafkaProducer(bootstrap_servers=BOOTSTRAP)
    producer.send(TOPIC, key=b"tombstone", value=None).get(20)
    producer.close()
    return sent + 1


def consume(expected):
    consumer = KafkaConsumer(
        TOPIC,
        bootstrap_servers=BOOTSTRAP,
        group_id=GROUP,
        auto_offset_reset="earliest",
        consumer_timeout_ms=20_000,
        enable_auto_commit=False,
    )
    seen = set()
    for message in consumer:
        seen.add((message.partition, message.offset))
        if message.value is not None:
            assert message.headers == [("h", message.key[1:])]
        if len(seen) == expected:
            break
    assert len(seen) == expected, len(seen)
    partitions = sorted(consumer.assignment())
    assert len(partitions) == 4
    consumer.commit()
    ends = consumer.end_offsets(partitions)
    assert sum(ends.values()) == expected
    assert {partition: consumer.committed(partition) for partition in partitions} == ends
    assert set(consumer.beginning_offsets(partitions).values()) == {0}
    first = TopicPartition(TOPIC, 0)
    assert consumer.offsets_for_times({first: int(time.time() * 1000) - 600_000})[first].offset == 0
    consumer.seek(first, 1)
    assert next(message for message in consumer if message.partition == 0).offset == 1
    consumer.close()


def main():
    admin = KafkaAdminClient(bootstrap_servers=BOOTSTRAP)
    create_topic(admin)
    consume(produce())
    assert (GROUP, "consumer") in admin.list_consumer_groups()
    assert admin.describe_consumer_groups([GROUP])[0].state == "Empty"
    assert len(admin.list_consumer_group_offsets(GROUP)) == 4
    admin.delete_consumer_groups([GROUP])
    assert GROUP not in [group for group, _ in admin.list_consumer_groups()]
    admin.close()


main()
