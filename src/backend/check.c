#include "backend/check.h"

#include <stdarg.h>
#include <stdio.h>

void check_tell(struct check *c, const char *what, const char *subject, enum check_state state,
                const char *detail, ...)
{
    char text[1200] = "";
    va_list ap;

    va_start(ap, detail);
    if (detail)
        vsnprintf(text, sizeof text, detail, ap);
    va_end(ap);
    c->findings++;
    c->wrong += state == CHECK_WRONG;
    c->on_finding(c->arg, what, subject, state, text);
}

const char *check_state_word(enum check_state state)
{
    static const char *const words[] = {
        [CHECK_OK] = "ok", [CHECK_WRONG] = "wrong", [CHECK_UNKNOWN] = "unknown"};

    return words[state];
}
