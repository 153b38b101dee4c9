/*
 * kubernetes: a fake Kubernetes API server with a Job controller and, with --node, a node that runs pods as processes.
 * It serves HTTPS on a free port of 127.0.0.1 and writes what clients need into DIR: `kubeconfig`, `url`, `token`,
 * `ca.crt`, `client.crt`, `client.key` (tests/support/kube_files.h); `url` is the last, so when it is there the server
 * answers. It ends, and with it all that its node started, when its stdin ends, on SIGTERM, or when its parent dies.
 *
 *     kubernetes [options] DIR
 *         --node                    run pods (tests/support/kube_node.h: images that make faults)
 *         --secret NAME/KEY=VALUE   what secretKeyRef finds; several times
 *         --pass-env NAME           containers get this variable of ours; several times
 *         --namespace NAME          exists, beside "default"; several times; the first is that of the contexts and the
 *                                   service account
 *         --service-account DIR     also writes token, ca.crt and namespace there
 *         --powerless TOKEN=USER    a user who may do nothing; several times
 *         --schema FILE             checks Jobs against this OpenAPI document instead of the fields built in; also by
 *                                   RIVERS_JOB_SCHEMA
 *         --drop-unknown            drops fields of Jobs that are not known, as the real one does, and does not refuse
 *                                   them
 *         --bookmark-ms N           time between bookmarks; 60000
 *         --cluster CLUSTER         no server, but a namespace and a node of the real one that the directory CLUSTER tells of
 *                                   (tests/support/kube_claim.h)
 *
 *     kubernetes --ask DIR METHOD PATH [BODY]
 *         sends one request to the server of DIR with its token, prints the body; status 0 when it is 2xx. What tests do
 *         to the server: tests/support/kube_admin.h (POST /-/faults, GET /-/dump, ...).
 *
 *     From a shell: mkfifo in; kubernetes --node DIR <in & exec 3>in; it ends when the shell does.
 *
 * It is faithful to release 1.20: answers, reasons and messages, also where these are odd. What it leaves out: managed
 * fields, field validation beyond Jobs and metadata, other resources than pods, jobs, events, configmaps and secrets.
 */
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/options.h"
#include "base/reaper.h"
#include "support/kube_admin.h"
#include "support/kube_api.h"
#include "support/kube_claim.h"
#include "support/kube_client.h"
#include "support/kube_controller.h"
#include "support/kube_delete.h"
#include "support/kube_files.h"
#include "support/kube_log.h"
#include "support/kube_node.h"
#include "support/kube_remote.h"
#include "support/kube_status.h"

struct options {
    bool node, ask, drop_unknown;
    struct option_list secrets, pass_env, namespaces, powerless;
    const char *service_account, *schema, *cluster;
    int64_t bookmark_ms;
};

#define ROW(member) offsetof(struct options, member)

static const struct option_row rows[] = {
    {"node", 0, OPTION_SWITCH, NULL, "run pods as processes", ROW(node), 0, 0},
    {"secret", 0, OPTION_LIST, "NAME/KEY=VALUE", "what secretKeyRef finds", ROW(secrets), 0, 0},
    {"pass-env", 0, OPTION_LIST, "NAME", "containers get this variable of ours", ROW(pass_env), 0, 0},
    {"namespace", 0, OPTION_LIST, "NAME", "exists, beside default", ROW(namespaces), 0, 0},
    {"service-account", 0, OPTION_TEXT, "DIR", "also write token, ca.crt and namespace there",
     ROW(service_account), 0, 0},
    {"powerless", 0, OPTION_LIST, "TOKEN=USER", "a user who may do nothing", ROW(powerless), 0, 0},
    {"schema", 0, OPTION_TEXT, "FILE", "an OpenAPI document for Jobs", ROW(schema), 0, 0},
    {"drop-unknown", 0, OPTION_SWITCH, NULL, "drop unknown fields of Jobs", ROW(drop_unknown), 0, 0},
    {"bookmark-ms", 0, OPTION_WHOLE, "N", "time between bookmarks", ROW(bookmark_ms), 1, 3600000},
    {"cluster", 0, OPTION_TEXT, "DIR", "be a node of a real one", ROW(cluster), 0, 0},
    {"ask", 0, OPTION_SWITCH, NULL, "send a request: DIR METHOD PATH [BODY]", ROW(ask), 0, 0},
};

struct server {
    struct event_base *base;
    struct kube_http *http;
    struct kube_api api;
    struct kube_admin admin;
};

/* After the faults. */
static void on_call_again(void *arg, struct kube_call *call)
{
    struct server *s = arg;

    kube_api_serve(&s->api, call);
}

static void on_call(void *arg, struct kube_call *call)
{
    struct server *s = arg;

    if (kube_admin_serve(&s->admin, call))
        return;
    if (!kube_faults_apply(s->api.faults, call, on_call_again, s))
        kube_api_serve(&s->api, call);
}

static void on_stdin(int fd, short what, void *arg)
{
    char buf[4096];

    (void)what;
    if (read(fd, buf, sizeof buf) <= 0)
        event_base_loopbreak(arg);
}

static void on_signal(int sig, short what, void *arg)
{
    (void)sig, (void)what;
    event_base_loopbreak(arg);
}

/* Until stdin ends (a file or /dev/null is not waited for: epoll knows it not) or SIGTERM comes. */
static void serve(struct event_base *base)
{
    struct event *in = event_new(base, STDIN_FILENO, EV_READ | EV_PERSIST, on_stdin, base);
    struct event *term = evsignal_new(base, SIGTERM, on_signal, base);
    struct event *interrupt = evsignal_new(base, SIGINT, on_signal, base);

    if (event_add(in, NULL) < 0)
        fprintf(stderr, "kubernetes: stdin cannot be watched: ends on SIGTERM only\n");
    event_add(term, NULL);
    event_add(interrupt, NULL);
    event_base_dispatch(base);
    event_free(in);
    event_free(term);
    event_free(interrupt);
}

static int run(const struct options *o, const char *dir)
{
    const char *schema = o->schema ? o->schema : getenv("RIVERS_JOB_SCHEMA");
    struct server s = {.base = event_base_new()};
    struct kube_tls *tls = kube_tls_new();
    struct kube_store *store = kube_store_new();
    struct kube_collector *collector = kube_collector_new(s.base, store);
    struct err e;
    struct reaper *reaper = reaper_new(s.base, true, &e);

    if (!reaper) {
        fprintf(stderr, "kubernetes: %s\n", e.msg);
        return 1;
    }
    s.http = kube_http_new(s.base, tls, on_call, &s);
    struct kube_container_options containers = {&o->secrets, &o->pass_env, kube_http_port_get(s.http),
                                                "test-node"};
    struct kube_files files = {dir, o->service_account, o->namespaces.n ? o->namespaces.items[0] : "default",
                               kube_http_port_get(s.http)};
    struct kube_schema *fields = schema && *schema ? kube_schema_read(schema) : kube_schema_builtin();
    struct kube_node *node = o->node ? kube_node_new(s.base, store, reaper, &containers) : NULL;
    struct kube_watches *watches = kube_watches_new(s.base, store, o->bookmark_ms);
    s.api = (struct kube_api){.store = store,
                              .watches = watches,
                              .users = kube_users_new(&o->powerless),
                              .faults = kube_faults_new(watches),
                              .node = node,
                              .schema = fields,
                              .namespaces = &o->namespaces,
                              .drop_unknown = o->drop_unknown,
                              .counters = cJSON_CreateObject()};
    s.admin = (struct kube_admin){&s.api, tls, kube_controller_new(s.base, store), &files};
    kube_files_write(&files, tls, kube_token_get(s.api.users));
    serve(s.base);

    if (node)
        kube_node_free(node);
    int status = reaper_kill_strays(reaper, &e) < 0;
    if (status)
        fprintf(stderr, "kubernetes: %s\n", e.msg);
    kube_http_free(s.http);
    kube_watches_free(watches);
    kube_controller_free(s.admin.controller);
    kube_collector_free(collector);
    kube_faults_free(s.api.faults);
    kube_users_free(s.api.users);
    kube_schema_free(fields);
    kube_store_free(store);
    kube_tls_free(tls);
    cJSON_Delete(s.api.counters);
    reaper_free(reaper);
    event_base_free(s.base);
    return status;
}

/* ---- a node of a real API server ---- */

struct kubelet {
    struct kube_store *store;
    struct kube_node *node;
};

/* /containerLogs/<namespace>/<pod>/<container> */
static void on_log_call(void *arg, struct kube_call *call)
{
    const struct kubelet *k = arg;
    char ns[64], name[256];
    const struct kube_object *pod = sscanf(call->path, "/containerLogs/%63[^/]/%255[^/]/", ns, name) == 2
                                        ? kube_store_find(k->store, &kube_pods, ns, name)
                                        : NULL;

    if (pod)
        kube_log_serve(k->node, pod, call);
    else
        kube_answer_text(call, 404, "no such pod");
}

static int run_for(const char *cluster, const struct options *o, const char *dir)
{
    struct event_base *base = event_base_new();
    struct kube_tls *tls = kube_tls_new();
    struct kubelet k = {.store = kube_store_new()};
    struct err e;
    struct reaper *reaper = reaper_new(base, true, &e);

    if (!reaper) {
        fprintf(stderr, "kubernetes: %s\n", e.msg);
        return 1;
    }
    struct kube_http *logs = kube_http_new(base, tls, on_log_call, &k);
    char *ns = kube_claim(cluster, kube_http_port_get(logs));
    struct kube_container_options containers = {&o->secrets, &o->pass_env, kube_claim_port(cluster), ns};
    k.node = kube_node_new(base, k.store, reaper, &containers);
    struct kube_remote *remote = kube_remote_new(reaper, cluster, ns, k.store);
    kube_claim_files(cluster, ns, dir);
    serve(base);

    kube_remote_free(remote);
    kube_node_free(k.node);
    int status = reaper_kill_strays(reaper, &e) < 0;
    if (status)
        fprintf(stderr, "kubernetes: %s\n", e.msg);
    kube_http_free(logs);
    kube_store_free(k.store);
    kube_tls_free(tls);
    free(ns);
    reaper_free(reaper);
    event_base_free(base);
    return status;
}

static int ask(const struct operands *words)
{
    struct kube_request q = {.method = words->words[1], .path = words->words[2]};

    if (words->n == 4)
        q.body = words->words[3];
    struct kube_response r = kube_ask(words->words[0], &q);
    printf("%s\n", r.text ? r.text : "");
    int status = r.status / 100 == 2 ? 0 : 1;
    if (status)
        fprintf(stderr, "kubernetes: status %d\n", r.status);
    kube_response_release(&r);
    return status;
}

int main(int argc, char **argv)
{
    struct options o = {.bookmark_ms = 60000};
    struct option_set set = {rows, sizeof rows / sizeof *rows, &o};
    struct operands words = {0};
    struct err e;
    pid_t parent = getppid();
    int status = 2;

    if (options_parse(&set, 1, OPTIONS_ALL, argc, argv, &words, &e) < 0) {
        fprintf(stderr, "kubernetes: %s\n", e.msg);
        options_release(&set);
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, (long)SIGTERM);
    signal(SIGPIPE, SIG_IGN);
    if (getppid() != parent)
        status = 1;
    else if (o.ask && (words.n == 3 || words.n == 4))
        status = ask(&words);
    else if (!o.ask && words.n == 1 && o.cluster)
        status = run_for(o.cluster, &o, words.words[0]);
    else if (!o.ask && words.n == 1)
        status = run(&o, words.words[0]);
    else
        fprintf(stderr, "usage: kubernetes [options] DIR | kubernetes --ask DIR METHOD PATH [BODY]\n");
    operands_release(&words);
    options_release(&set);
    return status;
}
