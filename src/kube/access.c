#include "kube/access.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/reaper.h"
#include "base/text.h"
#include "base/timer.h"
#include "kube/account.h"
#include "kube/plugin.h"

#define POD_DIR  "/var/run/secrets/kubernetes.io/serviceaccount"
#define FRESH_MS 60000 /* then files are read again */
#define EARLY_MS 10000 /* before it expires, a credential is not handed out any more */
#define PAUSE_MS 5000  /* after a failed plugin, until the next */

TAILQ_HEAD(wait_list, access_wait);

struct credentials {
    struct text ca, certificate, key, token;
};

struct access {
    struct reaper *reaper;
    struct account account;
    struct credentials now; /* as they were read or made last */
    unsigned version;
    int64_t fresh_until;   /* monotonic: files; wall clock: what a plugin made. 0: not at all */
    int64_t retry_at;      /* monotonic: no plugin before */
    struct err why;        /* nobody knows who we are because of this; ERR_NONE: all is well */
    struct plugin *plugin; /* that runs */
    struct wait_list waits;
    struct event *answer; /* gives those who wait what there is */
};

/* ---- reading ---- */

static void wipe(struct text *t)
{
    if (t->s)
        explicit_bzero(t->s, t->cap);
    text_release(t);
}

static void credentials_release(struct credentials *c)
{
    wipe(&c->ca);
    wipe(&c->certificate);
    wipe(&c->key);
    wipe(&c->token);
}

static int read_part(struct text *t, const struct account_part *part, struct err *e)
{
    if (part->data)
        text_add_bytes(t, part->data, part->len);
    return part->file ? file_read(t, part->file, ACCOUNT_FILE_BYTES_MAX, e) : 0;
}

static int read_authority(struct credentials *c, const struct account *from, struct err *e)
{
    if (read_part(&c->ca, &from->ca, e))
        return -1;
    if (!c->ca.len || strstr(c->ca.s, "-----BEGIN "))
        return 0;
    return err_set(e, ERR_INVALID, "%s: %s holds no certificate",
                   from->ca.file ? from->ca.file : from->source,
                   from->ca.file ? "the file" : "certificate-authority-data");
}

/* A token file may end with a line end, and be empty while somebody writes it. */
static int read_token(struct credentials *c, const struct account *from, struct err *e)
{
    struct text *t = &c->token;

    if (read_part(t, &from->token, e))
        return -1;
    while (t->len && strchr(" \t\r\n", t->s[t->len - 1]))
        t->s[--t->len] = '\0';
    if (!t->len && from->token.file)
        return err_set(e, ERR_INVALID, "%s: the file holds no token", from->token.file);
    return 0;
}

/* All or nothing: c is empty after a failure. */
static int credentials_read(struct credentials *c, const struct account *from, struct err *e)
{
    *c = (struct credentials){0};
    if (read_authority(c, from, e) || read_part(&c->certificate, &from->certificate, e) ||
        read_part(&c->key, &from->key, e) || read_token(c, from, e)) {
        credentials_release(c);
        return -1;
    }
    return 0;
}

/* ---- handing out ---- */

static void on_answer(evutil_socket_t fd, short what, void *arg)
{
    struct access *a = arg;
    struct access_wait *w;
    size_t n = 0;

    (void)fd, (void)what;
    TAILQ_FOREACH (w, &a->waits, link)
        n++;
    /* Those who ask again while they are told wait for the next turn. */
    while (n-- && (w = TAILQ_FIRST(&a->waits))) {
        TAILQ_REMOVE(&a->waits, w, link);
        w->on_access(w->arg, a->why.code == ERR_NONE ? NULL : &a->why);
    }
}

static void use(struct access *a, const struct credentials *c, int64_t fresh_until)
{
    credentials_release(&a->now);
    a->now = *c;
    a->fresh_until = fresh_until;
    a->version++;
}

/* What was read before stays in use when the files cannot be read now. */
static void refresh_files(struct access *a)
{
    struct credentials c;
    struct err e;

    if (credentials_read(&c, &a->account, &e) == 0) {
        use(a, &c, clock_mono_ms() + FRESH_MS);
        return;
    }
    log_line(LOG_WARN, "the credentials for the API server cannot be read again", "why", e.msg, NULL);
    a->fresh_until = clock_mono_ms() + PAUSE_MS;
}

static int take_credential(struct access *a, const struct exec_credential *made, struct err *e)
{
    struct credentials c;

    if (made->expires_at && made->expires_at <= clock_wall_ms())
        return err_set(e, ERR_INVALID, "exec plugin '%s' gave credentials that have expired",
                       a->account.plugin->argv[0]);
    if (credentials_read(&c, &a->account, e))
        return -1;
    text_add(&c.token, made->token ? made->token : "");
    text_add(&c.certificate, made->certificate ? made->certificate : "");
    text_add(&c.key, made->key ? made->key : "");
    use(a, &c, made->expires_at ? made->expires_at - EARLY_MS : INT64_MAX);
    return 0;
}

static void on_credential(void *arg, struct exec_credential *c, const struct err *e)
{
    struct access *a = arg;

    a->why = *e;
    if (!c || take_credential(a, c, &a->why))
        a->retry_at = clock_mono_ms() + PAUSE_MS;
    plugin_free(a->plugin);
    a->plugin = NULL;
    timer_set(a->answer, 0);
}

static void run_plugin(struct access *a)
{
    if (a->plugin || clock_mono_ms() < a->retry_at)
        return;
    a->why = (struct err){0};
    a->plugin = plugin_start(a->reaper, &a->account, on_credential, a, &a->why);
    if (!a->plugin)
        a->retry_at = clock_mono_ms() + PAUSE_MS;
}

static bool is_fresh(const struct access *a)
{
    return (a->account.plugin ? clock_wall_ms() : clock_mono_ms()) < a->fresh_until &&
           a->why.code == ERR_NONE;
}

void access_ask(struct access *a, struct access_wait *w)
{
    TAILQ_INSERT_TAIL(&a->waits, w, link);
    if (!is_fresh(a)) {
        if (a->account.plugin)
            run_plugin(a);
        else
            refresh_files(a);
    }
    if (!a->plugin)
        timer_set(a->answer, 0);
}

void access_forget(struct access *a, struct access_wait *w)
{
    TAILQ_REMOVE(&a->waits, w, link);
}

void access_reject(struct access *a, unsigned version)
{
    if (version == a->version)
        a->fresh_until = 0;
}

void access_doubt(struct access *a, unsigned version)
{
    if (!a->account.plugin)
        access_reject(a, version);
}

/* ---- where it is all from ---- */

static int open_kubeconfig(struct access *a, const struct access_options *options, struct err *e)
{
    const char *home = getenv("HOME"), *named = getenv("KUBECONFIG");
    char *usual = xasprintf("%s/.kube/config", home ? home : "");
    const char *files = options->kubeconfig ? options->kubeconfig : named && *named ? named : usual;
    int status = account_of_kubeconfig(&a->account, files, options->context, e);

    free(usual);
    return status;
}

static int open_account(struct access *a, const struct access_options *options, struct err *e)
{
    const char *dir = options->service_account_dir ? options->service_account_dir : POD_DIR;
    const char *host = getenv("KUBERNETES_SERVICE_HOST");

    if (!options->kubeconfig && !options->context && host && *host)
        return account_of_pod(&a->account, dir, e);
    return open_kubeconfig(a, options, e);
}

struct access *access_new(struct reaper *reaper, const struct access_options *options, struct err *e)
{
    struct access *a = xcalloc(1, sizeof *a);

    a->reaper = reaper;
    a->answer = evtimer_new(reaper_base_get(reaper), on_answer, a);
    TAILQ_INIT(&a->waits);
    if (open_account(a, options, e) || credentials_read(&a->now, &a->account, e)) {
        access_free(a);
        return NULL;
    }
    if (!a->account.plugin)
        a->fresh_until = clock_mono_ms() + FRESH_MS;
    if (a->account.insecure)
        log_line(LOG_WARN, "the certificate of the API server is not verified: insecure-skip-tls-verify",
                 "server", a->account.server, "kubeconfig", a->account.source, NULL);
    return a;
}

void access_free(struct access *a)
{
    if (!a)
        return;
    plugin_free(a->plugin);
    event_free(a->answer);
    account_release(&a->account);
    credentials_release(&a->now);
    free(a);
}

const char *access_server_get(const struct access *a)
{
    return a->account.server;
}

const char *access_namespace_get(const struct access *a)
{
    return a->account.namespace ? a->account.namespace : "default";
}

char *access_identity_print(const struct access *a)
{
    const struct account *from = &a->account;

    if (from->plugin)
        return xasprintf("%s, by exec plugin '%s'", from->who, from->plugin->argv[0]);
    if (from->token.file)
        return xasprintf("%s, by the token in %s", from->who, from->token.file);
    return xasprintf("%s, %s", from->who,
                     a->now.token.len         ? "by a token"
                     : a->now.certificate.len ? "by a client certificate"
                                              : "without credentials");
}

static struct http_bytes bytes_of(const struct text *t)
{
    return t->len ? (struct http_bytes){t->s, t->len} : (struct http_bytes){0};
}

struct http_options access_options_get(const struct access *a)
{
    return (struct http_options){
        .url = a->account.server,
        .server_name = a->account.server_name,
        .proxy = a->account.proxy,
        .insecure = a->account.insecure,
        .ca = bytes_of(&a->now.ca),
        .certificate = bytes_of(&a->now.certificate),
        .key = bytes_of(&a->now.key),
        .token = a->now.token.len ? a->now.token.s : NULL,
    };
}

unsigned access_version_get(const struct access *a)
{
    return a->version;
}
