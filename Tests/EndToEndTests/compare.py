"""Compares every document of the target with the model: none missing, none extra, none different."""
import texts

TOMBSTONE, TOMBSTONE_AT = "crossfade_deleted", "crossfade_deleted_at"
LIVE = {"bool": {"must_not": [{"term": {TOMBSTONE: True}}]}}
DEAD = {"term": {TOMBSTONE: True}}
SHOWN = 5


class Difference:
    def __init__(self):
        self.missing, self.extra, self.different, self.versions, self.tombstones = [], [], [], [], []
        self.compared = 0

    @property
    def none(self):
        return not (self.missing or self.extra or self.different or self.versions or self.tombstones)

    def __str__(self):
        lines = [f"{self.compared} documents compared"]
        for name in ("missing", "extra", "different", "versions", "tombstones"):
            found = getattr(self, name)
            if found:
                lines.append(f"{len(found)} {name}: " + "; ".join(str(f) for f in found[:SHOWN]))
        return "\n".join(lines)


def paths(expected, actual, path=""):
    """The differences between two trees: (path, expected, actual)."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key in {**expected, **actual}:
            here = f"{path}.{key}" if path else key
            if key not in actual or key not in expected:
                yield here, expected.get(key, "(absent)"), actual.get(key, "(absent)")
            else:
                yield from paths(expected[key], actual[key], here)
    elif expected != actual or type(expected) is not type(actual):
        yield path, expected, actual


def compare(cluster, index, expected, versions=None, deleted=None):
    """`expected`: id -> document. `versions`: id -> external version of its newest command, checked where given.
    `deleted`: ids whose newest command is a delete; only these may have a tombstone."""
    cluster.refresh(index)
    found = Difference()
    left = dict(expected)
    for hit in cluster.scroll(index, LIVE):
        ident, source = hit["_id"], hit["_source"]
        found.compared += 1
        if ident not in left:
            found.extra.append((ident, source))
            continue
        wanted = left.pop(ident)
        if wanted != source:
            found.different.append((ident, list(paths(wanted, source))[:SHOWN]))
        check_version(found, versions, ident, hit)
    found.missing = [(ident, left[ident]) for ident in list(left)]
    for hit in cluster.scroll(index, DEAD):
        ident, source = hit["_id"], hit["_source"]
        if set(source) != {TOMBSTONE, TOMBSTONE_AT} or int(texts.plain(source[TOMBSTONE_AT])) < 1_600_000_000_000:
            found.tombstones.append((ident, f"is not the mark and its time: {source}"))
        if deleted is not None and ident not in deleted:
            found.tombstones.append((ident, "is a tombstone of what was not deleted"))
        check_version(found, versions, ident, hit)
    return found


def check_version(found, versions, ident, hit):
    if versions is not None:
        actual = int(texts.plain(hit["_version"]))
        if versions.get(ident) != actual:
            found.versions.append((ident, f"expected {versions.get(ident)}, is {actual}"))


def snapshot(cluster, index):
    """id -> (version, document) of everything, tombstones too: equal snapshots mean that nothing was written but
    tombstones over themselves, which a delete that is read again does."""
    cluster.refresh(index)
    found = {}
    for hit in cluster.scroll(index, {"match_all": {}}):
        source = {name: value for name, value in hit["_source"].items() if name != "crossfade_deleted_at"}
        found[hit["_id"]] = (hit["_version"], texts.render(source))
    return found


class Truth:
    """Documents, versions and counts that follow from the log, read back from the log itself."""

    def __init__(self, log, topic, model, version=lambda offset: offset + 2):
        self.model, self.records = model, 0
        for _, offset, key, value, *_ in log.read(topic):
            self.records += 1
            model.apply(key, value, version(offset))
        self.expected = model.expected()
        self.versions = dict(model.last)
        self.deleted = set(model.last) - set(self.expected)

    def check(self, cluster, index, versions=True):
        """Raises AssertionError with the first differences."""
        found = compare(cluster, index, self.expected, self.versions if versions else None, self.deleted)
        assert found.none, str(found)
        assert found.compared == len(self.expected)
        return found
