#include "base/json_scan.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"

#define DEPTH_MAX        64
#define NUMBER_BYTES_MAX 63 /* what cJSON takes */

struct scan {
    char *s, *p, *end; /* the document, what comes next, its terminating NUL */
    bool comments;
    int depth;
    struct err *e;
};

static int value(struct scan *c);

static int fault_at(const struct scan *c, const char *at, const char *what)
{
    size_t line = 1, column = 1;

    for (const char *p = c->s; p < at; p++) {
        if (*p == '\n') {
            line++;
            column = 1;
        } else if (((uint8_t)*p & 0xc0) != 0x80) {
            column++;
        }
    }
    return err_set(c->e, ERR_INVALID, "line %zu, column %zu: %s%s", line, column, what,
                   at == c->end ? ", but the document ends" : "");
}

static int fault(const struct scan *c, const char *what)
{
    return fault_at(c, c->p, what);
}

static int blank_comment(struct scan *c)
{
    bool block = c->p[1] == '*';
    char *end = block ? strstr(c->p + 2, "*/") : strchr(c->p, '\n');

    if (block && !end)
        return fault(c, "comment without an end");
    if (!end)
        end = c->end;
    else if (block)
        end += 2;
    for (; c->p < end; c->p++)
        if (*c->p != '\n')
            *c->p = ' ';
    return 0;
}

static int skip_blanks(struct scan *c)
{
    for (;;) {
        c->p += strspn(c->p, " \t\r\n");
        if (!c->comments || *c->p != '/' || (c->p[1] != '/' && c->p[1] != '*'))
            return 0;
        if (blank_comment(c))
            return -1;
    }
}

/* The four digits of a \u escape at p; -1 when they are not there. */
static int hex4(const char *p)
{
    int n = 0;

    for (int i = 0; i < 4; i++) {
        if (!isxdigit((unsigned char)p[i]))
            return -1;
        n = n * 16 + (isdigit((unsigned char)p[i]) ? p[i] - '0' : (p[i] | 0x20) - 'a' + 10);
    }
    return n;
}

static bool is_low_surrogate(int code)
{
    return code >= 0xdc00 && code <= 0xdfff;
}

/* p is at the backslash. */
static int unicode_escape(struct scan *c)
{
    int code = hex4(c->p + 2);

    if (code < 0)
        return fault(c, "\\u needs four hexadecimal digits");
    if (code == 0)
        return fault(c, "a string cannot hold NUL");
    if (is_low_surrogate(code))
        return fault(c, "half of a surrogate pair");
    c->p += 6;
    if (code < 0xd800 || code > 0xdbff)
        return 0;
    if (c->p[0] != '\\' || c->p[1] != 'u' || !is_low_surrogate(hex4(c->p + 2)))
        return fault(c, "half of a surrogate pair");
    c->p += 6;
    return 0;
}

static int escape(struct scan *c)
{
    if (c->p[1] == 'u')
        return unicode_escape(c);
    if (!c->p[1] || !strchr("\"\\/bfnrt", c->p[1]))
        return fault(c, "unknown escape in a string");
    c->p += 2;
    return 0;
}

static int character(struct scan *c)
{
    if (*c->p == '\\')
        return escape(c);
    if ((uint8_t)*c->p < 0x20)
        return fault(c, c->p == c->end ? "string without an end" : "control character in a string");
    size_t n = utf8_len(c->p, (size_t)(c->end - c->p));
    if (!n)
        return fault(c, "invalid UTF-8");
    c->p += n;
    return 0;
}

static int string(struct scan *c)
{
    for (c->p++; *c->p != '"';)
        if (character(c))
            return -1;
    c->p++;
    return 0;
}

static int digits(struct scan *c)
{
    if (!isdigit((unsigned char)*c->p))
        return fault(c, "expected a digit");
    while (isdigit((unsigned char)*c->p))
        c->p++;
    return 0;
}

static int number(struct scan *c)
{
    const char *start = c->p;

    if (*c->p == '-')
        c->p++;
    if (c->p[0] == '0' && isdigit((unsigned char)c->p[1]))
        return fault(c, "number with a leading zero");
    if (digits(c))
        return -1;
    if (*c->p == '.' && (c->p++, digits(c)))
        return -1;
    if (*c->p == 'e' || *c->p == 'E') {
        c->p++;
        if (*c->p == '+' || *c->p == '-')
            c->p++;
        if (digits(c))
            return -1;
    }
    return c->p - start > NUMBER_BYTES_MAX ? fault_at(c, start, "number with too many digits") : 0;
}

static int word(struct scan *c)
{
    static const char *const words[] = {"true", "false", "null"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strncmp(c->p, words[i], strlen(words[i])))
            continue;
        c->p += strlen(words[i]);
        return 0;
    }
    return fault(c, "expected a value");
}

static int member(struct scan *c)
{
    if (*c->p != '"')
        return fault(c, "expected a key in double quotes");
    if (string(c) || skip_blanks(c))
        return -1;
    if (*c->p != ':')
        return fault(c, "expected ':'");
    c->p++;
    return skip_blanks(c) || value(c) ? -1 : 0;
}

/* What follows an element: 1 to go on, 0 when it was the last one. */
static int separator(struct scan *c, char close)
{
    char *comma = c->p;

    if (*c->p == close)
        return 0;
    if (*c->p != ',')
        return fault(c, close == '}' ? "expected ',' or '}'" : "expected ',' or ']'");
    c->p++;
    if (skip_blanks(c))
        return -1;
    if (!c->comments || *c->p != close)
        return 1;
    *comma = ' ';
    return 0;
}

/* p is at the opening bracket. */
static int sequence(struct scan *c, char close, int (*element)(struct scan *))
{
    int more;

    if (++c->depth > DEPTH_MAX)
        return fault(c, "nested too deeply");
    c->p++;
    if (skip_blanks(c))
        return -1;
    for (more = *c->p != close; more > 0; more = separator(c, close))
        if (element(c) || skip_blanks(c))
            return -1;
    if (more < 0)
        return -1;
    c->p++;
    c->depth--;
    return 0;
}

static int value(struct scan *c)
{
    if (*c->p == '{')
        return sequence(c, '}', member);
    if (*c->p == '[')
        return sequence(c, ']', value);
    if (*c->p == '"')
        return string(c);
    if (*c->p == '-' || isdigit((unsigned char)*c->p))
        return number(c);
    return word(c);
}

int json_scan(char *s, size_t len, int flags, struct err *e)
{
    struct scan c = {s, s, s + len, (flags & JSON_COMMENTS) != 0, 0, e};
    const char *nul = memchr(s, 0, len);

    if (nul)
        return fault_at(&c, nul, "NUL byte");
    if (skip_blanks(&c) || value(&c) || skip_blanks(&c))
        return -1;
    return c.p == c.end ? 0 : fault(&c, "unexpected text after the end");
}
