#include "commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* splitmix64 */
static uint64_t next(uint64_t *state) {
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static const char *const services[] = {"checkout", "search", "billing", "inventory", "gateway", "identity", "mailer", "ledger"};
static const char *const states[] = {"open", "acknowledged", "resolved", "muted"};
static const char *const words[] = {"timeout", "disk",    "latency", "replica", "queue",  "memory", "certificate", "packet",
                                    "quota",   "restart", "backlog", "failover", "expired", "spike",  "threshold",   "node"};
#define PICK(list, r) ((list)[(r) % (sizeof(list) / sizeof *(list))])

static int write_tags(char *to, size_t room, const struct command_options *options, uint64_t *state) {
    int length = 0;
    uint64_t taken[6];
    for (int i = 0; i < 6; i++) {
        again:;
        uint64_t r = next(state), key = r % options->keys;
        for (int j = 0; j < i; j++)
            if (taken[j] == key) goto again; /* a key stands once in an object */
        taken[i] = key;
        length += snprintf(to + length, room - (size_t)length, "%s\"k%05" PRIu64 "\":", i ? "," : "", key);
        uint64_t v = r >> 32;
        if (i == 4) length += snprintf(to + length, room - (size_t)length, "%" PRIu64, v % 100000);
        else if (i == 5) length += snprintf(to + length, room - (size_t)length, v & 1 ? "true" : "false");
        else length += snprintf(to + length, room - (size_t)length, "\"%s-%" PRIu64 "\"", PICK(words, v), v % 1000);
    }
    return length;
}

size_t write_command(const struct command_options *options, uint64_t number, char key[command_key_limit],
                     size_t *key_length, char value[command_limit]) {
    uint64_t state = options->seed * 0x2545f4914f6cdd1du + number;
    uint64_t a = next(&state), b = next(&state), c = next(&state);
    uint64_t id = options->ids ? a % options->ids : number;
    *key_length = (size_t)snprintf(key, command_key_limit, "inc-%08" PRIu64, id);
    if (options->deletes && b % 100 < options->deletes)
        return (size_t)snprintf(value, command_limit, "{\"command\":\"DeleteMessageCommand\",\"id\":\"%s\"}", key);
    char tags[400];
    int tags_length = write_tags(tags, sizeof tags, options, &state);
    return (size_t)snprintf(
        value, command_limit,
        "{\"command\":\"InsertMessageCommand\",\"id\":\"%s\",\"message\":{\"id\":\"%s\",\"service\":\"%s\",\"state\":"
        "\"%s\",\"severity\":%d,\"created_at\":%" PRIu64 ",\"title\":\"%s %s on %s-%" PRIu64 "\",\"region\":\"eu-west-1a\",\"host\":\"%s-%" PRIu64
        ".example.test\",\"rev\":%" PRIu64 ",\"tags\":{%.*s}}}",
        key, key, PICK(services, a >> 20), PICK(states, b >> 8), (int)(b >> 16) & 7, 1760000000000u + number * 10,
        PICK(words, c), PICK(words, c >> 8), PICK(services, c >> 16), (c >> 24) % 100, PICK(services, c >> 32),
        (c >> 40) % 1000, number, tags_length, tags);
}
