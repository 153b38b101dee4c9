#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

static enum log_level log_least = LOG_INFO;

void log_init(enum log_level least)
{
    log_least = least;
}

static void add_value(struct text *line, const char *value)
{
    if (*value && !strpbrk(value, " \"=\\\t\r\n")) {
        text_add(line, value);
        return;
    }
    text_add(line, "\"");
    for (const char *p = value; *p; p++) {
        if (*p == '"' || *p == '\\')
            text_addf(line, "\\%c", *p);
        else if (*p == '\n')
            text_add(line, "\\n");
        else if ((unsigned char)*p < 0x20)
            text_addf(line, "\\x%02x", (unsigned)(unsigned char)*p);
        else
            text_add_bytes(line, p, 1);
    }
    text_add(line, "\"");
}

void log_line(enum log_level level, const char *msg, ...)
{
    static const char *const words[] = {"debug", "info", "warn", "error"};
    struct text line = {0};
    struct timespec ts;
    struct tm tm;
    char stamp[32];
    va_list ap;

    if (level < log_least)
        return;
    clock_gettime(CLOCK_REALTIME, &ts);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", gmtime_r(&ts.tv_sec, &tm));
    text_addf(&line, "ts=%s.%03ldZ level=%s msg=", stamp, ts.tv_nsec / 1000000, words[level]);
    add_value(&line, msg);
    va_start(ap, msg);
    for (const char *key; (key = va_arg(ap, const char *));) {
        const char *value = va_arg(ap, const char *);
        if (!value)
            continue;
        text_addf(&line, " %s=", key);
        add_value(&line, value);
    }
    va_end(ap);
    text_add(&line, "\n");
    /* One write a line, so that lines of several processes on one descriptor do not mix. */
    if (write(STDERR_FILENO, line.s, line.len) < 0) {
        /* Nowhere left to say it. */
    }
    text_release(&line);
}
