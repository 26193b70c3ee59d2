/* Just enough JSON to read requests: find a member, walk an array. Never reads past `end`; text that is not JSON
 * yields empty slices. Not for the hot path. */
#ifndef CROSSFADE_BENCH_JSON_H
#define CROSSFADE_BENCH_JSON_H

#include <stdbool.h>
#include <string.h>

typedef struct {
    const char *start, *end;
} slice;

static inline bool is_empty(slice s) { return s.start == NULL || s.start >= s.end; }

static inline const char *skip_space(const char *p, const char *end) {
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')) p++;
    return p;
}

/* Past the string that begins at p (its opening quote). */
static inline const char *skip_string(const char *p, const char *end) {
    for (p++; p < end; p++) {
        if (*p == '\\') p++;
        else if (*p == '"') return p + 1;
    }
    return end;
}

/* Past the value that begins at p. */
static inline const char *skip_value(const char *p, const char *end) {
    int depth = 0;
    while (p < end) {
        if (*p == '"') {
            p = skip_string(p, end);
        } else if (*p == '{' || *p == '[') {
            depth++;
            p++;
        } else if (*p == '}' || *p == ']') {
            if (--depth < 0) return p;
            p++;
        } else if (depth == 0 && (*p == ',' || *p == ':')) {
            return p;
        } else {
            p++;
            continue;
        }
        if (depth == 0) return p;
    }
    return end;
}

/* The next member of an object: `cursor` starts as the object's text and is moved on. False at its end. */
static inline bool next_member(slice *cursor, slice *key, slice *value) {
    const char *p = skip_space(cursor->start, cursor->end);
    if (p < cursor->end && (*p == '{' || *p == ',')) p = skip_space(p + 1, cursor->end);
    if (p >= cursor->end || *p != '"') return false;
    const char *after = skip_string(p, cursor->end);
    *key = (slice){p + 1, after - 1};
    p = skip_space(after, cursor->end);
    if (p >= cursor->end || *p != ':') return false;
    p = skip_space(p + 1, cursor->end);
    after = skip_value(p, cursor->end);
    *value = (slice){p, after};
    cursor->start = after;
    return true;
}

/* The next element of an array, likewise. */
static inline bool next_element(slice *cursor, slice *value) {
    const char *p = skip_space(cursor->start, cursor->end);
    if (p < cursor->end && (*p == '[' || *p == ',')) p = skip_space(p + 1, cursor->end);
    if (p >= cursor->end || *p == ']') return false;
    const char *after = skip_value(p, cursor->end);
    if (after == p) return false;
    *value = (slice){p, after};
    cursor->start = after;
    return true;
}

static inline slice member(slice object, const char *name) {
    slice key, value, found = {NULL, NULL};
    size_t length = strlen(name);
    while (!is_empty(object) && next_member(&object, &key, &value))
        if ((size_t)(key.end - key.start) == length && memcmp(key.start, name, length) == 0) found = value;
    return found;
}

/* A string's content without its quotes (escapes stay as they are). */
static inline slice unquoted(slice s) {
    if (!is_empty(s) && *s.start == '"' && s.end - s.start >= 2) return (slice){s.start + 1, s.end - 1};
    return s;
}

#endif
