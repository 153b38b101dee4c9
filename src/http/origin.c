#include "http/origin.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"

#define CONNECT_TIMEOUT_MS 10000L
#define SILENCE_MS         30000 /* what was sent is acknowledged by then, or the connection is dead */

struct origin {
    const struct curl *curl;
    size_t refs;
    char *url;
    char *base; /* what paths are appended to; its host is the one that the certificate is for */
    char *proxy;
    char *authorization; /* headers; NULL: none */
    char *host;
    struct curl_slist *connect_to; /* where base leads to when it has another name than the server */
    struct curl_blob ca, certificate, key;
    bool insecure;
};

/* The parts of a URL, owned by libcurl. */
struct parts {
    char *scheme, *host, *port, *path;
};

static const struct {
    CURLUPart part;
    const char *name;
} unwanted[] = {
    {CURLUPART_USER, "a user"},
    {CURLUPART_PASSWORD, "a password"},
    {CURLUPART_QUERY, "a query"},
    {CURLUPART_FRAGMENT, "a fragment"},
};

static void parts_release(const struct curl *c, struct parts *p)
{
    c->free(p->scheme);
    c->free(p->host);
    c->free(p->port);
    c->free(p->path);
}

static int check_unwanted(const struct curl *c, const CURLU *parsed, struct err *e)
{
    for (size_t i = 0; i < sizeof unwanted / sizeof *unwanted; i++) {
        char *text = NULL;
        c->url_get(parsed, unwanted[i].part, &text, 0);
        c->free(text);
        if (text)
            /* Not the URL itself: it may hold a password. */
            return err_set(e, ERR_INVALID, "the URL of a server cannot have %s", unwanted[i].name);
    }
    return 0;
}

static int parts_read(const struct curl *c, struct parts *p, const char *url, struct err *e)
{
    CURLU *parsed = c->url();
    int status = -1;

    CURLUcode code = c->url_set(parsed, CURLUPART_URL, url, 0);
    if (code) {
        err_set(e, ERR_INVALID, "'%s' is not the URL of a server: %s", url, c->url_strerror(code));
        goto out;
    }
    if (check_unwanted(c, parsed, e))
        goto out;
    c->url_get(parsed, CURLUPART_SCHEME, &p->scheme, 0);
    c->url_get(parsed, CURLUPART_HOST, &p->host, 0);
    c->url_get(parsed, CURLUPART_PORT, &p->port, CURLU_DEFAULT_PORT);
    c->url_get(parsed, CURLUPART_PATH, &p->path, 0);
    if (strcmp(p->scheme, "https") != 0 && strcmp(p->scheme, "http") != 0)
        err_set(e, ERR_INVALID, "'%s' is not the URL of a server: only https and http are spoken", url);
    else
        status = 0;
out:
    c->url_cleanup(parsed);
    return status;
}

/* libcurl checks certificates against the host of the URL. Another name goes there, the true host behind it. */
static void set_target(struct origin *o, const struct parts *p, const char *server_name)
{
    const char *name = server_name ? server_name : p->host;
    size_t path_len = strlen(p->path);

    while (path_len && p->path[path_len - 1] == '/')
        path_len--;
    o->base = xasprintf("%s://%s:%s%.*s", p->scheme, name, p->port, (int)path_len, p->path);
    if (!server_name)
        return;
    char *target = xasprintf("::%s:%s", p->host, p->port);
    o->connect_to = o->curl->slist_append(NULL, target);
    o->host = xasprintf("Host: %s:%s", p->host, p->port);
    free(target);
}

/* A header must not be able to bring another one with it. */
static bool is_printable(const char *s)
{
    for (; *s; s++)
        if (*s < 0x21 || *s > 0x7e)
            return false;
    return true;
}

static struct curl_blob blob_dup(struct http_bytes bytes)
{
    struct curl_blob blob = {.flags = CURL_BLOB_NOCOPY};

    if (bytes.at) {
        blob.data = xmemdup(bytes.at, bytes.len);
        blob.len = bytes.len;
    }
    return blob;
}

struct origin *origin_new(const struct curl *curl, const struct http_options *options, struct err *e)
{
    struct origin *o = xcalloc(1, sizeof *o);
    struct parts p = {0};
    int status = -1;

    *o = (struct origin){.curl = curl, .refs = 1, .insecure = options->insecure};
    if (parts_read(curl, &p, options->url, e))
        goto out;
    if (options->token && !is_printable(options->token)) {
        err_set(e, ERR_INVALID,
                "the token holds what no token can: a blank, a control or non-ASCII character");
        goto out;
    }
    set_target(o, &p, options->server_name);
    o->url = xstrdup(options->url);
    o->proxy = xstrdup(options->proxy ? options->proxy : "");
    if (options->token)
        o->authorization = xasprintf("Authorization: Bearer %s", options->token);
    o->ca = blob_dup(options->ca);
    o->certificate = blob_dup(options->certificate);
    o->key = blob_dup(options->key);
    status = 0;
out:
    parts_release(curl, &p);
    if (!status)
        return o;
    origin_unref(o);
    return NULL;
}

struct origin *origin_ref(struct origin *o)
{
    o->refs++;
    return o;
}

static void blob_release(struct curl_blob *blob)
{
    if (blob->data)
        explicit_bzero(blob->data, blob->len);
    free(blob->data);
}

void origin_unref(struct origin *o)
{
    if (!o || --o->refs)
        return;
    o->curl->slist_free_all(o->connect_to);
    blob_release(&o->ca);
    blob_release(&o->certificate);
    blob_release(&o->key);
    free(o->authorization);
    free(o->host);
    free(o->proxy);
    free(o->base);
    free(o->url);
    free(o);
}

const char *origin_url_get(const struct origin *o)
{
    return o->url;
}

/* A peer that vanished without a word is noticed here, not by the requests that wait for it one after another. */
static int on_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
    unsigned silence_ms = SILENCE_MS;

    (void)arg, (void)purpose;
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silence_ms, sizeof silence_ms);
    return CURL_SOCKOPT_OK;
}

static void apply_connection(const struct origin *o, CURL *easy)
{
    const struct curl *c = o->curl;

    c->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    c->easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* a name that is being resolved is not waited for */
    c->easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    c->easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    c->easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 15L);
    c->easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 5L);
    c->easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket);
    c->easy_setopt(easy, CURLOPT_PROXY, o->proxy); /* "": none, whatever the environment says */
    c->easy_setopt(easy, CURLOPT_NOPROXY, "");
    c->easy_setopt(easy, CURLOPT_CONNECT_TO, o->connect_to);
}

static void apply_tls(const struct origin *o, CURL *easy)
{
    const struct curl *c = o->curl;

    c->easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    c->easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, o->insecure ? 0L : 1L);
    c->easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, o->insecure ? 0L : 2L);
    if (o->ca.data) {
        c->easy_setopt(easy, CURLOPT_CAINFO_BLOB, &o->ca);
        c->easy_setopt(easy, CURLOPT_CAPATH, NULL); /* or those of the system count as well */
    }
    if (o->certificate.data)
        c->easy_setopt(easy, CURLOPT_SSLCERT_BLOB, &o->certificate);
    if (o->key.data)
        c->easy_setopt(easy, CURLOPT_SSLKEY_BLOB, &o->key);
}

void origin_apply(const struct origin *o, CURL *easy, const char *path)
{
    char *url = xasprintf("%s%s", o->base, path);

    o->curl->easy_setopt(easy, CURLOPT_URL, url);
    o->curl->easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    o->curl->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    o->curl->easy_setopt(easy, CURLOPT_USERAGENT, "rivers/" RIVERS_VERSION);
    apply_connection(o, easy);
    apply_tls(o, easy);
    free(url);
}

struct curl_slist *origin_headers_new(const struct origin *o, const char *content_type)
{
    /* Without "Expect:" libcurl asks before it sends a long body. */
    struct curl_slist *list = o->curl->slist_append(NULL, "Expect:");

    if (o->authorization)
        list = o->curl->slist_append(list, o->authorization);
    if (o->host)
        list = o->curl->slist_append(list, o->host);
    if (content_type) {
        char *line = xasprintf("Content-Type: %s", content_type);
        list = o->curl->slist_append(list, line);
        free(line);
    }
    return list;
}
