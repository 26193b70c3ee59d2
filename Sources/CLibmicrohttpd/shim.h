#pragma once
#include <microhttpd.h>
#include <stdint.h>

// Swift cannot call variadic C functions and does not see macros with casts: what the server needs of both is here.

// Decodes nothing in place: paths and queries are handed on as they came.
static inline size_t crossfade_http_keep_encoded(void *context, struct MHD_Connection *connection, char *text) {
    (void)context;
    (void)connection;
    size_t length = 0;
    while (text[length] != 0) length++;
    return length;
}

typedef void *(*crossfade_http_begin)(void *context, const char *uri, struct MHD_Connection *connection);

// A server over a socket that listens already, with `threads` threads that wait by epoll. It owns the socket when it could
// be started. Connections that say nothing for `idle_seconds` are closed; each has `connection_memory` bytes for its
// headers and for what is read in one go. `context` goes to all three functions.
static inline struct MHD_Daemon *crossfade_http_start(
    int listening, unsigned int threads, unsigned int idle_seconds, size_t connection_memory, void *context,
    crossfade_http_begin begin, MHD_AccessHandlerCallback handle, MHD_RequestCompletedCallback complete) {
    // A pool of one is not a pool to the library: it warns and ignores it.
    struct MHD_OptionItem pool[] = {
        {threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, (intptr_t)threads, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handle, context,
        MHD_OPTION_LISTEN_SOCKET, (MHD_socket)listening, MHD_OPTION_CONNECTION_TIMEOUT, idle_seconds,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, connection_memory, MHD_OPTION_URI_LOG_CALLBACK, begin, context,
        MHD_OPTION_NOTIFY_COMPLETED, complete, context, MHD_OPTION_UNESCAPE_CALLBACK, crossfade_http_keep_encoded, NULL,
        MHD_OPTION_ARRAY, pool, MHD_OPTION_END);
}

// A response whose length nobody knows yet, read from `read` in pieces of at most `block` bytes.
static inline struct MHD_Response *crossfade_http_stream(size_t block, MHD_ContentReaderCallback read, void *context) {
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, block, read, context, NULL);
}

static inline ssize_t crossfade_http_end_of_stream(void) { return MHD_CONTENT_READER_END_OF_STREAM; }
static inline ssize_t crossfade_http_broken_stream(void) { return MHD_CONTENT_READER_END_WITH_ERROR; }

// The connection's socket; -1 when it has none.
static inline int crossfade_http_socket(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info == NULL ? -1 : (int)info->connect_fd;
}
