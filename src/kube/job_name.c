#include "kube/job_name.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define FNV_OFFSET UINT64_C(14695981039346656037)
#define FNV_PRIME  UINT64_C(1099511628211)

void job_hash_make(job_hash out, const char *bytes, size_t n)
{
    uint64_t hash = FNV_OFFSET;

    for (size_t i = 0; i < n; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * FNV_PRIME;
    snprintf(out, JOB_HASH_BYTES + 1, "%016" PRIx64, hash);
}

/* Never a locale's idea of a letter. */
static bool is_lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static char name_char(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return (char)(is_lower_or_digit(c) ? c : '-');
}

static char label_char(char c)
{
    bool stays = is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '_' || c == '.';

    return (char)(stays ? c : '-');
}

/* Both ends must be a letter or digit, which name_char and label_char keep as they are (but for the case). */
static bool is_edge(char c)
{
    return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

static void fit(job_name out, const char *text, char (*allowed)(char))
{
    size_t len = strlen(text), start = 0, n = 0;
    job_hash hash;

    while (text[start] && !is_edge(text[start]))
        start++;
    for (size_t i = start; i < len && n < JOB_NAME_BYTES; i++)
        out[n++] = allowed(text[i]);
    while (n && !is_edge(out[n - 1]))
        n--;
    out[n] = '\0';
    if (strcmp(out, text) == 0)
        return;
    job_hash_make(hash, text, len);
    if (n > JOB_NAME_BYTES - 1 - JOB_HASH_BYTES)
        n = JOB_NAME_BYTES - 1 - JOB_HASH_BYTES;
    snprintf(out + n, JOB_NAME_BYTES + 1 - n, "%s%s", n ? "-" : "", hash);
}

void job_name_make(job_name out, const char *run, int64_t attempt, const char *step, int64_t step_attempt)
{
    char *full = step ? xasprintf("%s-%" PRId64 "-%s-%" PRId64, run, attempt, step, step_attempt)
                      : xasprintf("%s-%" PRId64, run, attempt);

    fit(out, full, name_char);
    free(full);
}

void job_label_make(job_name out, const char *text)
{
    fit(out, text, label_char);
}
