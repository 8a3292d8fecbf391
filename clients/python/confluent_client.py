"""confluent-kafka (librdkafka): `produce` and `consume` as clients/README.md describes them."""

import sys
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition


def produce(bootstrap: str, topic: str, codec: str, path: str) -> None:
    failed = []
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "compression.type": codec,
            "enable.idempotence": True,
            "linger.ms": 20,
        }
    )

    def delivered(error, _message):
        if error is not None:
            failed.append(str(error))

    with open(path, "rb") as lines:
        for line in lines:
            key, value = line.rstrip(b"\n").split(b"\t", 1)
            while True:
                try:
                    producer.produce(topic, key=key, value=value, on_delivery=delivered)
                    break
                except BufferError:
                    producer.poll(0.1)
            producer.poll(0)
    left = producer.flush(120)
    if left or failed:
        raise SystemExit(f"{left} not delivered, {len(failed)} failed: {failed[:3]}")


def consume(bootstrap: str, topic: str, path: str, count: int) -> None:
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "not-used",
            "enable.auto.commit": False,
            "check.crcs": True,
        }
    )
    partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
    consumer.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in sorted(partitions)])
    seen = 0
    deadline = time.monotonic() + 120
    with open(path, "wb") as out:
        while seen < count and time.monotonic() < deadline:
            for message in consumer.consume(10000, timeout=1):
                if message.error():
                    raise SystemExit(str(message.error()))
                out.write(
                    b"%d\t%d\t%s\t%s\n"
                    % (message.partition(), message.offset(), message.key(), message.value())
                )
                seen += 1
    consumer.close()
    if seen != count:
        raise SystemExit(f"read {seen} of {count} records")


if __name__ == "__main__":
    action, bootstrap, topic = sys.argv[1:4]
    if action == "produce":
        produce(bootstrap, topic, sys.argv[4], sys.argv[5])
    else:
        consume(bootstrap, topic, sys.argv[4], int(sys.argv[5]))
