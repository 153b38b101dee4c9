/* duration_vectors: what humantime 2.4 answers, as executed: text, error or NULL, seconds, nanoseconds. */
#ifndef RIVERS_TESTS_DURATION_VECTORS_H
#define RIVERS_TESTS_DURATION_VECTORS_H

#include <stddef.h>
#include <stdint.h>

#define TOO_LARGE                                                                                            \
    "number is too large or cannot be represented without a lack of precision (values below 1ns are not "    \
    "supported)"
#define NEEDED(n) "time unit needed, for example " n "sec or " n "ms"
#define UNKNOWN(unit)                                                                                        \
    "unknown time unit \"" unit                                                                              \
    "\", supported units: ns, us/µs, ms, sec, min, hours, days, weeks, months, years "                      \
    "(and few variations)"

static const struct vector {
    const char *text;
    const char *fault;
    uint64_t s;
    uint32_t ns;
} vectors[] = {
    {"250ms", NULL, 0, 250000000},
    {"180s", NULL, 180, 0},
    {"0", NULL, 0, 0},
    {"0s", NULL, 0, 0},
    {"0ms", NULL, 0, 0},
    {"00", NEEDED("0"), 0, 0},
    {"000", NEEDED("0"), 0, 0},
    {"000s", NULL, 0, 0},
    {"", "value was empty", 0, 0},
    {"  ", "value was empty", 0, 0},
    {" 5s", NULL, 5, 0},
    {"5s ", NULL, 5, 0},
    {"5 s", NULL, 5, 0},
    {"1h30m", NULL, 5400, 0},
    {"1h 30m", NULL, 5400, 0},
    {"1h  30m", NULL, 5400, 0},
    {"1h,30m", "invalid character at 2", 0, 0},
    {"1.5h", NULL, 5400, 0},
    {"1.5s", NULL, 1, 500000000},
    {"0.5ms", NULL, 0, 500000},
    {"1.5ns", TOO_LARGE, 0, 0},
    {"0.1ns", TOO_LARGE, 0, 0},
    {"1.", "invalid character at 1", 0, 0},
    {"1.s", "invalid character at 1", 0, 0},
    {".5s", "expected number at 0", 0, 0},
    {"1.5", NEEDED("1"), 0, 0},
    {"1..5s", "invalid character at 1", 0, 0},
    {"1.5.5s", "invalid character at 3", 0, 0},
    {"1.5 s", NULL, 1, 500000000},
    {"1. 5s", NULL, 1, 500000000},
    {"5", NEEDED("5"), 0, 0},
    {"10", NEEDED("10"), 0, 0},
    {"-5s", "expected number at 0", 0, 0},
    {"+5s", "expected number at 0", 0, 0},
    {"5S", UNKNOWN("S"), 0, 0},
    {"5M", NULL, 13150080, 0},
    {"5m", NULL, 300, 0},
    {"5H", UNKNOWN("H"), 0, 0},
    {"5Min", UNKNOWN("Min"), 0, 0},
    {"1month", NULL, 2630016, 0},
    {"1M", NULL, 2630016, 0},
    {"2w", NULL, 1209600, 0},
    {"1wk", NULL, 604800, 0},
    {"3days", NULL, 259200, 0},
    {"3day", NULL, 259200, 0},
    {"1yr", NULL, 31557600, 0},
    {"1y", NULL, 31557600, 0},
    {"100us", NULL, 0, 100000},
    {"100µs", NULL, 0, 100000},
    {"100μs", "invalid character at 3", 0, 0},
    {"5sec", NULL, 5, 0},
    {"5secs", NULL, 5, 0},
    {"5seconds", NULL, 5, 0},
    {"5second", NULL, 5, 0},
    {"5minute", NULL, 300, 0},
    {"5mins", NULL, 300, 0},
    {"5hr", NULL, 18000, 0},
    {"5hrs", NULL, 18000, 0},
    {"5hours", NULL, 18000, 0},
    {"5nanos", NULL, 0, 5},
    {"5nsec", NULL, 0, 5},
    {"5ns", NULL, 0, 5},
    {"5usec", NULL, 0, 5000},
    {"5micros", UNKNOWN("micros"), 0, 0},
    {"5millis", NULL, 0, 5000000},
    {"5msec", NULL, 0, 5000000},
    {"1h30", NEEDED("30"), 0, 0},
    {"30 1h", NULL, 1083600, 0},
    {"1h 1h", NULL, 7200, 0},
    {"30m 1h", NULL, 5400, 0},
    {"1e3s", UNKNOWN("e"), 0, 0},
    {"0x5s", UNKNOWN("x"), 0, 0},
    {"1_000s", "invalid character at 1", 0, 0},
    {"1 000s", NULL, 1000, 0},
    {"18446744073709551615s", NULL, UINT64_C(18446744073709551615), 0},
    {"18446744073709551616s", TOO_LARGE, 0, 0},
    {"18446744073709551615m", TOO_LARGE, 0, 0},
    {"1000000000ns", NULL, 1, 0},
    {"999999999ns 1ns", NULL, 1, 0},
    {"1s 1000000000ns", NULL, 2, 0},
    {"1000ms", NULL, 1, 0},
    {"1 day 2 hours 3 min 4 sec 5 ms", NULL, 93784, 5000000},
    {"1d2h3m4s5ms6us7ns", NULL, 93784, 5006007},
    {"5ms5", NEEDED("5"), 0, 0},
    {"5 ms 5", NEEDED("5"), 0, 0},
    {"1\t2s", NULL, 12, 0},
    {"١s", "expected number at 0", 0, 0},
    {"5s\n", NULL, 5, 0},
    {"5s;", "invalid character at 2", 0, 0},
    {"0.123456789s", NULL, 0, 123456789},
    {"0.1234567891s", TOO_LARGE, 0, 0},
    {"0.0000000001s", TOO_LARGE, 0, 0},
    {"1.0000000000s", NULL, 1, 0},
    {"0.5M", NULL, 1315008, 0},
    {"1.5d", NULL, 129600, 0},
    {"1.5y", NULL, 47336400, 0},
    {"0.3333333333h", TOO_LARGE, 0, 0},
    {"1.000000000000000000000s", TOO_LARGE, 0, 0},
    {"0.1us", NULL, 0, 100},
    {"0.0001us", TOO_LARGE, 0, 0},
    {"0.001us", NULL, 0, 1},
    {"1.5us", NULL, 0, 1500},
};

#endif
