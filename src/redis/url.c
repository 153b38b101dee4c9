#include "redis/url.h"

#include <ctype.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/mem.h"
#include "base/number.h"
#include "base/text.h"

#define DEFAULT_PORT  6379
#define SENTINEL_PORT 26379

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

/* user, [user]:pass */
static int parse_login(struct redis_url *u, const char *s, size_t len, struct err *e)
{
    const char *colon = memchr(s, ':', len);
    size_t user_len = colon ? (size_t)(colon - s) : len;

    u->user = user_len ? decoded(s, user_len) : NULL;
    u->pass = colon ? decoded(colon + 1, len - user_len - 1) : NULL;
    if ((user_len && !u->user) || (colon && !u->pass))
        return fault(e, "a '%' in user or password must be followed by two hex digits");
    return 0;
}

/* Nothing or :port */
static int parse_port(int *port, const char *s, size_t len, struct err *e)
{
    if (!len)
        return 0;
    char *digits = xmemdup(s + 1, len - 1);
    int status = *s == ':' ? parse_whole(digits, 1, 65535, port) : -1;
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
    u->hosts = xrealloc(u->hosts, (u->nhosts + 1) * sizeof *u->hosts);
    struct redis_host *host = &u->hosts[u->nhosts++];
    host->name = xmemdup(start, (size_t)(stop - start));
    host->port = u->topology == REDIS_SENTINEL ? SENTINEL_PORT : DEFAULT_PORT;
    stop += bracketed;
    return parse_port(&host->port, stop, (size_t)(end - stop), e);
}

static int parse_hosts(struct redis_url *u, const char *s, size_t len, struct err *e)
{
    const char *end = s + len;

    for (;;) {
        const char *comma = memchr(s, ',', (size_t)(end - s)), *stop = comma ? comma : end;
        if (parse_host(u, s, (size_t)(stop - s), e) < 0)
            return -1;
        if (!comma)
            return 0;
        if (u->topology == REDIS_SINGLE)
            return fault(e, "several hosts need redis+sentinel:// or redis+cluster://");
        s = comma + 1;
    }
}

static int parse_db(struct redis_url *u, const char *s, size_t len, struct err *e)
{
    char *digits = xmemdup(s, len);
    int status = parse_whole(digits, 0, INT_MAX, &u->db);

    free(digits);
    return status < 0 ? fault(e, "the database must be a whole number, at least 0") : 0;
}

/* --- what stands behind the '?' */

static const struct parameter {
    const char *name;
    size_t at;
} parameters[] = {
    {"ca", offsetof(struct redis_url, ca)},
    {"cert", offsetof(struct redis_url, cert)},
    {"key", offsetof(struct redis_url, key)},
    {"password_file", offsetof(struct redis_url, password_file)},
    {"sentinel_password_file", offsetof(struct redis_url, sentinel_password_file)},
};

#define NPARAMETERS (sizeof parameters / sizeof *parameters)

static char **parameter_get(const struct redis_url *u, const struct parameter *p)
{
    return (char **)((char *)(uintptr_t)u + p->at);
}

static int parse_file(struct redis_url *u, const struct parameter *p, const char *value, size_t len,
                      struct err *e)
{
    char **file = parameter_get(u, p);

    free(*file);
    *file = decoded(value, len);
    if (!*file || **file != '/')
        return err_set(e, ERR_INVALID, "redis url: %s must be an absolute path", p->name);
    return 0;
}

/* name=value */
static int parse_parameter(struct redis_url *u, const char *s, size_t len, struct err *e)
{
    const char *is = memchr(s, '=', len), *value = is ? is + 1 : s;
    size_t name_len = is ? (size_t)(is - s) : 0, value_len = len - (size_t)(value - s);

    if (u->path && name_len == 2 && memcmp(s, "db", 2) == 0)
        return parse_db(u, value, value_len, e);
    for (size_t i = 0; i < NPARAMETERS; i++)
        if (strlen(parameters[i].name) == name_len && memcmp(s, parameters[i].name, name_len) == 0)
            return parse_file(u, &parameters[i], value, value_len, e);
    return fault(e, "unknown parameter; known: db (of a socket), ca, cert, key, password_file, "
                    "sentinel_password_file");
}

static int check_parameters(const struct redis_url *u, struct err *e)
{
    if (!u->tls && (u->ca || u->cert || u->key))
        return fault(e, "ca, cert and key need rediss://");
    if (!u->cert != !u->key)
        return fault(e, "cert and key belong together");
    if (u->pass && u->password_file)
        return fault(e, "a password and a password_file");
    return 0;
}

/* Nothing or ?name=value&... */
static int parse_parameters(struct redis_url *u, const char *s, struct err *e)
{
    while (*s) {
        size_t len = strcspn(++s, "&");
        if (parse_parameter(u, s, len, e) < 0)
            return -1;
        s += len;
    }
    return check_parameters(u, e);
}

/* --- the schemes */

/* /path */
static int parse_path(struct redis_url *u, const char *s, size_t len, struct err *e)
{
    u->path = decoded(s, len);
    if (!u->path)
        return fault(e, "a '%' in the path must be followed by two hex digits");
    if (strlen(u->path) < 2)
        return fault(e, "the path of the socket is missing");
    if (strlen(u->path) >= sizeof((struct sockaddr_un){0}).sun_path)
        return fault(e, "the path of the socket is too long");
    return 0;
}

static int parse_unix(struct redis_url *u, const char *host, size_t host_len, size_t path_len, struct err *e)
{
    if (host_len)
        return fault(e, "the path of a socket must be absolute: unix:///path");
    return parse_path(u, host, path_len, e);
}

/* Nothing, / or /db */
static int parse_single(struct redis_url *u, const char *host, size_t host_len, size_t path_len,
                        struct err *e)
{
    if (parse_hosts(u, host, host_len, e) < 0)
        return -1;
    return path_len > 1 ? parse_db(u, host + host_len + 1, path_len - 1, e) : 0;
}

/* /name[/db] */
static int parse_sentinel(struct redis_url *u, const char *host, size_t host_len, size_t path_len,
                          struct err *e)
{
    const char *name = host + host_len + 1, *end = host + host_len + path_len;

    if (parse_hosts(u, host, host_len, e) < 0)
        return -1;
    if (path_len < 2 || *name == '/')
        return fault(e, "the name of the master is missing: redis+sentinel://host/name");
    const char *slash = memchr(name, '/', (size_t)(end - name));
    u->master = decoded(name, (size_t)((slash ? slash : end) - name));
    if (!u->master)
        return fault(e, "a '%' in the name of the master must be followed by two hex digits");
    return slash ? parse_db(u, slash + 1, (size_t)(end - slash - 1), e) : 0;
}

static int parse_cluster(struct redis_url *u, const char *host, size_t host_len, size_t path_len,
                         struct err *e)
{
    if (path_len > 1)
        return fault(e, "a cluster has no databases");
    return parse_hosts(u, host, host_len, e);
}

static const struct scheme {
    const char *prefix;
    enum redis_topology topology;
    bool tls, is_path;
    int (*parse)(struct redis_url *u, const char *host, size_t host_len, size_t path_len, struct err *e);
} schemes[] = {
    {"redis://", REDIS_SINGLE, false, false, parse_single},
    {"rediss://", REDIS_SINGLE, true, false, parse_single},
    {"redis+sentinel://", REDIS_SENTINEL, false, false, parse_sentinel},
    {"rediss+sentinel://", REDIS_SENTINEL, true, false, parse_sentinel},
    {"redis+cluster://", REDIS_CLUSTER, false, false, parse_cluster},
    {"rediss+cluster://", REDIS_CLUSTER, true, false, parse_cluster},
    {"unix://", REDIS_SINGLE, false, true, parse_unix},
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
    size_t host_len = strcspn(host, "/?"), path_len = strcspn(host + host_len, "?");

    u->topology = scheme->topology;
    u->tls = scheme->tls;
    if (at && at > s && parse_login(u, s, (size_t)(at - s), e) < 0)
        return -1;
    if (scheme->parse(u, host, host_len, path_len, e) < 0)
        return -1;
    return parse_parameters(u, host + host_len + path_len, e);
}

int redis_url_parse(struct redis_url *u, const char *s, struct err *e)
{
    const struct scheme *scheme = scheme_of(s);

    *u = (struct redis_url){0};
    if (!scheme)
        return fault(e,
                     "must start with redis://, rediss://, redis+sentinel://, redis+cluster:// or unix://");
    if (parse(u, scheme, s + strlen(scheme->prefix), e) == 0)
        return 0;
    redis_url_release(u);
    return -1;
}

/* --- copies and texts */

void redis_url_copy(struct redis_url *to, const struct redis_url *from)
{
    *to = *from;
    to->path = xstrdup(from->path);
    to->hosts = from->nhosts ? xcalloc(from->nhosts, sizeof *to->hosts) : NULL;
    for (size_t i = 0; i < from->nhosts; i++)
        to->hosts[i] = (struct redis_host){xstrdup(from->hosts[i].name), from->hosts[i].port};
    to->master = xstrdup(from->master);
    to->user = xstrdup(from->user);
    to->pass = xstrdup(from->pass);
    for (size_t i = 0; i < NPARAMETERS; i++)
        *parameter_get(to, &parameters[i]) = xstrdup(*parameter_get(from, &parameters[i]));
}

void redis_url_release(struct redis_url *u)
{
    free(u->path);
    for (size_t i = 0; i < u->nhosts; i++)
        free(u->hosts[i].name);
    free(u->hosts);
    free(u->master);
    free(u->user);
    free(u->pass);
    for (size_t i = 0; i < NPARAMETERS; i++)
        free(*parameter_get(u, &parameters[i]));
    *u = (struct redis_url){0};
}

/* Percent-encodes all but letters, digits, "-._~" and what stands in `also`. */
static void add_encoded(struct text *t, const char *s, const char *also)
{
    for (; *s; s++) {
        bool plain = isalnum((unsigned char)*s) || strchr("-._~", *s) || strchr(also, *s);
        text_addf(t, plain ? "%c" : "%%%02X", (unsigned char)*s);
    }
}

static void add_scheme(struct text *t, const struct redis_url *u)
{
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (schemes[i].topology == u->topology && schemes[i].tls == u->tls &&
            schemes[i].is_path == (u->path != NULL))
            text_add(t, schemes[i].prefix);
}

static void add_login(struct text *t, const struct redis_url *u, bool with_password)
{
    bool password = with_password && u->pass;

    if (u->user)
        add_encoded(t, u->user, "");
    if (password) {
        text_add(t, ":");
        add_encoded(t, u->pass, "");
    }
    text_add(t, u->user || password ? "@" : "");
}

static void add_place(struct text *t, const struct redis_url *u)
{
    for (size_t i = 0; i < u->nhosts; i++) {
        const struct redis_host *host = &u->hosts[i];
        text_addf(t, strchr(host->name, ':') ? "%s[%s]:%d" : "%s%s:%d", i ? "," : "", host->name, host->port);
    }
    if (u->path)
        add_encoded(t, u->path, "/");
    if (u->master) {
        text_add(t, "/");
        add_encoded(t, u->master, "");
    }
    if (u->db)
        text_addf(t, u->path ? "?db=%d" : "/%d", u->db);
}

static void add_parameters(struct text *t, const struct redis_url *u)
{
    bool first = !(u->path && u->db);

    for (size_t i = 0; i < NPARAMETERS; i++) {
        const char *file = *parameter_get(u, &parameters[i]);
        if (!file)
            continue;
        text_addf(t, "%c%s=", first ? '?' : '&', parameters[i].name);
        add_encoded(t, file, "/");
        first = false;
    }
}

static char *print(const struct redis_url *u, bool with_password)
{
    struct text t = {0};

    add_scheme(&t, u);
    add_login(&t, u, with_password);
    add_place(&t, u);
    add_parameters(&t, u);
    return t.s;
}

char *redis_url_print(const struct redis_url *u)
{
    return print(u, false);
}

char *redis_url_print_whole(const struct redis_url *u)
{
    return print(u, true);
}
