"""Recipes as YAML."""
import json
import pathlib

ENVELOPE = {
    "id": "id", "operation": "command", "index": ["InsertMessageCommand"], "merge": ["UpdateMessageCommand"],
    "delete": ["DeleteMessageCommand"], "ignore": ["PingCommand"], "document": "message",
}
PAIR = {"properties": {"keyToValue": {"type": "keyword"}, "value": {"type": "keyword"}}}
# the new schema, for 5 and later
MAPPING = {
    "properties": {
        "title": {"type": "text"}, "status": {"type": "keyword"}, "severity": {"type": "integer"},
        "opened_at": {"type": "long"}, "cost": {"type": "double"}, "rev": {"type": "long"},
        "closed_by": {"type": "keyword"},
        "host": {"properties": {"name": {"type": "keyword"}, "address": {"type": "keyword"}}},
        "notes": {"type": "object", "dynamic": False},
        "tags": PAIR,
    }
}


def recipe(name, bootstrap, topic, source, target, old="incidents", new="incidents-v2", /, shape="envelope",
           mapping=MAPPING,
           settings=None, kafka=None, **sections):
    """The recipe as a tree; `sections` are merged in: commands=, source=, target=, index= (the one entry), copy=,
    ..."""
    commands = {"bootstrap": bootstrap, "topic": topic, "format": shape}
    if kafka:
        commands["kafka"] = kafka
    if shape == "envelope":
        commands["envelope"] = dict(ENVELOPE)
    entry = {"from": old, "to": new, "transform": [{"keyToValue": {"field": "tags"}}]}
    if mapping is not None:
        entry["mapping"] = mapping
    entry["settings"] = {"number_of_shards": 2, "number_of_replicas": 0, **(settings or {})}
    tree = {
        "name": name,
        "commands": commands,
        "source": {"url": source},
        "target": {"url": target},
        "indices": [entry],
        "replay": {"from": "beginning"},
        "dead_letters": {"topic": f"{topic}-dead"},
        # any free port: several commands run at once
        "operations": {"listen": "127.0.0.1:0"},
    }
    for section, changes in sections.items():
        if section == "index":
            entry.update(changes)
        elif isinstance(tree.get(section), dict) and isinstance(changes, dict):
            tree[section].update(changes)
        else:
            tree[section] = changes
    return tree


def write(tree, path):
    path = pathlib.Path(path)
    path.write_text(yaml(tree))
    return path


def yaml(tree, indent=0):
    """Block style; scalars as JSON, which YAML reads alike."""
    pad, lines = "  " * indent, []
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            lines.append(f"{pad}{key}:\n{yaml(value, indent + 1)}")
        elif isinstance(value, list) and value and all(isinstance(v, dict) for v in value):
            lines.append(f"{pad}{key}:\n")
            for item in value:
                block = yaml(item, indent + 2)
                lines.append(f"{pad}  - {block.lstrip()}")
        else:
            lines.append(f"{pad}{key}: {json.dumps(value, ensure_ascii=False)}\n")
    return "".join(lines)
