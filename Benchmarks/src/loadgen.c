/* loadgen: fills a topic with the benchmark's records, or is the broker itself (librdkafka's mock). See usage(). */
#define _GNU_SOURCE
#include "commands.h"

#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

/* What a mock partition keeps (librdkafka drops older records beyond 5 MiB), with room for uneven hashing. */
static const double mock_partition_bytes = 5.0 * (1 << 20) / 1.2;

struct options {
    struct command_options commands;
    const char *brokers, *topic, *compression;
    uint64_t records, rate;
    int partitions;
    bool mock, print, fresh, replace;
};

static uint64_t failed;
static char first_failure[256];

static void delivered(rd_kafka_t *producer, const rd_kafka_message_t *message, void *opaque) {
    (void)producer, (void)opaque;
    if (message->err && failed++ == 0)
        snprintf(first_failure, sizeof first_failure, "%s", rd_kafka_err2str(message->err));
}

static void die(const char *what, const char *why) {
    fprintf(stderr, "loadgen: %s: %s\n", what, why);
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
    char why[256];
    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) die(name, why);
}

static rd_kafka_t *make_producer(const struct options *o) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (o->mock) set(conf, "test.mock.num.brokers", "1");
    else set(conf, "bootstrap.servers", o->brokers);
    set(conf, "partitioner", "murmur2_random"); /* as Java's producers do */
    set(conf, "enable.idempotence", "true");    /* every record once */
    set(conf, "compression.codec", o->compression);
    set(conf, "linger.ms", "50");
    set(conf, "batch.num.messages", "10000");
    set(conf, "queue.buffering.max.messages", "500000");
    set(conf, "queue.buffering.max.kbytes", "262144");
    set(conf, "log_level", "3");
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    char why[256];
    rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (!producer) die("no producer", why);
    return producer;
}

/* How many partitions the topic has, 0 when it is not there. */
static int partitions_of(rd_kafka_t *client, const char *topic) {
    const struct rd_kafka_metadata *metadata = NULL;
    /* all topics are asked for: asking for one by name would have a broker that may create it create it */
    rd_kafka_resp_err_t error = rd_kafka_metadata(client, 1, NULL, &metadata, 10000);
    if (error) die("no metadata from the broker", rd_kafka_err2str(error));
    int found = 0;
    for (int i = 0; i < metadata->topic_cnt; i++)
        if (strcmp(metadata->topics[i].topic, topic) == 0) found = metadata->topics[i].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    return found;
}

static rd_kafka_resp_err_t admin_result(rd_kafka_event_t *event, bool creation, char *why, size_t size) {
    rd_kafka_resp_err_t error = rd_kafka_event_error(event);
    size_t count = 0;
    snprintf(why, size, "%s", rd_kafka_event_error_string(event));
    const rd_kafka_topic_result_t **results =
        error ? NULL
        : creation ? rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count)
                   : rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &count);
    for (size_t i = 0; i < count; i++)
        if ((error = rd_kafka_topic_result_error(results[i]))) {
            const char *text = rd_kafka_topic_result_error_string(results[i]);
            snprintf(why, size, "%s", text ? text : rd_kafka_err2str(error));
        }
    rd_kafka_event_destroy(event);
    return error;
}

static void create_topic(rd_kafka_t *client, const char *topic, int partitions) {
    char why[256];
    for (int attempt = 0;; attempt++) { /* a topic that was just deleted may still be in the way */
        rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
        rd_kafka_NewTopic_t *wanted = rd_kafka_NewTopic_new(topic, partitions, 1, why, sizeof why);
        if (!wanted) die(topic, why);
        rd_kafka_CreateTopics(client, &wanted, 1, NULL, queue);
        rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 30000);
        if (!event) die("cannot create topic", "no answer in 30 s");
        rd_kafka_resp_err_t error = admin_result(event, true, why, sizeof why);
        rd_kafka_NewTopic_destroy(wanted);
        rd_kafka_queue_destroy(queue);
        if (!error) return;
        if (error != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS || attempt == 50) die("cannot create topic", why);
        usleep(200000);
    }
}

static void delete_topic(rd_kafka_t *client, const char *topic) {
    char why[256];
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_DeleteTopic_t *unwanted = rd_kafka_DeleteTopic_new(topic);
    rd_kafka_DeleteTopics(client, &unwanted, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 30000);
    if (!event) die("cannot delete topic", "no answer in 30 s");
    if (admin_result(event, false, why, sizeof why)) die("cannot delete topic", why);
    rd_kafka_DeleteTopic_destroy(unwanted);
    rd_kafka_queue_destroy(queue);
}

/* Records between the low and high watermarks; -1 when some were lost to retention. */
static int64_t records_in(rd_kafka_t *client, const char *topic, int partitions) {
    int64_t sum = 0;
    for (int p = 0; p < partitions; p++) {
        int64_t low = 0, high = 0;
        rd_kafka_resp_err_t error = rd_kafka_query_watermark_offsets(client, topic, p, &low, &high, 10000);
        if (error) die("no watermark", rd_kafka_err2str(error));
        if (low > 0) return -1;
        sum += high - low;
    }
    return sum;
}

static void produce(rd_kafka_t *producer, const struct options *o, uint64_t *bytes) {
    rd_kafka_topic_t *topic = rd_kafka_topic_new(producer, o->topic, NULL);
    char key[command_key_limit], value[command_limit];
    double began = now();
    for (uint64_t i = 0; i < o->records; i++) {
        size_t key_length, length = write_command(&o->commands, i, key, &key_length, value);
        *bytes += length;
        while (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, value, length, key, key_length, NULL)) {
            rd_kafka_resp_err_t error = rd_kafka_last_error();
            if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) die("cannot produce", rd_kafka_err2str(error));
            rd_kafka_poll(producer, 100);
        }
        if (i % 4096 == 0 || o->rate) rd_kafka_poll(producer, 0);
        if (o->rate) {
            double wait = began + (double)(i + 1) / (double)o->rate - now();
            if (wait > 0.001) usleep((useconds_t)(wait * 1e6));
        }
    }
    rd_kafka_resp_err_t error = rd_kafka_flush(producer, 120000);
    if (error) die("cannot flush", rd_kafka_err2str(error));
    if (failed) die("records were not delivered", first_failure);
    rd_kafka_topic_destroy(topic);
}

static uint64_t value_bytes(const struct options *o) {
    char key[command_key_limit], value[command_limit];
    uint64_t sum = 0;
    for (uint64_t i = 0; i < o->records; i++) {
        size_t key_length;
        sum += write_command(&o->commands, i, key, &key_length, value);
    }
    return sum;
}

static double average_bytes(const struct options *o) {
    char key[command_key_limit], value[command_limit];
    uint64_t sum = 0, count = o->records < 1000 ? o->records : 1000;
    for (uint64_t i = 0; i < count; i++) {
        size_t key_length, length = write_command(&o->commands, i, key, &key_length, value);
        sum += length + key_length + 16; /* a record's own framing */
    }
    return count ? (double)sum / (double)count : 0;
}

static void fill(struct options *o) {
    if (o->mock && !o->partitions) {
        double bytes = average_bytes(o) * (double)o->records;
        o->partitions = (int)(bytes / mock_partition_bytes) + 1;
        if (o->partitions < 6) o->partitions = 6;
    } else if (!o->partitions) {
        o->partitions = 6;
    }
    rd_kafka_t *producer = make_producer(o);
    char dead[256];
    snprintf(dead, sizeof dead, "%s-dead", o->topic);
    bool reused = false;
    if (o->mock) {
        rd_kafka_mock_cluster_t *cluster = rd_kafka_handle_mock_cluster(producer);
        o->brokers = rd_kafka_mock_cluster_bootstraps(cluster);
        rd_kafka_mock_topic_create(cluster, o->topic, o->partitions, 1);
        rd_kafka_mock_topic_create(cluster, dead, 1, 1);
    } else {
        int there = partitions_of(producer, o->topic);
        reused = there == o->partitions && records_in(producer, o->topic, there) == (int64_t)o->records && !o->fresh;
        if (there && !reused && !o->fresh && !o->replace) die(o->topic, "is there with another content; --replace replaces it");
        if (there && !reused) delete_topic(producer, o->topic);
        if (!reused) create_topic(producer, o->topic, o->partitions);
        if (!partitions_of(producer, dead)) create_topic(producer, dead, 1);
    }
    uint64_t bytes = 0;
    double began = now();
    if (reused) bytes = value_bytes(o);
    else produce(producer, o, &bytes);
    double seconds = now() - began;
    int64_t there = records_in(producer, o->topic, o->partitions);
    if (there != (int64_t)o->records) {
        fprintf(stderr, "loadgen: the topic keeps %" PRId64 " of %" PRIu64 " records\n", there, o->records);
        exit(1);
    }
    printf("{\"bootstrap\":\"%s\",\"topic\":\"%s\",\"dead_letters\":\"%s\",\"partitions\":%d,\"records\":%" PRIu64
           ",\"value_bytes\":%" PRIu64 ",\"reused\":%s,\"seconds\":%.3f}\n",
           o->brokers, o->topic, dead, o->partitions, o->records, bytes, reused ? "true" : "false", seconds);
    fflush(stdout);
    if (o->mock) {
        sigset_t signals;
        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGINT);
        int got;
        sigwait(&signals, &got);
        _exit(0);
    }
    rd_kafka_destroy(producer);
}

static void print_records(const struct options *o) {
    char key[command_key_limit], value[command_limit];
    for (uint64_t i = 0; i < o->records; i++) {
        size_t key_length, length = write_command(&o->commands, i, key, &key_length, value);
        printf("%.*s\t%.*s\n", (int)key_length, key, (int)length, value);
    }
}

static void usage(int status) {
    fputs("usage: loadgen --brokers HOST:PORT | --mock | --print  [--topic T] [--records N] ...\n"
          "  Envelope commands of about 400 bytes with 6 tags, keyed by id, the same for the same seed.\n"
          "  --brokers B       create topic T and T-dead there and fill T; a T that is already full is left as it is\n"
          "  --mock            be the broker (librdkafka's mock) until SIGTERM, or the parent's end\n"
          "  --print           key, tab, value on stdout instead\n"
          "  --topic T         crossfade-bench\n"
          "  --partitions N    6; with --mock as many as its 5 MiB a partition ask for\n"
          "  --records N       1000000\n"
          "  --replace         replace a T with another number of records or partitions\n"
          "  --fresh           replace T in any case\n"
          "  --ids N           this many ids, used again and again; 0 (the default): one a record\n"
          "  --keys N          different tag keys, 20000\n"
          "  --deletes N       percent, 0\n"
          "  --rate N          records a second; 0 (the default): as fast as it goes\n"
          "  --seed N          1\n"
          "  --compression C   none, gzip, snappy, lz4 or zstd\n"
          "  When the topic is full, one line of JSON on stdout: bootstrap, topic, partitions, records, value_bytes.\n",
          status ? stderr : stdout);
    exit(status);
}

static uint64_t number(const char *text, uint64_t least) {
    char *end;
    uint64_t value = strtoull(text, &end, 10);
    if (*end || !*text || value < least) usage(2);
    return value;
}

int main(int count, char **arguments) {
    struct options o = {.commands = {.seed = 1, .keys = 20000},
                        .topic = "crossfade-bench", .compression = "none", .records = 1000000};
    for (int i = 1; i < count; i++) {
        const char *name = arguments[i], *value = i + 1 < count ? arguments[i + 1] : NULL;
        if (strcmp(name, "--help") == 0) usage(0);
        else if (strcmp(name, "--mock") == 0) o.mock = true;
        else if (strcmp(name, "--print") == 0) o.print = true;
        else if (strcmp(name, "--fresh") == 0) o.fresh = true;
        else if (strcmp(name, "--replace") == 0) o.replace = true;
        else if (!value) usage(2);
        else {
            i++;
            if (strcmp(name, "--brokers") == 0) o.brokers = value;
            else if (strcmp(name, "--topic") == 0) o.topic = value;
            else if (strcmp(name, "--compression") == 0) o.compression = value;
            else if (strcmp(name, "--partitions") == 0) o.partitions = (int)number(value, 1);
            else if (strcmp(name, "--records") == 0) o.records = number(value, 1);
            else if (strcmp(name, "--ids") == 0) o.commands.ids = number(value, 0);
            else if (strcmp(name, "--keys") == 0) o.commands.keys = number(value, 6);
            else if (strcmp(name, "--deletes") == 0) o.commands.deletes = (unsigned)number(value, 0);
            else if (strcmp(name, "--rate") == 0) o.rate = number(value, 0);
            else if (strcmp(name, "--seed") == 0) o.commands.seed = number(value, 0);
            else usage(2);
        }
    }
    if (!o.mock && !o.print && !o.brokers) usage(2);
    if (o.print) {
        print_records(&o);
        return 0;
    }
    if (o.mock) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        sigset_t signals;
        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGINT);
        sigprocmask(SIG_BLOCK, &signals, NULL); /* librdkafka's threads inherit it; sigwait takes them */
    }
    fill(&o);
    return 0;
}
