"""kafka-python: `produce` and `consume` as clients/README.md describes them."""

import sys

from kafka import KafkaConsumer, KafkaProducer, TopicPartition


def produce(bootstrap: str, topic: str, codec: str, path: str) -> None:
    producer = KafkaProducer(
        bootstrap_servers=bootstrap,
        compression_type=None if codec == "none" else codec,
        acks="all",
        linger_ms=20,
        batch_size=131072,
        delivery_timeout_ms=120000,
    )
    futures = []
    with open(path, "rb") as lines:
        for line in lines:
            key, value = line.rstrip(b"\n").split(b"\t", 1)
            futures.append(producer.send(topic, key=key, value=value))
    producer.flush()
    for future in futures:
        future.get(timeout=60)
    producer.close()


def consume(bootstrap: str, topic: str, path: str, count: int) -> None:
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=4 << 20,
        consumer_timeout_ms=60000,
    )
    partitions = consumer.partitions_for_topic(topic)
    assigned = [TopicPartition(topic, partition) for partition in sorted(partitions)]
    consumer.assign(assigned)
    consumer.seek_to_beginning(*assigned)
    seen = 0
    with open(path, "wb") as out:
        for record in consumer:
            out.write(b"%d\t%d\t%s\t%s\n" % (record.partition, record.offset, record.key, record.value))
            seen += 1
            if seen == count:
                break
    consumer.close()
    if seen != count:
        raise SystemExit(f"read {seen} of {count} records")


if __name__ == "__main__":
    action, bootstrap, topic = sys.argv[1:4]
    if action == "produce":
        produce(bootstrap, topic, sys.argv[4], sys.argv[5])
    else:
        consume(bootstrap, topic, sys.argv[4], int(sys.argv[5]))
