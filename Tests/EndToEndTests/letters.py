"""Commands that die under a migration's first recipe and are good under a mended one, and what the topic of the dead
holds."""
import zlib

import texts
from model import INDEX, Envelope, Model
from recipes import MAPPING

# `code` is a number in the new mapping, and these documents have a text there: the mended recipe removes the field
BROKEN_MAPPING = {"properties": {**MAPPING["properties"], "code": {"type": "integer"}}}
# a command that the first recipe does not know
NEW_COMMAND = "CreateMessageCommand"


def command(name, ident, message=None):
    value = {"command": name, "id": ident}
    if message is not None:
        value["message"] = message
    return ident.encode(), texts.render(value).encode()


def insert(ident, **fields):
    return command("InsertMessageCommand", ident, {"title": f"title of {ident}", **fields})


def update(ident, **fields):
    return command("UpdateMessageCommand", ident, fields)


def delete(ident):
    return command("DeleteMessageCommand", ident)


def dead_and_alive(count):
    """`count` ids of each kind of fate, in the order of the log."""
    records = []
    for n in range(count):
        # dead, and nothing newer
        records.append(insert(f"alone-{n}", code="broken"))
        records.append(command(NEW_COMMAND, f"unnamed-{n}", {"title": "unnamed", "status": "open"}))
        # dead, and something newer, which stays
        records += [insert(f"newer-{n}", code="broken", status="old"), insert(f"newer-{n}", status="new")]
        records += [insert(f"gone-{n}", code="broken"), delete(f"gone-{n}")]
        # a dead part of a good document
        records += [insert(f"part-{n}", tags={"host": "a", "check": "b"}),
                    update(f"part-{n}", code="broken", tags={"host": "c"})]
        # a whole history of dead commands
        records += [insert(f"history-{n}", code="broken", status="open", severity=texts.number(3)),
                    update(f"history-{n}", code="worse", status="closed")]
        records.append(insert(f"good-{n}", status="open"))
    return records


# of each `count` of dead_and_alive
DEAD = 7


class MendedEnvelope(Envelope):
    names = {**Envelope.names, NEW_COMMAND: INDEX}


class MendedModel(Model):
    """The commands as the mended recipe understands them."""

    def __init__(self):
        super().__init__()
        self.decoder = MendedEnvelope()

    def expected(self, flattened=("tags",)):
        documents = super().expected(flattened)
        for document in documents.values():
            document.pop("code", None)
        return documents


def mend(m):
    """The recipe without the faults; returns the fingerprint to confirm."""
    envelope = m.tree["commands"]["envelope"]
    if NEW_COMMAND not in envelope["index"]:
        # a new list: all recipes share the old one
        envelope["index"] = [*envelope["index"], NEW_COMMAND]
        m.tree["indices"][0]["transform"].append({"remove": {"field": "code"}})
        # what is written already has no such field
        m.tree["accept"] = [*m.tree.get("accept", []), {"rail": "changed_form", "why": "only letters have the field"}]
    m.write_recipe()
    return m.run("plan").json["fingerprint"]


def produce_with_headers(log, topic, key, value, headers):
    producer, count = log.producer(), log.spread(topic)
    at = []
    producer.produce(topic, value, key, partition=zlib.crc32(key) % count, headers=headers,
                     on_delivery=lambda error, message: at.append((message.partition(), message.offset())))
    assert producer.flush(60) == 0
    return at[0]


def letters(m):
    """Every record of the dead-letter topic: (origin, headers as a dict, key, value), including resolutions."""
    topic = m.tree["dead_letters"]["topic"]
    if topic not in m.log.topics():
        return []
    found = []
    for _, _, key, value, headers, _ in m.log.read(topic):
        ours = {name: text.decode() for name, text in headers if name.startswith("crossfade.")}
        if ours.get("crossfade.source") == "copy":
            origin = ("copy", key.decode())
        else:
            origin = int(ours["crossfade.partition"]), int(ours["crossfade.offset"])
        found.append((origin, ours, key, value))
    return found


def listed(m, *filters):
    return m.crossfade("dead-letters", "list", m.recipe, "--format", "json", *filters, seconds=60).expect(0).json


def redrive(m, *filters, start=False):
    arguments = ["dead-letters", "redrive", m.recipe, "--format", "json", *filters]
    if start:
        return m.crossfade.start(*arguments)
    result = m.crossfade(*arguments, seconds=120)
    read, dead = result.summary["read"], result.summary["outcomes"]["dead_lettered"]
    return result.expect(4 if 0 < read == dead else 0).summary
