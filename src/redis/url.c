#include "redis/url.h"

#include <ctype.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/mem.h"
#include "base/number.h"
#include "base/text.h"

#define DEFAULT_PORT 6379

static int fault(struct err *e, const char *what)
{
    return err_set(e, ERR_INVALID, "redis url: %s", what);
}

static int hex_value(char c)
{
    if (isdigit((unsigned char)c))
        return c - '0';
    return isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : -1;
}

/* Owned by the caller; NULL when a '%' is not followed by two hex digits or stands for a NUL. */
static char *decoded(const char *s, size_t len)
{
    char *out = xmemdup(s, len), *to = out;

    for (size_t i = 0; i < len; i++) {
        if (s[i] != '%') {
            *to++ = s[i];
            continue;
        }
        int high = i + 1 < len ? hex_value(s[i + 1]) : -1, low = i + 2 < len ? hex_value(s[i + 2]) : -1;
        if (high < 0 || low < 0 || high + low == 0) {
            free(out);
            return NULL;
        }
        *to++ = (char)(high * 16 + low);
        i += 2;
    }
    *to = '\0';
    return out;
}

static int parse_whole(const char *s, int64_t min, int64_t max, int *out)
{
    int64_t n;

    if (number_parse(s, min, max, &n) < 0)
        return -1;
    *out = (int)n;
    return 0;
}

/* [user]:pass */
static int parse_login(struct redis_url *u, const char *s, size_t len, struct err *e)
{
    const char *colon = memchr(s, ':', len);

    if (!colon)
        return fault(e, "a user name needs a password behind it: user:password@");
    size_t user_len = (size_t)(colon - s);
    u->user = user_len ? decoded(s, user_len) : NULL;
    u->pass = decoded(colon + 1, len - user_len - 1);
    if ((user_len && !u->user) || !u->pass)
        return fault(e, "a '%' in user or password must be followed by two hex digits");
    return 0;
}

/* Nothing or :port */
static int parse_port(struct redis_url *u, const char *s, size_t len, struct err *e)
{
    u->port = DEFAULT_PORT;
    if (!len)
        return 0;
    char *digits = xmemdup(s + 1, len - 1);
    int status = *s == ':' ? parse_whole(digits, 1, 65535, &u->port) : -1;
    free(digits);
    return status < 0 ? fault(e, "the port must be a whole number from 1 to 65535") : 0;
}

/* host[:port] or [address][:port] */
static int parse_host(struct redis_url *u, const char *s, size_t len, struct err *e)
{
    bool bracketed = len && *s == '[';
    const char *start = s + bracketed, *end = s + len;
    const char *stop = memchr(start, bracketed ? ']' : ':', (size_t)(end - start));

    if (bracketed && !stop)
        return fault(e, "an address in brackets must end with ']'");
    stop = stop ? stop : end;
    if (stop == start)
        return fault(e, "the host is missing");
    u->host = xmemdup(start, (size_t)(stop - start));
    stop += bracketed;
    return parse_port(u, stop, (size_t)(end - stop), e);
}

static int parse_db(struct redis_url *u, const char *s, struct err *e)
{
    if (parse_whole(s, 0, INT_MAX, &u->db) < 0)
        return fault(e, "the database must be a whole number, at least 0");
    return 0;
}

/* /path[?db=N] */
static int parse_path(struct redis_url *u, const char *s, struct err *e)
{
    size_t len = strcspn(s, "?");

    u->path = decoded(s, len);
    if (!u->path)
        return fault(e, "a '%' in the path must be followed by two hex digits");
    if (strlen(u->path) < 2)
        return fault(e, "the path of the socket is missing");
    if (strlen(u->path) >= sizeof((struct sockaddr_un){0}).sun_path)
        return fault(e, "the path of the socket is too long");
    if (!s[len])
        return 0;
    if (strncmp(s + len, "?db=", 4) != 0)
        return fault(e, "the only parameter is ?db=N");
    return parse_db(u, s + len + 4, e);
}

static int parse_unix(struct redis_url *u, const char *host, size_t host_len, const char *rest, struct err *e)
{
    (void)host;
    if (host_len)
        return fault(e, "the path of a socket must be absolute: unix:///path");
    return parse_path(u, rest, e);
}

static int parse_tcp(struct redis_url *u, const char *host, size_t host_len, const char *rest, struct err *e)
{
    if (parse_host(u, host, host_len, e) < 0)
        return -1;
    return *rest && rest[1] ? parse_db(u, rest + 1, e) : 0;
}

static const struct scheme {
    const char *prefix;
    int (*parse)(struct redis_url *u, const char *host, size_t host_len, const char *rest, struct err *e);
} schemes[] = {
    {"redis://", parse_tcp},
    {"unix://", parse_unix},
};

static const struct scheme *scheme_of(const char *s)
{
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (strncmp(s, schemes[i].prefix, strlen(schemes[i].prefix)) == 0)
            return &schemes[i];
    return NULL;
}

static int parse(struct redis_url *u, const struct scheme *scheme, const char *s, struct err *e)
{
    size_t len = strcspn(s, "/");
    const char *at = memrchr(s, '@', len);
    const char *host = at ? at + 1 : s;

    if (at && at > s && parse_login(u, s, (size_t)(at - s), e) < 0)
        return -1;
    return scheme->parse(u, host, (size_t)(s + len - host), s + len, e);
}

int redis_url_parse(struct redis_url *u, const char *s, struct err *e)
{
    const struct scheme *scheme = scheme_of(s);

    *u = (struct redis_url){0};
    if (!scheme)
        return fault(e, "must start with redis:// or unix://");
    if (parse(u, scheme, s + strlen(scheme->prefix), e) == 0)
        return 0;
    redis_url_release(u);
    return -1;
}

void redis_url_copy(struct redis_url *to, const struct redis_url *from)
{
    *to = (struct redis_url){
        .path = xstrdup(from->path),
        .host = xstrdup(from->host),
        .port = from->port,
        .user = xstrdup(from->user),
        .pass = xstrdup(from->pass),
        .db = from->db,
    };
}

void redis_url_release(struct redis_url *u)
{
    free(u->path);
    free(u->host);
    free(u->user);
    free(u->pass);
    *u = (struct redis_url){0};
}

char *redis_url_print(const struct redis_url *u)
{
    struct text t = {0};

    text_add(&t, u->path ? "unix://" : "redis://");
    if (u->user)
        text_addf(&t, "%s@", u->user);
    if (u->path)
        text_add(&t, u->path);
    else
        text_addf(&t, strchr(u->host, ':') ? "[%s]:%d" : "%s:%d", u->host, u->port);
    if (u->db)
        text_addf(&t, u->path ? "?db=%d" : "/%d", u->db);
    return t.s;
}
