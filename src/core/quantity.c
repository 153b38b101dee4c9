#include "core/quantity.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define DIGITS "0123456789"

static const struct {
    const char *suffix;
    double factor;
} suffixes[] = {
    {"", 1},        {"n", 1e-9},    {"u", 1e-6},    {"m", 1e-3},    {"k", 1e3},     {"M", 1e6},
    {"G", 1e9},     {"T", 1e12},    {"P", 1e15},    {"E", 1e18},    {"Ki", 0x1p10}, {"Mi", 0x1p20},
    {"Gi", 0x1p30}, {"Ti", 0x1p40}, {"Pi", 0x1p50}, {"Ei", 0x1p60},
};

/* "e3", "E-2"; 0 when it is none. */
static double exponent_factor(const char *s)
{
    size_t sign = *s && (s[1] == '+' || s[1] == '-'), n = *s ? strspn(s + 1 + sign, DIGITS) : 0;
    char power[8];

    if ((*s != 'e' && *s != 'E') || n == 0 || n > 2 || s[1 + sign + n])
        return 0;
    snprintf(power, sizeof power, "1%s", s);
    return strtod(power, NULL);
}

static double suffix_factor(const char *s)
{
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
        if (strcmp(s, suffixes[i].suffix) == 0)
            return suffixes[i].factor;
    return exponent_factor(s);
}

int quantity_parse(double *value, const char *s, struct err *e)
{
    const char *number = s + (*s == '+');
    size_t whole = strspn(number, DIGITS), point = number[whole] == '.';
    size_t part = point ? strspn(number + whole + 1, DIGITS) : 0;
    double factor = suffix_factor(number + whole + point + part);

    if (whole + part == 0 || whole + part > 30 || factor == 0)
        return err_set(e, ERR_INVALID,
                       "must be a quantity such as \"500m\", \"1.5\" or \"512Mi\", not \"%s\"", s);
    char digits[40] = ""; /* alone: strtod would read an exponent as well */
    memcpy(digits, number, whole + point + part);
    *value = strtod(digits, NULL) * factor;
    return 0;
}

static int check(const char *s, double least, const char *least_word, struct err *e)
{
    double value = 0;

    if (quantity_parse(&value, s, e))
        return -1;
    return value >= least ? 0 : err_set(e, ERR_INVALID, "must be at least %s, not \"%s\"", least_word, s);
}

int quantity_check_cpu(const char *s, struct err *e)
{
    return check(s, 0.001, "1m", e);
}

int quantity_check_memory(const char *s, struct err *e)
{
    return check(s, 0x1p20, "1Mi", e);
}

static int read_checked(const struct cJSON *v, const struct json_path *at,
                        int (*is_good)(const char *s, struct err *e), char **into, struct err *e)
{
    const char *s;

    if (json_string(v, at, &s, e))
        return -1;
    if (is_good(s, e))
        return json_place(e, at);
    free(*into);
    *into = xstrdup(s);
    return 0;
}

int quantity_read_cpu(const struct cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    return read_checked(v, at, quantity_check_cpu, into, e);
}

int quantity_read_memory(const struct cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    return read_checked(v, at, quantity_check_memory, into, e);
}
