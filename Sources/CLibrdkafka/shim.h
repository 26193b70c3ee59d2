#pragma once
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <malloc.h>
#include <stdint.h>

/// rd_kafka_producev is variadic, which Swift cannot import. A null key or value stays null (a tombstone), an empty one
/// empty. Key and value are copied; on success the headers belong to librdkafka, on failure to the caller still.
static inline rd_kafka_resp_err_t crossfade_produce(
    rd_kafka_t *rk, const char *topic, int32_t partition, const void *key, size_t key_length, const void *value,
    size_t value_length, int64_t timestamp_ms, rd_kafka_headers_t *headers, uint64_t token) {
    if (headers) {
        return rd_kafka_producev(
            rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_KEY(key, key_length),
            RD_KAFKA_V_VALUE((void *)value, value_length), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_TIMESTAMP(timestamp_ms), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE((void *)(uintptr_t)token),
            RD_KAFKA_V_END);
    }
    return rd_kafka_producev(
        rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_KEY(key, key_length),
        RD_KAFKA_V_VALUE((void *)value, value_length), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_TIMESTAMP(timestamp_ms), RD_KAFKA_V_OPAQUE((void *)(uintptr_t)token), RD_KAFKA_V_END);
}

/// Asks for a message that will be read soon; another processor has written it.
static inline void crossfade_prefetch_message(const rd_kafka_message_t *message) {
    __builtin_prefetch(message);
    __builtin_prefetch((const char *)message + 64);
}

/// The same of one that will be given back: librdkafka looks at what lies before it, too.
static inline void crossfade_prefetch_release(const rd_kafka_message_t *message) {
    __builtin_prefetch((const char *)message - 128);
    __builtin_prefetch((const char *)message - 64);
    crossfade_prefetch_message(message);
}

/// Asks for the first bytes of its value, and for its key.
static inline void crossfade_prefetch_value(const rd_kafka_message_t *message) {
    __builtin_prefetch(message->key);
    const char *value = (const char *)message->payload;
    for (size_t at = 0; at < message->len && at < 512; at += 64) __builtin_prefetch(value + at);
}
