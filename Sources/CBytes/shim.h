#pragma once
// What Swift's SIMD types have no operation for: one bit a byte of a comparison of sixteen.
#include <stdint.h>

#if defined(__aarch64__)
#include <arm_neon.h>
#endif

/// How many of the 16 bytes come before the first that is a quote, a backslash, a control character or not ASCII; 16: all.
static inline int64_t crossfade_plain16(const uint8_t *bytes) {
#if defined(__SSE2__)
    typedef signed char block __attribute__((vector_size(16)));
    typedef signed char unaligned __attribute__((vector_size(16), aligned(1)));
    block text = *(const unaligned *)bytes;
    // Bytes that are not ASCII are negative.
    block hits = (block)((text == 0x22) | (text == 0x5C) | (text < 0x20));
    uint32_t mask = (uint32_t)__builtin_ia32_pmovmskb128(hits);
    return __builtin_ctz(mask | 0x10000);
#elif defined(__aarch64__)
    int8x16_t text = vreinterpretq_s8_u8(vld1q_u8(bytes));
    uint8x16_t hits = vorrq_u8(vorrq_u8(vceqq_s8(text, vdupq_n_s8(0x22)), vceqq_s8(text, vdupq_n_s8(0x5C))),
                               vcltq_s8(text, vdupq_n_s8(0x20)));
    // Four bits a byte.
    uint64_t mask = vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(hits), 4)), 0);
    return mask ? __builtin_ctzll(mask) >> 2 : 16;
#else
    int64_t at = 0;
    while (at < 16 && bytes[at] >= 0x20 && bytes[at] < 0x80 && bytes[at] != 0x22 && bytes[at] != 0x5C) at++;
    return at;
#endif
}

/// Whether the first `count` of 16 bytes are the same; never when `count` is 17.
static inline int crossfade_same(const uint8_t *bytes, const void *others, int64_t count) {
#if defined(__SSE2__)
    typedef char unaligned __attribute__((vector_size(16), aligned(1)));
    uint32_t same = (uint32_t)__builtin_ia32_pmovmskb128(*(const unaligned *)bytes == *(const unaligned *)others);
    // The seventeenth is never the same.
    return (~same & ((1u << (count & 31)) - 1)) == 0;
#else
    return count <= 16 && __builtin_memcmp(bytes, others, (unsigned long)count) == 0;
#endif
}
