// What Swift's view of pthread.h lacks.
#pragma once
#include <pthread.h>

// Declared in pthread.h only under _GNU_SOURCE.
extern int pthread_setname_np(pthread_t thread, const char *name);

static inline int crossfade_name_thread(const char *name) { return pthread_setname_np(pthread_self(), name); }
