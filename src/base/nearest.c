#include "base/nearest.h"

#include <string.h>

#define BYTES_MAX 63

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Levenshtein's distance, one row at a time: row[j] is the distance between the first i bytes of a and j
 * bytes of b. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[BYTES_MAX + 1];
    unsigned n = (unsigned)strlen(b);

    for (unsigned j = 0; j <= n; j++)
        row[j] = j;
    for (unsigned i = 0; a[i]; i++) {
        unsigned diagonal = row[0];
        row[0] = i + 1;
        for (unsigned j = 0; j < n; j++) {
            unsigned changed = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            row[j + 1] = least(changed, least(row[j], row[j + 1]) + 1);
        }
    }
    return row[n];
}

unsigned nearest_distance(const char *word, const char *known)
{
    size_t n = strlen(word);

    if (n > BYTES_MAX || strlen(known) > BYTES_MAX)
        return NEAREST_NONE;
    unsigned d = distance(word, known);
    return d <= 2 + n / 4 && d < n ? d : NEAREST_NONE;
}
