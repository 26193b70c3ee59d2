#define _GNU_SOURCE
#include "cluster.h"
#include "json.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

struct index {
    char *name, *mappings;
    int number;
    struct index *next;
};
struct alias {
    char *name, *index, *options; /* options: JSON object with filter, is_write_index, routings */
    struct alias *next;
};
struct document {
    char *index, *id, *source;
    int64_t seq_no, version;
    struct document *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct index *indices;
static struct alias *aliases;
static struct document *documents;
static int64_t last_seq_no = -1;
static int index_count;

#define SHARDS "\"_shards\":{\"total\":1,\"successful\":1,\"skipped\":0,\"failed\":0}"

static char *copy(slice s) { return is_empty(s) ? strdup("{}") : strndup(s.start, (size_t)(s.end - s.start)); }

static struct index *find_index(const char *name) {
    for (struct index *i = indices; i; i = i->next)
        if (strcmp(i->name, name) == 0) return i;
    for (struct alias *a = aliases; a; a = a->next)
        if (strcmp(a->name, name) == 0) return find_index(a->index);
    return NULL;
}

static struct index *make_index(const char *name, slice mappings) {
    struct index *i = calloc(1, sizeof *i);
    i->name = strdup(name);
    i->mappings = copy(mappings);
    i->number = ++index_count;
    i->next = indices;
    indices = i;
    return i;
}

static void remove_alias(const char *name, const char *index) {
    for (struct alias **at = &aliases; *at;) {
        struct alias *a = *at;
        if ((!name || strcmp(a->name, name) == 0) && (!index || strcmp(a->index, index) == 0)) {
            *at = a->next;
            free(a->name), free(a->index), free(a->options), free(a);
        } else {
            at = &a->next;
        }
    }
}

static void add_alias(const char *name, const char *index, slice options) {
    static const char *kept[] = {"filter", "is_write_index", "routing", "index_routing", "search_routing"};
    remove_alias(name, index);
    struct alias *a = calloc(1, sizeof *a);
    a->name = strdup(name);
    a->index = strdup(index);
    size_t size;
    FILE *out = open_memstream(&a->options, &size);
    fputc('{', out);
    const char *comma = "";
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        slice value = member(options, kept[i]);
        if (is_empty(value)) continue;
        fprintf(out, "%s\"%s\":%.*s", comma, kept[i], (int)(value.end - value.start), value.start);
        comma = ",";
    }
    fputc('}', out);
    fclose(out);
    a->next = aliases;
    aliases = a;
}

static int problem(FILE *out, int status, const char *type, const char *reason, const char *what) {
    fprintf(out,
            "{\"error\":{\"root_cause\":[{\"type\":\"%s\",\"reason\":\"%s [%s]\"}],\"type\":\"%s\",\"reason\":\"%s "
            "[%s]\",\"index\":\"%s\"},\"status\":%d}",
            type, reason, what, type, reason, what, what, status);
    return status;
}

static int no_index(FILE *out, const char *name) {
    return problem(out, 404, "index_not_found_exception", "no such index", name);
}

static int acknowledged(FILE *out) {
    fputs("{\"acknowledged\":true}", out);
    return 200;
}

static void write_aliases(FILE *out, const char *index, const char *name) {
    const char *comma = "";
    fputs("\"aliases\":{", out);
    for (struct alias *a = aliases; a; a = a->next) {
        if (strcmp(a->index, index) != 0 || (name && strcmp(a->name, name) != 0)) continue;
        fprintf(out, "%s\"%s\":%s", comma, a->name, a->options);
        comma = ",";
    }
    fputc('}', out);
}

static void write_settings(FILE *out, struct index *i) {
    fprintf(out,
            "\"settings\":{\"index\":{\"creation_date\":\"1700000000000\",\"number_of_shards\":\"1\","
            "\"number_of_replicas\":\"0\",\"uuid\":\"nullsink-index-%06d\",\"version\":{\"created\":\"7100299\"},"
            "\"provided_name\":\"%s\"}}",
            i->number, i->name);
}

/* GET of aliases: `name` nil for all, `index` nil for all. */
static int list_aliases(FILE *out, const char *index, const char *name) {
    const char *comma = "";
    bool any = false;
    struct index *only = index ? find_index(index) : NULL;
    if (index && !only) return no_index(out, index);
    fputc('{', out);
    for (struct index *i = indices; i; i = i->next) {
        bool here = !name;
        for (struct alias *a = aliases; !here && a; a = a->next)
            here = strcmp(a->index, i->name) == 0 && strcmp(a->name, name) == 0;
        here &= !only || only == i;
        if (!here) continue;
        fprintf(out, "%s\"%s\":{", comma, i->name);
        write_aliases(out, i->name, name);
        fputc('}', out);
        comma = ",";
        any = true;
    }
    if (name && !any) {
        fprintf(out, "\"error\":\"alias [%s] missing\",\"status\":404}", name);
        return 404;
    }
    fputc('}', out);
    return 200;
}

static int update_aliases(struct request *request, FILE *out) {
    slice actions = member((slice){request->body, request->body + request->length}, "actions"), action, kind, options;
    while (!is_empty(actions) && next_element(&actions, &action)) {
        if (!next_member(&action, &kind, &options)) continue;
        char *alias = copy(unquoted(member(options, "alias"))), *index = copy(unquoted(member(options, "index")));
        if (strncmp(kind.start, "add", 3) == 0) add_alias(alias, index, options);
        else if (strncmp(kind.start, "remove\"", 7) == 0) remove_alias(alias, index);
        free(alias), free(index);
    }
    return acknowledged(out);
}

static const char *parameter(const char *query, const char *name) {
    size_t length = strlen(name);
    for (const char *p = query; p && *p; p = strchr(p, '&') ? strchr(p, '&') + 1 : NULL)
        if (strncmp(p, name, length) == 0 && p[length] == '=') return p + length + 1;
    return NULL;
}

static struct document **find_document(const char *index, const char *id) {
    struct document **at = &documents;
    while (*at && (strcmp((*at)->index, index) != 0 || strcmp((*at)->id, id) != 0)) at = &(*at)->next;
    return at;
}

static void write_hit(FILE *out, struct document *d) {
    fprintf(out,
            "{\"_index\":\"%s\",\"_type\":\"_doc\",\"_id\":\"%s\",\"_version\":%" PRId64 ",\"_seq_no\":%" PRId64
            ",\"_primary_term\":1,\"_score\":null,\"found\":true,\"_source\":%s}",
            d->index, d->id, d->version, d->seq_no, d->source);
}

static int write_result(FILE *out, struct document *d, const char *result, int status) {
    fprintf(out,
            "{\"_index\":\"%s\",\"_type\":\"_doc\",\"_id\":\"%s\",\"_version\":%" PRId64
            ",\"result\":\"%s\",\"_shards\":{\"total\":1,\"successful\":1,\"failed\":0},\"_seq_no\":%" PRId64
            ",\"_primary_term\":1}",
            d->index, d->id, d->version, result, d->seq_no);
    return status;
}

static int put_document(struct request *request, const char *name, const char *id, bool create, FILE *out) {
    struct index *i = find_index(name);
    if (!i) i = make_index(name, (slice){NULL, NULL});
    struct document **at = find_document(i->name, id), *d = *at;
    const char *seq = parameter(request->query, "if_seq_no"), *version = parameter(request->query, "version");
    const char *op = parameter(request->query, "op_type");
    bool conflict = (d && (create || (op && strncmp(op, "create", 6) == 0)));
    conflict |= seq && (!d || d->seq_no != atoll(seq));
    conflict |= version && d && atoll(version) <= d->version;
    if (conflict) return problem(out, 409, "version_conflict_engine_exception", "version conflict", id);
    bool fresh = d == NULL;
    if (fresh) {
        d = calloc(1, sizeof *d);
        d->index = strdup(i->name);
        d->id = strdup(id);
        d->next = *at;
        *at = d;
    }
    free(d->source);
    d->source = strndup(request->body ? request->body : "{}", request->body ? request->length : 2);
    d->seq_no = ++last_seq_no;
    d->version = version ? atoll(version) : d->version + 1;
    return write_result(out, d, fresh ? "created" : "updated", fresh ? 201 : 200);
}

static int document(struct request *request, const char *name, const char *verb, const char *id, FILE *out) {
    bool read = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
    if (!read && strcmp(request->method, "DELETE") != 0)
        return put_document(request, name, id, strcmp(verb, "_create") == 0, out);
    struct index *i = find_index(name);
    if (!i) return no_index(out, name);
    struct document **at = find_document(i->name, id), *d = *at;
    if (!d) {
        fprintf(out, "{\"_index\":\"%s\",\"_type\":\"_doc\",\"_id\":\"%s\",\"found\":false,\"result\":\"not_found\"}",
                i->name, id);
        return 404;
    }
    if (read) {
        if (strcmp(verb, "_source") == 0) fputs(d->source, out);
        else write_hit(out, d);
        return 200;
    }
    *at = d->next;
    d->version++;
    d->seq_no = ++last_seq_no;
    write_result(out, d, "deleted", 200);
    free(d->index), free(d->id), free(d->source), free(d);
    return 200;
}

static int search(const char *name, bool count, FILE *out) {
    struct index *i = name ? find_index(name) : NULL;
    if (name && !i && !strpbrk(name, "*,")) return no_index(out, name);
    int total = 0;
    for (struct document *d = documents; d; d = d->next) total += i && strcmp(d->index, i->name) == 0;
    if (count) {
        fprintf(out, "{\"count\":%d," SHARDS "}", total);
        return 200;
    }
    fprintf(out,
            "{\"took\":1,\"timed_out\":false," SHARDS
            ",\"hits\":{\"total\":{\"value\":%d,\"relation\":\"eq\"},\"max_score\":null,\"hits\":[",
            total);
    const char *comma = "";
    for (struct document *d = documents; d; d = d->next) {
        if (!i || strcmp(d->index, i->name) != 0) continue;
        fputs(comma, out);
        write_hit(out, d);
        comma = ",";
    }
    fputs("]}}", out);
    return 200;
}

/* Documents of the measured index are never kept, so only state documents are ever found. */
static int multi_get(struct request *request, const char *name, FILE *out) {
    slice body = {request->body, request->body + request->length}, one;
    slice list = member(body, "ids");
    if (is_empty(list)) list = member(body, "docs");
    const char *comma = "";
    fputs("{\"docs\":[", out);
    while (!is_empty(list) && next_element(&list, &one)) {
        bool whole = *one.start == '{';
        char *id = copy(unquoted(whole ? member(one, "_id") : one));
        slice own = whole ? unquoted(member(one, "_index")) : (slice){NULL, NULL};
        char *index = is_empty(own) ? strdup(name ? name : "") : copy(own);
        struct document *d = *find_document(index, id);
        fputs(comma, out);
        if (d) write_hit(out, d);
        else fprintf(out, "{\"_index\":\"%s\",\"_type\":\"_doc\",\"_id\":\"%s\",\"found\":false}", index, id);
        comma = ",";
        free(id), free(index);
    }
    fputs("]}", out);
    return 200;
}

static int one_index(struct request *request, const char *name, FILE *out) {
    struct index *i = find_index(name);
    slice body = {request->body, request->body + request->length}, key, value;
    if (strcmp(request->method, "PUT") == 0) {
        if (i) return problem(out, 400, "resource_already_exists_exception", "index already exists", name);
        make_index(name, request->body ? member(body, "mappings") : (slice){NULL, NULL});
        slice list = request->body ? member(body, "aliases") : (slice){NULL, NULL};
        while (!is_empty(list) && next_member(&list, &key, &value)) {
            char *alias = copy(key);
            add_alias(alias, name, value);
            free(alias);
        }
        fprintf(out, "{\"acknowledged\":true,\"shards_acknowledged\":true,\"index\":\"%s\"}", name);
        return 200;
    }
    if (!i && strpbrk(name, "*,")) {
        fputs("{}", out);
        return 200;
    }
    if (!i) return no_index(out, name);
    if (strcmp(request->method, "DELETE") == 0) {
        remove_alias(NULL, i->name);
        struct index **at = &indices;
        while (*at != i) at = &(*at)->next;
        *at = i->next;
        for (struct document **d = &documents; *d;)
            if (strcmp((*d)->index, i->name) == 0) *d = (*d)->next; /* leaked: a bench lives minutes */
            else d = &(*d)->next;
        return acknowledged(out);
    }
    fprintf(out, "{\"%s\":{", i->name);
    write_aliases(out, i->name, NULL);
    fprintf(out, ",\"mappings\":%s,", i->mappings);
    write_settings(out, i);
    fputs("}}", out);
    return 200;
}

/* Writes an object's members that `besides` does not have, `properties` excepted; each with a comma before it. */
static void write_members(FILE *out, slice object, slice besides, const char **comma) {
    slice key, value;
    while (!is_empty(object) && next_member(&object, &key, &value)) {
        char *name = copy(key);
        if (strcmp(name, "properties") != 0 && is_empty(member(besides, name))) {
            fprintf(out, "%s\"%s\":%.*s", *comma, name, (int)(value.end - value.start), value.start);
            *comma = ",";
        }
        free(name);
    }
}

/* A put mapping adds to the one there is, field by field at the top. */
static char *merged_mapping(const char *old_text, slice new) {
    slice old = {old_text, old_text + strlen(old_text)}, none = {NULL, NULL};
    slice fields = member(old, "properties"), added = member(new, "properties");
    char *text = NULL;
    size_t size;
    const char *comma = "";
    FILE *out = open_memstream(&text, &size);
    fputc('{', out);
    write_members(out, old, new, &comma);
    write_members(out, new, none, &comma);
    fprintf(out, "%s\"properties\":{", comma);
    comma = "";
    write_members(out, fields, added, &comma);
    write_members(out, added, none, &comma);
    fputs("}}", out);
    fclose(out);
    return text;
}

static bool is(const char *word, const char *one, const char *other) {
    return strcmp(word, one) == 0 || (other && strcmp(word, other) == 0);
}

static int of_index(struct request *request, char **part, int parts, FILE *out, bool *known) {
    const char *name = part[0], *verb = parts > 1 ? part[1] : "", *argument = parts > 2 ? part[2] : NULL;
    bool read = is(request->method, "GET", "HEAD");
    struct index *i = find_index(name);
    if (parts == 1) return one_index(request, name, out);
    if (argument && (is(verb, "_doc", "_create") || is(verb, "_source", NULL) || verb[0] != '_'))
        return document(request, name, verb, argument, out);
    if (is(verb, "_search", "_count")) return search(name, strcmp(verb, "_count") == 0, out);
    if (is(verb, "_mget", NULL)) return multi_get(request, name, out);
    if (!i) return no_index(out, name);
    if (is(verb, "_refresh", "_flush") || is(verb, "_forcemerge", NULL)) {
        fputs("{" SHARDS "}", out);
        return 200;
    }
    if (is(verb, "_mapping", "_mappings")) {
        if (!read) {
            char *merged = merged_mapping(i->mappings, (slice){request->body, request->body + request->length});
            free(i->mappings);
            i->mappings = merged;
            return acknowledged(out);
        }
        fprintf(out, "{\"%s\":{\"mappings\":%s}}", i->name, i->mappings);
        return 200;
    }
    if (is(verb, "_settings", NULL)) {
        if (!read) return acknowledged(out);
        fprintf(out, "{\"%s\":{", i->name);
        write_settings(out, i);
        fputs("}}", out);
        return 200;
    }
    if (is(verb, "_alias", "_aliases")) {
        if (read) return list_aliases(out, name, argument);
        if (argument && strcmp(request->method, "DELETE") == 0) remove_alias(argument, i->name);
        else if (argument) add_alias(argument, i->name, (slice){request->body, request->body + request->length});
        return acknowledged(out);
    }
    if (is(verb, "_stats", NULL)) {
        fprintf(out,
                "{" SHARDS ",\"_all\":{\"primaries\":{\"docs\":{\"count\":0,\"deleted\":0},\"store\":"
                "{\"size_in_bytes\":0}}},\"indices\":{\"%s\":{\"primaries\":{\"docs\":{\"count\":0,\"deleted\":0},"
                "\"store\":{\"size_in_bytes\":0}}}}}",
                i->name);
        return 200;
    }
    if (is(verb, "_open", "_close")) return acknowledged(out);
    *known = false;
    fputs("{}", out);
    return read ? 404 : 200;
}

static int of_cluster(struct request *request, char **part, int parts, int port, FILE *out, bool *known) {
    const char *verb = parts ? part[0] : "", *argument = parts > 1 ? part[1] : NULL;
    bool read = is(request->method, "GET", "HEAD");
    if (parts == 0) {
        fputs("{\"name\":\"nullsink\",\"cluster_name\":\"nullsink\",\"cluster_uuid\":\"nullsink-cluster-uuid0\","
              "\"version\":{\"number\":\"7.10.2\",\"build_flavor\":\"oss\",\"build_type\":\"tar\",\"build_hash\":"
              "\"0000000\",\"build_date\":\"2021-01-13T00:42:12.435326Z\",\"build_snapshot\":false,"
              "\"lucene_version\":\"8.7.0\",\"minimum_wire_compatibility_version\":\"6.8.0\","
              "\"minimum_index_compatibility_version\":\"6.0.0-beta1\"},\"tagline\":\"You Know, for Search\"}",
              out);
        return 200;
    }
    if (is(verb, "_cluster", NULL) && argument && is(argument, "health", NULL)) {
        fputs("{\"cluster_name\":\"nullsink\",\"status\":\"green\",\"timed_out\":false,\"number_of_nodes\":1,"
              "\"number_of_data_nodes\":1,\"active_primary_shards\":1,\"active_shards\":1,\"relocating_shards\":0,"
              "\"initializing_shards\":0,\"unassigned_shards\":0,\"number_of_pending_tasks\":0}",
              out);
        return 200;
    }
    if (is(verb, "_cluster", NULL) && argument && is(argument, "settings", NULL)) {
        fputs("{\"persistent\":{},\"transient\":{},\"defaults\":{}}", out);
        return 200;
    }
    if (is(verb, "_nodes", NULL)) {
        fprintf(out,
                "{\"_nodes\":{\"total\":1,\"successful\":1,\"failed\":0},\"cluster_name\":\"nullsink\",\"nodes\":"
                "{\"n1\":{\"name\":\"nullsink\",\"ip\":\"127.0.0.1\",\"version\":\"7.10.2\",\"roles\":[\"data\","
                "\"ingest\",\"master\"],\"settings\":{},\"plugins\":[],\"modules\":[],\"http\":{\"bound_address\":"
                "[\"127.0.0.1:%d\"],\"publish_address\":\"127.0.0.1:%d\",\"max_content_length_in_bytes\":104857600}}}}",
                port, port);
        return 200;
    }
    if (is(verb, "_aliases", NULL) && !read) return update_aliases(request, out);
    if (is(verb, "_alias", "_aliases")) return list_aliases(out, NULL, argument);
    if (is(verb, "_refresh", "_flush")) {
        fputs("{" SHARDS "}", out);
        return 200;
    }
    if (is(verb, "_mget", NULL)) return multi_get(request, NULL, out);
    if (is(verb, "_count", NULL) || (is(verb, "_search", NULL) && !argument))
        return search(NULL, strcmp(verb, "_count") == 0, out);
    if (is(verb, "_search", NULL)) {
        fputs("{\"succeeded\":true,\"num_freed\":0}", out);
        return 200;
    }
    if (is(verb, "_cat", NULL)) {
        fputs("[]", out);
        return 200;
    }
    if (is(verb, "_template", "_index_template")) {
        fputs("{}", out);
        return 200;
    }
    *known = false;
    fputs("{}", out);
    return read ? 404 : 200;
}

static void decode(char *text) {
    char *to = text;
    for (char *from = text; *from; from++) {
        unsigned value;
        if (*from == '%' && sscanf(from + 1, "%2x", &value) == 1) {
            *to++ = (char)value;
            from += 2;
        } else {
            *to++ = *from;
        }
    }
    *to = 0;
}

int cluster_answer(struct request *request, int port, FILE *out, bool *known) {
    char *part[8], *rest = request->path, *word;
    int parts = 0;
    while (parts < 8 && (word = strsep(&rest, "/")))
        if (*word) part[parts++] = word;
    for (int i = 0; i < parts; i++) decode(part[i]);
    *known = true;
    pthread_mutex_lock(&lock);
    bool cluster = parts == 0 || part[0][0] == '_';
    int status = cluster ? of_cluster(request, part, parts, port, out, known)
                         : of_index(request, part, parts, out, known);
    pthread_mutex_unlock(&lock);
    return status;
}
