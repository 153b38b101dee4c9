#include "support/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define ROUNDS    20000
#define INPUT_MAX 4096

static unsigned short seed[3];

size_t fuzz_below(size_t n)
{
    return (size_t)nrand48(seed) % n;
}

static size_t number(const char *name, size_t otherwise)
{
    const char *text = getenv(name);

    return text ? strtoul(text, NULL, 10) : otherwise;
}

struct input {
    char bytes[INPUT_MAX + 1];
    size_t n;
};

static void insert(struct input *in, size_t at, const char *bytes, size_t n)
{
    if (in->n + n > INPUT_MAX)
        return;
    memmove(in->bytes + at + n, in->bytes + at, in->n - at);
    memcpy(in->bytes + at, bytes, n);
    in->n += n;
}

static void erase(struct input *in, size_t at, size_t n)
{
    if (n > in->n - at)
        n = in->n - at;
    memmove(in->bytes + at, in->bytes + at + n, in->n - at - n);
    in->n -= n;
}

/* Words that tend to be at the edge of something. */
static const char *const edges[] = {"\r\n",       "-1",       "0",  "99999999999999999999",
                                    "2147483648", "\"",       "\\", "[",
                                    "{",          "}",        "]",  ":",
                                    ",",          "//",       "/*", "\xff",
                                    "\\u",        "\xc3\x28", "%",  "@",
                                    "1e999",      "$",        "*",  "?",
                                    "&",          "null",     "~",  " "};

static void mutate(struct input *in)
{
    char piece[64];
    size_t at = fuzz_below(in->n + 1), n = 1 + fuzz_below(sizeof piece);
    const char *edge = edges[fuzz_below(sizeof edges / sizeof *edges)];

    switch (fuzz_below(5)) {
    case 0:
        if (at < in->n)
            in->bytes[at] = (char)fuzz_below(256);
        break;
    case 1:
        erase(in, at, n);
        break;
    case 2:
        insert(in, at, edge, strlen(edge));
        break;
    case 3: /* a piece of itself */
        n = n < in->n - at ? n : in->n - at;
        memcpy(piece, in->bytes + at, n);
        insert(in, fuzz_below(in->n + 1), piece, n);
        break;
    default:
        in->n = at;
    }
}

void fuzz(const struct fuzz_target *t)
{
    size_t ngood = 1, rounds = number("FUZZ_ROUNDS", ROUNDS);

    seed[0] = (unsigned short)number("FUZZ_SEED", 1);
    while (ngood < FUZZ_PIECES && t->good[ngood])
        ngood++;
    for (size_t i = 0; i < rounds; i++) {
        struct input in = {.n = 0};
        const char *good = t->good[fuzz_below(ngood)];
        insert(&in, 0, good, strlen(good));
        for (size_t k = fuzz_below(8); k > 0; k--)
            mutate(&in);
        char *copy = xmalloc(in.n + 1);
        memcpy(copy, in.bytes, in.n);
        copy[in.n] = '\0';
        t->read(copy, in.n);
        free(copy);
    }
}
