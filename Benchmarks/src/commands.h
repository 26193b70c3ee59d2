/* The records of the benchmark: a pure function of (seed, number), so that every run and every machine has the same. */
#ifndef CROSSFADE_BENCH_COMMANDS_H
#define CROSSFADE_BENCH_COMMANDS_H

#include <stddef.h>
#include <stdint.h>

struct command_options {
    uint64_t seed;
    uint64_t ids;     /* 0: every record has its own id */
    uint64_t keys;    /* how many different tag keys there are */
    unsigned deletes; /* percent */
};

enum { command_limit = 1024, command_key_limit = 32 };

/* Writes the key and the value of one record (no terminating NUL); returns the value's length. */
size_t write_command(const struct command_options *options, uint64_t number, char key[command_key_limit],
                     size_t *key_length, char value[command_limit]);

#endif
