"""A cluster with security: a proxy that knows which privilege each request needs, answers 403 where the role of its
user lacks it, and records what was asked for.

The rules are those of Elasticsearch: a request is an action, a privilege is a set of patterns of actions, and a role
gives privileges on the cluster and on names or patterns of indices and aliases. Source: IndexPrivilege and
ClusterPrivilegeResolver of Elasticsearch's x-pack.
"""
import fnmatch
import json
import re
import urllib.parse

from proxy import Proxy

CLUSTER = {
    "monitor": ["cluster:monitor/*"],
    "manage_index_templates": ["indices:admin/template/*", "indices:admin/index_template/*",
                               "cluster:admin/component_template/*"],
    "read_ilm": ["cluster:admin/ilm/get"],
    "all": ["*"],
}
INDEX = {
    "read": ["indices:data/read/*"],
    "write": ["indices:data/write/*", "indices:admin/mapping/auto_put"],
    "monitor": ["indices:monitor/*"],
    "maintenance": ["indices:admin/refresh*", "indices:admin/flush*", "indices:admin/forcemerge*"],
    "view_index_metadata": ["indices:admin/aliases/get", "indices:admin/get", "indices:admin/exists",
                            "indices:admin/mappings/get", "indices:monitor/settings/get",
                            "indices:admin/resolve/index"],
    "manage": ["indices:monitor/*", "indices:admin/*"],
    "all": ["*"],
}
# of the cluster: (method, path) -> action
OF_CLUSTER = [
    ("GET", r"/", "cluster:monitor/main"), ("GET", r"/_nodes\b.*", "cluster:monitor/nodes/info"),
    ("GET", r"/_cluster/health\b.*", "cluster:monitor/health"),
    ("GET", r"/_cluster/pending_tasks", "cluster:monitor/task"),
    ("GET", r"/_cluster/settings", "cluster:monitor/state"), ("GET", r"/_ilm/policy/.+", "cluster:admin/ilm/get"),
    ("GET", r"/_template", "indices:admin/template/get"),
    ("GET", r"/_index_template", "indices:admin/index_template/get"),
    ("POST", r"/_index_template/_simulate_index/.+", "indices:admin/index_template/simulate_index"),
    ("GET", r"/_component_template/.+", "cluster:admin/component_template/get"),
    # of OpenSearch, by the name of what Elasticsearch has in its place
    ("GET", r"/_plugins/_ism/(policies|explain/.+)", "cluster:admin/ilm/get"),
]
# of an index: (method, what follows its name) -> action
OF_INDEX = [
    ("GET", r"", "indices:admin/get"), ("HEAD", r"", "indices:admin/get"), ("PUT", r"", "indices:admin/create"),
    ("DELETE", r"", "indices:admin/delete"), ("GET", r"/_mapping", "indices:admin/mappings/get"),
    ("PUT", r"/_mapping(/.+)?", "indices:admin/mapping/put"), ("GET", r"/_settings", "indices:monitor/settings/get"),
    ("PUT", r"/_settings", "indices:admin/settings/update"), ("GET", r"/_alias", "indices:admin/aliases/get"),
    ("GET", r"/_stats.*", "indices:monitor/stats"), ("POST", r"/_refresh", "indices:admin/refresh"),
    ("DELETE", r"/_alias/[^/]+", "indices:admin/aliases"),
    ("(GET|POST)", r"(/\w+)?/_search", "indices:data/read/search"), ("POST", r"/_count", "indices:data/read/search"),
    ("POST", r"(/\w+)?/_mget", "indices:data/read/mget"), ("POST", r"(/\w+)?/_bulk", "indices:data/write/bulk"),
    ("GET", r"/(_doc|_source|doc|\w+)/[^/]+(/_source)?", "indices:data/read/get"),
    ("(PUT|POST)", r"/(_doc|_create|doc|\w+)/[^/]+(/_create)?", "indices:data/write/index"),
    ("DELETE", r"/(_doc|doc|\w+)/[^/]+", "indices:data/write/delete"),
]
ASKS = ("/_security/user/_has_privileges", "/_xpack/security/user/_has_privileges")


def needs(method, path, body):
    """The actions of a request: (action, name of an index or alias), None for the cluster, "*" for any index."""
    path = urllib.parse.unquote(urllib.parse.urlsplit(path).path)
    if path.startswith("/_search/scroll"):
        return [("indices:data/read/scroll", "*")]
    if path.startswith("/_resolve/index/"):
        return [("indices:admin/resolve/index", path.removeprefix("/_resolve/index/"))]
    if path.startswith("/_alias/"):
        # a cluster leaves out what the user may not see
        return []
    if (method, path) == ("POST", "/_aliases"):
        changes = [change for action in json.loads(body)["actions"] for change in action.values()]
        return [("indices:admin/aliases", name) for change in changes for name in (change["index"], change["alias"])]
    found = [(action, None) for verb, shape, action in OF_CLUSTER if verb == method and re.fullmatch(shape, path)]
    if not found and not path.startswith("/_"):
        name, rest = re.fullmatch(r"/([^/]+)(.*)", path).groups()
        found = [(action, name) for verb, shape, action in OF_INDEX
                 if re.fullmatch(verb, method) and re.fullmatch(shape, rest)][:1]
        if found and found[0][0] == "indices:admin/create" and body:
            found += [("indices:admin/aliases", alias) for alias in json.loads(body).get("aliases", {})]
    assert found, f"it is not known which privilege {method} {path} needs"
    return found


class Role:
    """A role as `PUT /_security/role` takes it; an index is matched by its name or a pattern."""

    def __init__(self, definition):
        self.definition = definition

    def grants(self):
        """(privilege, pattern or None for the cluster, patterns of actions)."""
        for privilege in self.definition.get("cluster", []):
            yield privilege, None, CLUSTER[privilege]
        for group in self.definition.get("indices", []):
            for name in group["names"]:
                for privilege in group["privileges"]:
                    yield privilege, name, INDEX[privilege]

    def covering(self, action, name):
        """The grants that allow an action."""
        return [(privilege, pattern) for privilege, pattern, actions in self.grants()
                if (pattern is None) == (name is None) and any(fnmatch.fnmatchcase(action, a) for a in actions)
                and (name in (None, "*") or fnmatch.fnmatchcase(name, pattern))]

    def has(self, privilege, name=None):
        """Whether all that a privilege allows on a name is allowed."""
        return all(self.covering(action, name) for action in (CLUSTER if name is None else INDEX)[privilege])


class Rights(Proxy):
    """`role`: the definition of the user's role. `tells`: whether the cluster can be asked what the user may do.
    `deny`: a further (method, path, body) -> whether it is forbidden all the same."""

    def __init__(self, upstream, role, tells=True, deny=lambda method, path, body: False):
        super().__init__(upstream)
        self.role, self.tells, self.deny = Role(role), tells, deny
        self.forbidden, self.unknown, self.used = [], [], set()
        # (privilege, name) of which it says that they are missing, although they are there
        self.told_otherwise = set()

    def answer(self, handler, status, tree):
        handler.answer(status, [("Content-Type", "application/json")], json.dumps(tree).encode())

    def handle(self, handler, body):
        method, path = handler.command, handler.path
        if path.split("?")[0] in ASKS:
            return self.told(handler, json.loads(body))
        if path == "/_plugins/_security/authinfo":
            return self.answer(handler, 200, {"user_name": "crossfade", "roles": ["crossfade"]})
        if "perform_permission_check=true" in path:
            missing = [action for action, name in needs(method, path, body) if not self.role.covering(action, name)]
            return self.answer(handler, 200, {"accessAllowed": not missing, "missingPrivileges": missing})
        try:
            wanted = needs(method, path, body)
        except AssertionError as error:
            self.unknown.append(str(error))
            return self.answer(handler, 500, {"error": {"type": "test", "reason": str(error)}, "status": 500})
        for action, name in wanted:
            covering = self.role.covering(action, name)
            if not covering or self.deny(method, path, body):
                self.forbidden.append((method, path, action, name))
                reason = f"action [{action}] is unauthorized for user [crossfade] on indices [{name}]"
                error = {"type": "security_exception", "reason": reason}
                return self.answer(handler, 403, {"error": {"root_cause": [error], **error}, "status": 403})
            if len(covering) == 1:
                self.used.add(covering[0])
        if path.startswith("/_nodes/http"):
            # nodes are asked one by one; through here, too
            del handler.headers["Accept-Encoding"]
            status, headers, data = handler.ask(body)
            return handler.answer(status, headers, data.replace(self.upstream.netloc.encode(), self.url[7:].encode()))
        super().handle(handler, body)

    def told(self, handler, asked):
        if not self.tells:
            reason = {"type": "security_exception", "reason": "current license is non-compliant for [security]"}
            return self.answer(handler, 403, {"error": reason, "status": 403})
        cluster = {name: self.role.has(name) for name in asked.get("cluster", [])}
        index = {name: {privilege: self.role.has(privilege, name) and (privilege, name) not in self.told_otherwise
                        for privilege in group["privileges"]}
                 for group in asked.get("index", []) for name in group["names"]}
        every = [*cluster.values(), *(told for group in index.values() for told in group.values())]
        self.answer(handler, 200, {"username": "crossfade", "has_all_requested": all(every), "cluster": cluster,
                                   "index": index, "application": {}})
