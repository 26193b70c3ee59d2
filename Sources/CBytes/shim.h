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
