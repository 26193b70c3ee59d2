// What Swift's view of pthread.h and spawn.h lacks.
#pragma once
#include <pthread.h>
#include <spawn.h>

// Declared in pthread.h only under _GNU_SOURCE.
extern int pthread_setname_np(pthread_t thread, const char *name);

static inline int crossfade_name_thread(const char *name) { return pthread_setname_np(pthread_self(), name); }

// Declared in spawn.h only under _DEFAULT_SOURCE; glibc 2.34 and later.
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int first);

static inline int crossfade_close_from(posix_spawn_file_actions_t *actions, int first) {
    return posix_spawn_file_actions_addclosefrom_np(actions, first);
}
