"""The command topic, through confluent-kafka: a client that is independent of the one under test."""
import threading
import time
import zlib

from confluent_kafka import Consumer, ElectionType, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

from stack import wait_for


class Log:
    def __init__(self, bootstrap, **config):
        self.bootstrap = bootstrap
        self.config = {"bootstrap.servers": bootstrap, "log_level": 2, **config}
        self.admin = AdminClient(self.config)

    def create(self, topic, partitions=6, **config):
        self.admin.create_topics([NewTopic(topic, partitions, config=config)])[topic].result(30)
        # each broker learns of it at its own time
        wait_for(f"{topic} to have leaders", lambda: len(self.leaders(topic)) == partitions, 60)
        return topic

    def leaders(self, topic):
        """Partition -> node id of its leader; partitions without a leader are left out."""
        found = self.admin.list_topics(timeout=30).topics.get(topic)
        return {p: t.leader for p, t in found.partitions.items() if t.leader >= 0} if found else {}

    def prefer_leaders(self, topic):
        """Makes the preferred replica of each partition its leader, if that replica is in sync."""
        partitions = [TopicPartition(topic, p) for p in self.partitions(topic)]
        self.admin.elect_leaders(ElectionType.PREFERRED, partitions).result(30)

    def delete(self, topic):
        self.admin.delete_topics([topic])[topic].result(30)
        wait_for(f"{topic} to be gone", lambda: topic not in self.topics(), 60)

    def widen(self, topic, partitions):
        """Adds partitions until there are this many."""
        self.admin.create_partitions([NewPartitions(topic, partitions)])[topic].result(30)
        wait_for("the new partitions", lambda: len(self.partitions(topic)) == partitions, 60)

    def topics(self):
        return set(self.admin.list_topics(timeout=30).topics)

    def groups(self):
        return {g.group_id for g in self.admin.list_consumer_groups().result(30).valid}

    def partitions(self, topic):
        return sorted(self.admin.list_topics(topic, timeout=30).topics[topic].partitions)

    def spread(self, topic):
        """The number of partitions that keys are spread over."""
        # with three brokers, one may not know yet a topic that another knows
        return wait_for(f"{topic} to be known", lambda: len(self.partitions(topic)), 60)

    def producer(self):
        # Idempotent: otherwise a repeated batch, e.g. to a new topic, may land behind the next one.
        return Deliveries({**self.config, "linger.ms": 20, "compression.type": "lz4", "enable.idempotence": True,
                           "message.max.bytes": 4_000_000, "queue.buffering.max.messages": 1_000_000})

    def produce(self, topic, records):
        """Sends all records and waits until every one is acknowledged."""
        producer, count = self.producer(), self.spread(topic)
        for key, value in records:
            send(producer, topic, key, value, count)
        producer.finish()

    def ends(self, topic):
        return {p: high for p, (low, high) in self.watermarks(topic).items()}

    def watermarks(self, topic):
        consumer = Consumer({**self.config, "group.id": "e2e-watermarks"})
        try:
            return {p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=30)
                    for p in self.partitions(topic)}
        finally:
            consumer.close()

    def as_member(self, group, ask):
        """What `ask` gives for a consumer of that group; the coordinator of a fresh broker needs a moment."""
        # not AdminClient.list_consumer_group_offsets: it crashes the interpreter when the group does not exist
        consumer = Consumer({**self.config, "group.id": group, "enable.auto.commit": False})
        end = time.monotonic() + 30
        try:
            while True:
                try:
                    return ask(consumer)
                except KafkaException as error:
                    if "COORDINATOR" not in error.args[0].name() or time.monotonic() > end:
                        raise
                    time.sleep(0.3)
        finally:
            consumer.close()

    def committed(self, group, topic):
        """Partition -> committed offset, without joining the group; partitions without one are left out."""
        wanted = [TopicPartition(topic, p) for p in self.partitions(topic)]
        found = self.as_member(group, lambda consumer: consumer.committed(wanted, timeout=30))
        return {t.partition: t.offset for t in found if t.offset >= 0}

    def commit(self, group, topic, offsets):
        """Sets a group's offsets (partition -> offset), as its own members would."""
        wanted = [TopicPartition(topic, p, o) for p, o in offsets.items()]
        self.as_member(group, lambda consumer: consumer.commit(offsets=wanted, asynchronous=False))

    def lag(self, group, topic):
        committed = self.committed(group, topic)
        return sum(end - committed.get(p, 0) for p, end in self.ends(topic).items())

    def read(self, topic):
        """Everything in the topic now: (partition, offset, key, value, headers, timestamp), a partition after the
        other."""
        bounds = {p: (low, high) for p, (low, high) in self.watermarks(topic).items() if low < high}
        found, heard = {p: [] for p in bounds}, time.monotonic()
        position = {p: low for p, (low, _) in bounds.items()}
        consumer = Consumer({**self.config, "group.id": "e2e-reader", "enable.auto.commit": False,
                             "enable.partition.eof": True, "fetch.message.max.bytes": 8 << 20})
        try:
            consumer.assign([TopicPartition(topic, p, low) for p, (low, _) in bounds.items()])
            while any(position[p] < high for p, (_, high) in bounds.items()):
                m = consumer.poll(0.5)
                if m is None:
                    if time.monotonic() - heard > 20:
                        raise RuntimeError(f"{topic}: nothing more at {position} of {bounds}")
                    continue
                heard, p = time.monotonic(), m.partition()
                if m.error() and m.error().code() == KafkaError._PARTITION_EOF:
                    # the last offsets may not be records: markers, aborted records
                    position[p] = bounds[p][1]
                    continue
                if m.error():
                    raise KafkaException(m.error())
                position[p] = m.offset() + 1
                if m.offset() < bounds[p][1]:
                    found[p].append((p, m.offset(), m.key(), m.value(), m.headers() or [], m.timestamp()[1]))
        finally:
            consumer.close()
        return [record for p in sorted(found) for record in found[p]]

    def truncate(self, topic, before):
        """Deletes the records before these offsets (partition -> offset), as retention would."""
        wanted = [TopicPartition(topic, p, offset) for p, offset in before.items()]
        for future in self.admin.delete_records(wanted).values():
            future.result(30)


class Deliveries(Producer):
    """A producer that reports undelivered records; `flush` alone only waits until nothing is under way."""

    def __init__(self, config):
        # not `self` inside: a producer that refers to itself would live on, with its threads, until the collector
        # finds it
        self.failed = failed = []
        super().__init__({**config, "on_delivery": lambda error, message: failed.append(error) if error else None})

    def finish(self, seconds=120):
        if self.flush(seconds):
            raise RuntimeError(f"records not acknowledged within {seconds} s")
        if self.failed:
            raise RuntimeError(f"{len(self.failed)} records not delivered, the first: {self.failed[0]}")


def if_told(question, *about):
    """A paused broker does not answer, and may not answer right after it."""
    try:
        return question(*about)
    except KafkaException:
        return None


def send(producer, topic, key, value, partitions):
    by = getattr(key, "by", key)
    where = {"partition": zlib.crc32(by) % partitions} if by is not None else {}
    while True:
        try:
            producer.produce(topic, value, None if key is None else bytes(key), **where)
            return producer.poll(0)
        except BufferError:
            producer.poll(0.1)


class Writer(threading.Thread):
    """The application, writing while Crossfade works: `rate` records/s until `hurry()`, then `fast`.

    `hold`: it keeps what lies after so many records until `hurry()`, so that there is something left to write.
    """

    def __init__(self, log, topic, records, rate=1000, fast=6000, hold=None):
        super().__init__(daemon=True)
        self.log, self.topic, self.records = log, topic, records
        self.rate, self.fast, self.hold = rate, fast, hold
        self.stopped = threading.Event()
        self.written, self.error = 0, None

    def hurry(self):
        self.rate, self.hold = self.fast, None

    def stop(self):
        """Ends the writer early: unsent records are never sent."""
        self.stopped.set()
        self.join(60)

    def finish(self, seconds=300):
        self.join(seconds)
        assert not self.is_alive(), "the writer did not end"
        if self.error:
            raise self.error

    def run(self):
        try:
            producer, count = self.log.producer(), self.log.spread(self.topic)
            due = time.monotonic()
            for key, value in self.records:
                while self.hold is not None and self.written >= self.hold and not self.stopped.wait(0.05):
                    producer.poll(0)
                if self.stopped.is_set():
                    break
                send(producer, self.topic, key, value, count)
                self.written += 1
                due = max(due + 1 / self.rate, time.monotonic() - 0.1)
                if due - time.monotonic() > 0.02:
                    self.stopped.wait(due - time.monotonic())
            producer.finish()
        except Exception as error:
            self.error = error
