/* See rd.h. */
#ifndef CROSSFADE_BENCH_RDTIME_H
#define CROSSFADE_BENCH_RDTIME_H

#include <stdint.h>
#include <time.h>

typedef int64_t rd_ts_t;

/* Microseconds of a clock that only goes forward. */
static inline rd_ts_t rd_clock(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (rd_ts_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

#endif
