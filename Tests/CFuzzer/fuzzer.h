#pragma once
#include <stddef.h>
#include <stdint.h>

// libFuzzer's loop (libclang_rt.fuzzer_no_main, which scripts/fuzz links): calls `one` with each input.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*one)(const uint8_t *data, size_t size));
