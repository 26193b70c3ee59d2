"""The application's own indexer while it runs: a member of its group that lags, stops, and goes on."""
import random
import threading

from confluent_kafka import Consumer, TopicPartition

import texts
from model import DELETE, INDEX, MERGE, Model


class LiveIndexer(threading.Thread):
    """Applies the commands of `topic` to an old index, and commits what it has applied.

    `model`: what the index holds already; `start`: the offsets after these commands. Between two batches it pauses now
    and then, by `seed`.
    """

    def __init__(self, log, topic, group, cluster, index, start, model=None, seed=1, shape="envelope"):
        super().__init__(daemon=True)
        self.log, self.topic, self.group, self.cluster, self.index = log, topic, group, cluster, index
        self.start_offsets, self.model = start, model or Model(shape)
        self.random = random.Random(seed)
        self.asked, self.error, self.applied = threading.Event(), None, 0
        self.held = threading.Event()

    def stop(self):
        self.asked.set()
        self.join(60)
        if self.error:
            raise self.error

    def run(self):
        try:
            self.work()
        except Exception as error:
            self.error = error

    def work(self):
        consumer = Consumer({"bootstrap.servers": self.log.bootstrap, "group.id": self.group,
                             "enable.auto.commit": False, "isolation.level": "read_committed"})
        consumer.assign([TopicPartition(self.topic, p, o) for p, o in self.start_offsets.items()])
        try:
            while not self.asked.is_set():
                if self.held.is_set():
                    self.asked.wait(0.05)
                    continue
                records = [r for r in consumer.consume(200, timeout=0.2) if r.error() is None]
                if records:
                    self.apply(records)
                    consumer.commit(asynchronous=False, offsets=self.positions(records))
                if self.random.random() < 0.1:
                    self.asked.wait(self.random.random())
        finally:
            consumer.close()

    def positions(self, records):
        ends = {}
        for record in records:
            ends[record.partition()] = max(ends.get(record.partition(), 0), record.offset() + 1)
        return [TopicPartition(self.topic, p, o) for p, o in ends.items()]

    def apply(self, records):
        dirty = {}
        for record in records:
            kind, ident = self.model.apply(record.key(), record.value())
            if kind in (INDEX, MERGE, DELETE):
                dirty[ident] = True
        lines = []
        for ident in dirty:
            document = self.model.documents.get(ident)
            lines.append(("delete", ident, {}, None) if document is None
                         else ("index", ident, {}, texts.render(document)))
        if lines:
            self.cluster.bulk(self.index, lines)
        self.applied += len(records)
