/* origin: where requests go and who makes them; shared by the calls that were started with it. */
#ifndef RIVERS_HTTP_ORIGIN_H
#define RIVERS_HTTP_ORIGIN_H

#include "http/curl.h"
#include "http/http.h"

struct origin;

/* options are copied, curl is borrowed. NULL and e when something in them is no URL, no token. */
struct origin *origin_new(const struct curl *curl, const struct http_options *options, struct err *e);
struct origin *origin_ref(struct origin *o);
void origin_unref(struct origin *o); /* NULL is fine */

const char *origin_url_get(const struct origin *o); /* as given */

/* Sets all that the calls have in common; o must live as long as the transfer. path: from "/" on. */
void origin_apply(const struct origin *o, CURL *easy, const char *path);

/* The headers of a request: those of the origin, and Content-Type unless it is NULL. Owned by the caller. */
struct curl_slist *origin_headers_new(const struct origin *o, const char *content_type);

#endif
