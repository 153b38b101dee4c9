/* fuzz: mutations of good input, by a seed, for what reads the bytes of others: it must neither crash nor, under `make fuzz`,
 * touch memory that is not its own. FUZZ_SEED and FUZZ_ROUNDS change what is tried; a failure is found again by them. */
#ifndef RIVERS_TESTS_FUZZ_H
#define RIVERS_TESTS_FUZZ_H

#include <stddef.h>

#define FUZZ_PIECES 6

struct fuzz_target {
    void (*read)(const char *bytes, size_t n); /* bytes: on the heap, with a NUL behind them */
    const char *good[FUZZ_PIECES];             /* what mutations begin with */
};

/* 20,000 inputs, if FUZZ_ROUNDS does not say otherwise. */
void fuzz(const struct fuzz_target *t);

/* A number below n, by the seed. */
size_t fuzz_below(size_t n);

#endif
