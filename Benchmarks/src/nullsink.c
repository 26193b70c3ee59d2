/* nullsink: an HTTP server on the loopback that answers Elasticsearch 7.10.2's `_bulk` as fast as it can and throws the
 * documents away, so that a benchmark measures the sender alone. See usage().
 *
 * A bulk body is read by Content-Length into one fixed buffer; operations are counted as lines / 2 (every operation must
 * have a source line: index or create), and the answer is one constant item repeated. Everything else goes to
 * cluster.c. One thread a connection. */
#define _GNU_SOURCE
#include "cluster.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { buffer_size = 256 << 10, head_limit = 64 << 10, cold_limit = 64 << 20, items_ready = 1 << 15, sample_size = 4096 };

struct item_kind {
    const char *item; /* with its comma */
    size_t length;
    char *repeated; /* items_ready times */
};
static struct item_kind kinds[] = {{"{\"index\":{\"status\":201}},", 0, NULL}, {"{\"create\":{\"status\":201}},", 0, NULL}};

static int listen_port;
static bool log_all;
static atomic_llong bulk_requests, bulk_items, bulk_bytes, other_requests, unknown_requests, connections, largest_bulk;
static atomic_llong first_bulk_ns, last_bulk_ns;
static char sample[sample_size];
static atomic_int sample_state; /* 0 none, 1 being taken, 2 there */
static atomic_size_t sample_length;

static long long now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

struct connection {
    int fd;
    size_t have; /* bytes in the buffer */
    char *buffer;
};

struct head {
    struct request request;
    size_t head_length;
    bool chunked, encoded, expects_continue, close;
};

static bool send_all(int fd, struct iovec *parts, int count) {
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)count};
    while (message.msg_iovlen) {
        ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) return false;
        while (message.msg_iovlen && (size_t)sent >= message.msg_iov->iov_len) {
            sent -= (ssize_t)message.msg_iov->iov_len;
            message.msg_iov++;
            message.msg_iovlen--;
        }
        if (message.msg_iovlen) {
            message.msg_iov->iov_base = (char *)message.msg_iov->iov_base + sent;
            message.msg_iov->iov_len -= (size_t)sent;
        }
    }
    return true;
}

static ssize_t receive(int fd, char *to, size_t limit) {
    ssize_t got;
    do got = recv(fd, to, limit, 0);
    while (got < 0 && errno == EINTR);
    return got;
}

static const char *header(const char *line, const char *name) {
    size_t length = strlen(name);
    if (strncasecmp(line, name, length) != 0) return NULL;
    line += length;
    while (*line == ' ' || *line == '\t') line++;
    return line;
}

/* Reads up to the end of a request's head and takes it apart in place. False: end of the connection. */
static bool read_head(struct connection *c, struct head *head, char *target, size_t target_size) {
    char *end;
    while (!(end = c->have ? memmem(c->buffer, c->have, "\r\n\r\n", 4) : NULL)) {
        if (c->have >= head_limit) return false;
        ssize_t got = receive(c->fd, c->buffer + c->have, head_limit - c->have);
        if (got <= 0) return false;
        c->have += (size_t)got;
    }
    *head = (struct head){.head_length = (size_t)(end - c->buffer) + 4};
    end[2] = 0;
    char *line = strstr(c->buffer, "\r\n"), *space = memchr(c->buffer, ' ', (size_t)(line - c->buffer));
    if (!space || (size_t)(space - c->buffer) >= sizeof head->request.method) return false;
    memcpy(head->request.method, c->buffer, (size_t)(space - c->buffer));
    char *target_end = memchr(space + 1, ' ', (size_t)(line - space - 1));
    size_t length = target_end ? (size_t)(target_end - space - 1) : 0;
    if (!length || length >= target_size) return false;
    memcpy(target, space + 1, length);
    target[length] = 0;
    head->request.path = target;
    char *mark = strchr(target, '?');
    head->request.query = mark ? mark + 1 : target + length;
    if (mark) *mark = 0;
    for (; line; line = strstr(line, "\r\n")) {
        line += 2;
        const char *value;
        if ((value = header(line, "content-length:"))) head->request.length = strtoull(value, NULL, 10);
        else if ((value = header(line, "transfer-encoding:"))) head->chunked = true;
        else if ((value = header(line, "content-encoding:"))) head->encoded = strncasecmp(value, "identity", 8) != 0;
        else if ((value = header(line, "expect:"))) head->expects_continue = true;
        else if ((value = header(line, "connection:"))) head->close = strncasecmp(value, "close", 5) == 0;
    }
    return true;
}

static size_t count_lines(const char *p, size_t length) {
    size_t lines = 0;
    while (length) {
        /* short stretches, so that the compiler may count in bytes */
        size_t stretch = length < 128 ? length : 128;
        uint8_t few = 0;
        for (size_t i = 0; i < stretch; i++) few += p[i] == '\n';
        lines += few;
        p += stretch;
        length -= stretch;
    }
    return lines;
}

static void take_sample(const char *body, size_t length) {
    int none = 0;
    if (!length || !atomic_compare_exchange_strong(&sample_state, &none, 1)) return;
    size_t size = length < sample_size ? length : sample_size;
    memcpy(sample, body, size);
    atomic_store(&sample_length, size);
    atomic_store(&sample_state, 2);
}

/* The body of a request whose head was read: its first bytes may be in the buffer already, the next request's too. */
static bool bulk(struct connection *c, struct head *head) {
    long long zero = 0;
    if (atomic_load_explicit(&first_bulk_ns, memory_order_relaxed) == 0)
        atomic_compare_exchange_strong(&first_bulk_ns, &zero, now_ns());
    size_t length = head->request.length, remaining = length, lines = 0;
    size_t here = c->have - head->head_length;
    if (here > remaining) here = remaining;
    struct item_kind *kind = &kinds[0];
    if (here) {
        const char *body = c->buffer + head->head_length;
        if (here > 9 && memcmp(body, "{\"create\"", 9) == 0) kind = &kinds[1];
        take_sample(body, here);
        lines += count_lines(body, here);
        remaining -= here;
    }
    c->have -= head->head_length + here;
    if (c->have) memmove(c->buffer, c->buffer + head->head_length + here, c->have);
    bool first = here == 0;
    while (remaining) {
        ssize_t got = receive(c->fd, c->buffer, remaining < buffer_size ? remaining : buffer_size);
        if (got <= 0) return false;
        if (first) {
            if (got > 9 && memcmp(c->buffer, "{\"create\"", 9) == 0) kind = &kinds[1];
            take_sample(c->buffer, (size_t)got);
            first = false;
        }
        lines += count_lines(c->buffer, (size_t)got);
        remaining -= (size_t)got;
    }
    if (lines % 2) fprintf(stderr, "nullsink: bulk of %zu lines, not two an operation\n", lines);
    size_t items = lines / 2;
    static const char start[] = "{\"took\":1,\"errors\":false,\"items\":[", end[] = "]}";
    size_t body_length = sizeof start - 1 + (items ? items * kind->length - 1 : 0) + sizeof end - 1;
    char answer[256];
    int head_length = snprintf(answer, sizeof answer,
                               "HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=UTF-8\r\ncontent-length: %zu"
                               "\r\n\r\n%s",
                               body_length, start);
    /* counted before it is sent: the sender may ask for the figures as soon as it has the answer */
    atomic_fetch_add(&bulk_requests, 1);
    atomic_fetch_add(&bulk_items, (long long)(lines / 2));
    atomic_fetch_add(&bulk_bytes, (long long)length);
    long long largest = atomic_load(&largest_bulk);
    while (largest < (long long)length && !atomic_compare_exchange_weak(&largest_bulk, &largest, (long long)length)) {}
    atomic_store(&last_bulk_ns, now_ns());
    struct iovec first_part = {answer, (size_t)head_length};
    for (; items > items_ready; items -= items_ready) {
        struct iovec parts[] = {first_part, {kind->repeated, items_ready * kind->length}};
        if (!send_all(c->fd, parts, 2)) return false;
        first_part.iov_len = 0;
    }
    struct iovec parts[] = {first_part,
                            {kind->repeated, items ? items * kind->length - 1 : 0}, /* the last has no comma */
                            {(void *)(uintptr_t)end, sizeof end - 1}};
    return send_all(c->fd, parts, 3);
}

static const char *phrase(int status) {
    switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 409: return "Conflict";
    default: return "Answer";
    }
}

static bool reply(int fd, struct request *request, int status, char *body, size_t length) {
    char head[256];
    int head_length = snprintf(head, sizeof head,
                               "HTTP/1.1 %d %s\r\ncontent-type: application/json; charset=UTF-8\r\n"
                               "content-length: %zu\r\n\r\n",
                               status, phrase(status), length);
    bool no_body = strcmp(request->method, "HEAD") == 0;
    struct iovec parts[] = {{head, (size_t)head_length}, {body, no_body ? 0 : length}};
    return send_all(fd, parts, 2);
}

static void write_stats(FILE *out) {
    long long first = atomic_load(&first_bulk_ns), last = atomic_load(&last_bulk_ns);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                 (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    fprintf(out,
            "{\"bulk_requests\":%lld,\"items\":%lld,\"bytes\":%lld,\"largest_bulk\":%lld,\"seconds\":%.6f,"
            "\"cpu_seconds\":%.3f,\"other_requests\":%lld,\"unknown_requests\":%lld,\"connections\":%lld}",
            bulk_requests, bulk_items, bulk_bytes, largest_bulk, (double)(last - first) / 1e9, cpu, other_requests,
            unknown_requests, connections);
}

/* Requests to the sink itself. */
static bool own(struct request *request, FILE *out) {
    if (strcmp(request->path, "/_nullsink/stats") == 0) {
        write_stats(out);
    } else if (strcmp(request->path, "/_nullsink/sample") == 0) {
        if (atomic_load(&sample_state) == 2) fwrite(sample, 1, atomic_load(&sample_length), out);
    } else {
        return false;
    }
    return true;
}

static bool other(struct connection *c, struct head *head) {
    struct request *request = &head->request;
    if (request->length > cold_limit) return false;
    char *body = malloc(request->length + 1);
    size_t got = c->have - head->head_length;
    if (got > request->length) got = request->length;
    memcpy(body, c->buffer + head->head_length, got);
    c->have -= head->head_length + got;
    memmove(c->buffer, c->buffer + head->head_length + got, c->have);
    while (got < request->length) {
        ssize_t more = receive(c->fd, body + got, request->length - got);
        if (more <= 0) {
            free(body);
            return false;
        }
        got += (size_t)more;
    }
    body[got] = 0;
    request->body = got ? body : NULL;
    char *text = NULL, shown[512];
    size_t size = 0;
    snprintf(shown, sizeof shown, "%s %s?%s", request->method, request->path, request->query);
    FILE *out = open_memstream(&text, &size);
    bool known = true;
    int status = 200;
    if (!own(request, out)) {
        atomic_fetch_add(&other_requests, 1);
        status = cluster_answer(request, listen_port, out, &known);
    }
    fclose(out);
    if (!known) atomic_fetch_add(&unknown_requests, 1);
    if (!known || log_all)
        fprintf(stderr, "nullsink: %s%s -> %d %.200s\n", known ? "" : "not expected: ", shown, status,
                request->body ? request->body : "");
    bool sent = reply(c->fd, request, status, text, size);
    free(text), free(body);
    return sent;
}

static bool ends_in_bulk(const char *path) {
    size_t length = strlen(path);
    return length >= 6 && strcmp(path + length - 6, "/_bulk") == 0;
}

static void *serve(void *argument) {
    struct connection c = {.fd = (int)(intptr_t)argument, .buffer = malloc(buffer_size)};
    char target[8192];
    struct head head;
    while (read_head(&c, &head, target, sizeof target)) {
        if (head.chunked || head.encoded) {
            fprintf(stderr, "nullsink: %s %s: chunked or compressed bodies are not read here\n", head.request.method, target);
            reply(c.fd, &head.request, head.chunked ? 411 : 415, "{}", 2);
            break;
        }
        if (head.expects_continue && head.request.length > c.have - head.head_length) {
            static char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
            if (!send_all(c.fd, &(struct iovec){go_on, sizeof go_on - 1}, 1)) break;
        }
        bool more = ends_in_bulk(target) ? bulk(&c, &head) : other(&c, &head);
        if (!more || head.close) break;
    }
    close(c.fd);
    free(c.buffer);
    return NULL;
}

static void usage(int status) {
    fputs("usage: nullsink [--port N] [--print-port] [--die-with-parent] [--log]\n"
          "  Poses as Elasticsearch 7.10.2 on 127.0.0.1 and forgets what _bulk brings it.\n"
          "  --port N            0 (the default): any free one\n"
          "  --print-port        the port alone on a line of stdout, once it listens\n"
          "  --die-with-parent   end when the process that started it ends\n"
          "  --log               every request but bulks on stderr (unexpected ones always are)\n"
          "  GET /_nullsink/stats counts; GET /_nullsink/sample the start of the first bulk body.\n",
          status ? stderr : stdout);
    exit(status);
}

int main(int count, char **arguments) {
    bool print_port = false;
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "--port") == 0 && i + 1 < count) listen_port = atoi(arguments[++i]);
        else if (strcmp(arguments[i], "--print-port") == 0) print_port = true;
        else if (strcmp(arguments[i], "--log") == 0) log_all = true;
        else if (strcmp(arguments[i], "--die-with-parent") == 0) prctl(PR_SET_PDEATHSIG, SIGTERM);
        else usage(strcmp(arguments[i], "--help") == 0 ? 0 : 2);
    }
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        kinds[k].length = strlen(kinds[k].item);
        kinds[k].repeated = malloc(kinds[k].length * items_ready);
        for (size_t i = 0; i < items_ready; i++)
            memcpy(kinds[k].repeated + i * kinds[k].length, kinds[k].item, kinds[k].length);
    }
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)listen_port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 128) != 0) {
        perror("nullsink: listen");
        return 1;
    }
    getsockname(listener, (struct sockaddr *)&address, &size);
    listen_port = ntohs(address.sin_port);
    if (print_port) {
        printf("%d\n", listen_port);
        fflush(stdout);
    }
    pthread_attr_t detached;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&detached, 256 << 10);
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) continue;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        atomic_fetch_add(&connections, 1);
        pthread_t thread;
        if (pthread_create(&thread, &detached, serve, (void *)(intptr_t)fd) != 0) close(fd);
    }
}
