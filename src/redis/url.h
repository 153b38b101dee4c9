/* url: where the server is: redis://[[user]:pass@]host[:port][/db] or unix://[[user]:pass@]/path[?db=N]. */
#ifndef RIVERS_REDIS_URL_H
#define RIVERS_REDIS_URL_H

#include "base/err.h"

struct redis_url {
    char *path; /* unix socket, or NULL */
    char *host; /* name or address without brackets, or NULL */
    int port;
    char *user; /* NULL: none; percent-decoded */
    char *pass; /* NULL: none; percent-decoded; never printed */
    int db;
};

/* On failure nothing is to be released, and e names the part that is wrong without quoting it: a part read
 * wrongly may be a piece of the password. */
__attribute__((warn_unused_result)) int redis_url_parse(struct redis_url *u, const char *s, struct err *e);
void redis_url_copy(struct redis_url *to, const struct redis_url *from);
void redis_url_release(struct redis_url *u);

/* For messages and logs: the URL without its password. Owned by the caller. */
char *redis_url_print(const struct redis_url *u);

#endif
