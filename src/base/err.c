#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
    va_list ap;

    if (!e)
        return -1;
    e->code = code;
    va_start(ap, fmt);
    vsnprintf(e->msg, sizeof e->msg, fmt, ap);
    va_end(ap);
    return -1;
}

int err_sys(struct err *e, const char *fmt, ...)
{
    int saved = errno;
    va_list ap;

    if (!e)
        return -1;
    e->code = ERR_SYSTEM;
    va_start(ap, fmt);
    vsnprintf(e->msg, sizeof e->msg, fmt, ap);
    va_end(ap);
    size_t n = strlen(e->msg);
    snprintf(e->msg + n, sizeof e->msg - n, ": %s", strerror(saved));
    return -1;
}

int err_prefix(struct err *e, const char *fmt, ...)
{
    char head[sizeof e->msg], tail[sizeof e->msg];
    va_list ap;

    if (!e)
        return -1;
    va_start(ap, fmt);
    vsnprintf(head, sizeof head, fmt, ap);
    va_end(ap);
    memcpy(tail, e->msg, sizeof tail);
    size_t n = strnlen(head, sizeof head - 3);
    memcpy(e->msg, head, n);
    snprintf(e->msg + n, sizeof e->msg - n, ": %s", tail);
    return -1;
}

int err_exit_status(enum err_code code)
{
    return code == ERR_NONE ? 0 : code == ERR_USAGE ? 2 : 1;
}
