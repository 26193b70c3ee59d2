/* rdkafka_performance.c, as Debian ships it in librdkafka-dev's examples, includes two headers of librdkafka's source tree
 * that no package has. This and rdtime.h stand in for them, with the few names that it uses. */
#ifndef CROSSFADE_BENCH_RD_H
#define CROSSFADE_BENCH_RD_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#define rd_snprintf snprintf
#define RD_MIN(a, b) ((a) < (b) ? (a) : (b))
#define RD_MAX(a, b) ((a) > (b) ? (a) : (b))

#endif
