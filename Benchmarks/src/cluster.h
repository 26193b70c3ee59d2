/* The null sink's cold side: enough of an Elasticsearch 7.10.2 to be looked at, to have indices and aliases made, and to
 * keep a handful of documents (Crossfade's state) with sequence numbers. */
#ifndef CROSSFADE_BENCH_CLUSTER_H
#define CROSSFADE_BENCH_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct request {
    char method[8];
    char *path;  /* decoded when it is split; changed in place */
    char *query; /* "" when there is none */
    const char *body;
    size_t length;
};

/* Writes the answer's JSON to `out` and returns its status; *known is false for a request it did not expect.
 * Thread-safe. */
int cluster_answer(struct request *request, int port, FILE *out, bool *known);

#endif
