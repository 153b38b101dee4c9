#include "base/duration.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_S 1000000000U
#define MS_MAX   INT64_C(1000000000000000)

/* A fraction of a unit up to the minute is counted in nanoseconds, of a longer one in seconds: "1.5h" is
 * exact, and so is refused what is not. A fraction of a nanosecond has neither. */
static const struct unit {
    const char *names[5];
    uint64_t s, ns;
    uint64_t fraction_s, fraction_ns;
} units[] = {
    {{"ns", "nsec", "nanos"}, 0, 1, 0, 0},
    {{"us", "usec", "µs"}, 0, 1000, 0, 1000},
    {{"ms", "msec", "millis"}, 0, 1000000, 0, 1000000},
    {{"s", "sec", "secs", "second", "seconds"}, 1, 0, 0, NS_PER_S},
    {{"m", "min", "mins", "minute", "minutes"}, 60, 0, 0, UINT64_C(60) * NS_PER_S},
    {{"h", "hr", "hrs", "hour", "hours"}, 3600, 0, 3600, 0},
    {{"d", "day", "days"}, 86400, 0, 86400, 0},
    {{"w", "wk", "wks", "week", "weeks"}, 604800, 0, 604800, 0},
    {{"M", "month", "months"}, 2630016, 0, 2630016, 0},              /* 30.44 days */
    {{"y", "yr", "yrs", "year", "years"}, 31557600, 0, 31557600, 0}, /* 365.25 days */
};

/* White space outside ASCII, as Unicode has it. */
static const char *const wide_blanks[] = {
    "\xc2\x85", "\u00a0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006",
    "\u2007",   "\u2008", "\u2009", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000",
};

struct reader {
    const char *s, *p; /* the whole text, and what comes next */
    struct err *e;
};

struct term {
    uint64_t n;                      /* the whole part */
    uint64_t numerator, denominator; /* of the fraction; denominator 0: none was written */
};

static int too_large(const struct reader *r)
{
    return err_set(r->e, ERR_INVALID,
                   "number is too large or cannot be represented without a lack of precision "
                   "(values below 1ns are not supported)");
}

static int fault_at(const struct reader *r, const char *what, const char *p)
{
    return err_set(r->e, ERR_INVALID, "%s at %td", what, p - r->s);
}

/* Bytes of the blank at p, or 0. */
static size_t blank_len(const char *p)
{
    if (isascii(*p))
        return isspace((unsigned char)*p) ? 1 : 0;
    for (size_t i = 0; i < sizeof wide_blanks / sizeof *wide_blanks; i++)
        if (!strncmp(p, wide_blanks[i], strlen(wide_blanks[i])))
            return strlen(wide_blanks[i]);
    return 0;
}

/* Bytes of the letter at p that a unit may have, or 0. */
static size_t letter_len(const char *p)
{
    if (isascii(*p))
        return isalpha((unsigned char)*p) ? 1 : 0;
    return strncmp(p, "µ", strlen("µ")) ? 0 : strlen("µ");
}

/* Returns what comes next. */
static const char *skip_blanks(struct reader *r)
{
    for (size_t n; (n = blank_len(r->p)) > 0;)
        r->p += n;
    return r->p;
}

/* Digits with blanks between and after them: "1 000" is a thousand. scale (may be NULL) becomes 10^digits. */
static int read_digits(struct reader *r, uint64_t *n, uint64_t *scale)
{
    while (isdigit((unsigned char)*skip_blanks(r))) {
        uint64_t digit = (uint64_t)(*r->p++ - '0');
        if (__builtin_mul_overflow(*n, 10, n) || __builtin_add_overflow(*n, digit, n))
            return too_large(r);
        if (scale && __builtin_mul_overflow(*scale, 10, scale))
            return too_large(r);
    }
    return 0;
}

static int read_fraction(struct reader *r, struct term *t)
{
    const char *point = r->p++;

    t->denominator = 1;
    if (read_digits(r, &t->numerator, &t->denominator))
        return -1;
    if (t->denominator == 1 || (*r->p && !letter_len(r->p)))
        return fault_at(r, "invalid character", r->p == point + 1 ? point : r->p);
    return 0;
}

static const struct unit *unit_find(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        for (size_t j = 0; j < sizeof units->names / sizeof *units->names && units[i].names[j]; j++)
            if (strlen(units[i].names[j]) == len && !memcmp(units[i].names[j], name, len))
                return &units[i];
    return NULL;
}

/* NULL: e. */
static const struct unit *read_unit(struct reader *r, const struct term *t)
{
    const char *name = r->p;
    const struct unit *unit;

    for (size_t n; (n = letter_len(r->p)) > 0;)
        r->p += n;
    unit = unit_find(name, (size_t)(r->p - name));
    if (*r->p && !isdigit((unsigned char)*r->p) && !blank_len(r->p)) {
        fault_at(r, "invalid character", r->p);
        return NULL;
    }
    if (r->p == name)
        err_set(r->e, ERR_INVALID, "time unit needed, for example %" PRIu64 "sec or %" PRIu64 "ms", t->n,
                t->n);
    else if (!unit)
        err_set(r->e, ERR_INVALID,
                "unknown time unit \"%.*s\", supported units: ns, us/µs, ms, sec, min, hours, days, weeks, "
                "months, "
                "years (and few variations)",
                (int)(r->p - name), name);
    return unit;
}

/* Adds count/divisor of a unit of s seconds and ns nanoseconds (one of them 0); -1 unless that is exact and
 * fits. */
static int add(struct duration *d, uint64_t count, uint64_t divisor, uint64_t s, uint64_t ns)
{
    if (__builtin_mul_overflow(s, count, &s) || __builtin_mul_overflow(ns, count, &ns))
        return -1;
    if (s % divisor || ns % divisor)
        return -1;
    if (__builtin_add_overflow(ns / divisor, d->ns, &ns))
        return -1;
    if (__builtin_add_overflow(s / divisor, ns / NS_PER_S, &s) || __builtin_add_overflow(d->s, s, &s))
        return -1;
    *d = (struct duration){s, (uint32_t)(ns % NS_PER_S)};
    return 0;
}

static int add_term(const struct reader *r, struct duration *d, const struct term *t, const struct unit *u)
{
    bool fraction = t->denominator > 0;

    if (add(d, t->n, 1, u->s, u->ns))
        return too_large(r);
    if (fraction && !u->fraction_s && !u->fraction_ns)
        return too_large(r);
    if (fraction && add(d, t->numerator, t->denominator, u->fraction_s, u->fraction_ns))
        return too_large(r);
    return 0;
}

static int read_term(struct reader *r, struct duration *d)
{
    struct term t = {0};

    if (read_digits(r, &t.n, NULL))
        return -1;
    if (*r->p == '.' && read_fraction(r, &t))
        return -1;
    const struct unit *unit = read_unit(r, &t);
    return unit ? add_term(r, d, &t, unit) : -1;
}

int duration_parse(struct duration *d, const char *s, struct err *e)
{
    struct reader r = {s, s, e};
    struct duration sum = {0};

    if (!strcmp(s, "0")) {
        *d = sum;
        return 0;
    }
    if (!*skip_blanks(&r))
        return err_set(e, ERR_INVALID, "value was empty");
    for (const char *from = s; *skip_blanks(&r); from = r.p + blank_len(r.p)) {
        if (!isdigit((unsigned char)*r.p))
            return fault_at(&r, "expected number", from);
        if (read_term(&r, &sum))
            return -1;
    }
    *d = sum;
    return 0;
}

int duration_parse_ms(int64_t *ms, const char *name, const char *s, struct err *e)
{
    struct duration d = {0};
    struct err why = {0};

    if (duration_parse(&d, s, &why))
        return err_set(
            e, why.code,
            "invalid duration for '%s': \"%s\" — %s. Examples: \"30s\", \"5m\", \"1h30m\", \"250ms\"", name,
            s, why.msg);
    if (d.s >= MS_MAX / 1000)
        *ms = MS_MAX;
    else
        *ms = (int64_t)d.s * 1000 + (d.ns + 999999) / 1000000;
    return 0;
}

char *duration_print_ms(int64_t ms, char *buf, unsigned long size)
{
    static const struct {
        const char *name;
        int64_t ms;
    } parts[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
    size_t n = 0;

    snprintf(buf, size, "0s");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (ms < parts[i].ms)
            continue;
        n += (size_t)snprintf(buf + n, size - n, "%s%" PRId64 "%s", n ? " " : "", ms / parts[i].ms,
                              parts[i].name);
        ms %= parts[i].ms;
    }
    return buf;
}
