#include "kube/plugin.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/environment.h"
#include "base/file.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/process.h"
#include "base/reaper.h"
#include "base/timer.h"

#define DEADLINE_MS      60000
#define GRACE_MS         1000
#define OUTPUT_BYTES_MAX ((size_t)1 << 20)

struct plugin {
    const struct account *account;
    struct process *process;
    struct event *deadline;
    bool late;
    struct text output;
    plugin_fn *on_credential;
    void *arg;
};

static void on_output(void *arg, const char *bytes, size_t n)
{
    struct plugin *p = arg;

    if (p->output.len <= OUTPUT_BYTES_MAX)
        text_add_bytes(&p->output, bytes, n);
}

static int check_exit(const struct plugin *p, const struct process_exit *exit, struct err *e)
{
    const struct account_plugin *program = p->account->plugin;

    if (p->late)
        return err_set(e, ERR_UNAVAILABLE, "exec plugin '%s' did not end within %d s", program->argv[0],
                       DEADLINE_MS / 1000);
    if (exit->signaled || exit->code)
        return err_set(e, ERR_UNAVAILABLE, "exec plugin '%s' failed with %s %d", program->argv[0],
                       exit->signaled ? "signal" : "exit code", exit->code);
    if (p->output.len > OUTPUT_BYTES_MAX)
        return err_set(e, ERR_INVALID, "exec plugin '%s' printed more than %zu bytes", program->argv[0],
                       OUTPUT_BYTES_MAX);
    return 0;
}

static void on_exit_of(void *arg, const struct process_exit *exit)
{
    struct plugin *p = arg;
    struct exec_credential credential = {0};
    struct err e = {0};
    const struct account_plugin *program = p->account->plugin;
    int status = check_exit(p, exit, &e);

    if (!status &&
        exec_credential_parse(&credential, text_get(&p->output), p->output.len, program->api_version, &e))
        status = err_prefix(&e, "what exec plugin '%s' printed", program->argv[0]);
    p->on_credential(p->arg, status ? NULL : &credential, &e); /* may free p */
    exec_credential_release(&credential);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct plugin *p = arg;

    (void)fd, (void)what;
    p->late = true;
    process_end(p->process, GRACE_MS);
}

static void put_authority(struct text *t, const struct account *a)
{
    struct text data = {0}, encoded = {0};
    struct err e;

    if (a->ca.data)
        text_add_bytes(&data, a->ca.data, a->ca.len);
    else if (a->ca.file && file_read(&data, a->ca.file, ACCOUNT_FILE_BYTES_MAX, &e))
        text_clear(&data); /* access says so before anything is sent */
    if (data.len) {
        base64_add(&encoded, data.s, data.len);
        json_put_string_member(t, "certificate-authority-data", encoded.s);
    }
    text_release(&data);
    text_release(&encoded);
}

/* KUBERNETES_EXEC_INFO: what the plugin is asked. */
static char *question(const struct account *a)
{
    struct text t = {0};

    json_put_open(&t, '{');
    json_put_string_member(&t, "apiVersion", a->plugin->api_version);
    json_put_string_member(&t, "kind", "ExecCredential");
    json_put_key(&t, "spec");
    json_put_open(&t, '{');
    json_put_key(&t, "interactive");
    json_put_bool(&t, false);
    if (a->plugin->cluster_info) {
        json_put_key(&t, "cluster");
        json_put_open(&t, '{');
        json_put_string_member(&t, "server", a->server);
        json_put_string_member(&t, "tls-server-name", a->server_name);
        json_put_string_member(&t, "proxy-url", a->proxy);
        json_put_key(&t, "insecure-skip-tls-verify");
        json_put_bool(&t, a->insecure);
        put_authority(&t, a);
        json_put_close(&t, '}');
    }
    json_put_close(&t, '}');
    json_put_close(&t, '}');
    return t.s;
}

static void environment_of(struct environment *env, const struct account *a)
{
    char *info = question(a);

    environment_init(env, environ);
    for (char **variable = a->plugin->env; variable && *variable; variable++) {
        char *name = xstrdup(*variable), *value = strchr(name, '=');
        *value++ = '\0';
        environment_set(env, name, value);
        free(name);
    }
    environment_set(env, "KUBERNETES_EXEC_INFO", info);
    free(info);
}

struct plugin *plugin_start(struct reaper *reaper, const struct account *a, plugin_fn *on_credential,
                            void *arg, struct err *e)
{
    struct plugin *p = xcalloc(1, sizeof *p);
    struct environment env;

    *p = (struct plugin){.account = a, .on_credential = on_credential, .arg = arg};
    environment_of(&env, a);
    p->process = process_start(reaper,
                               &(struct process_options){.argv = a->plugin->argv,
                                                         .envp = env.vars,
                                                         .die_with_parent = true,
                                                         .errors_apart = true,
                                                         .on_output = on_output,
                                                         .on_exit = on_exit_of,
                                                         .arg = p},
                               e);
    environment_release(&env);
    if (!p->process) {
        free(p);
        err_prefix(e, "exec plugin (%s)", a->plugin->hint ? a->plugin->hint : "its installHint says nothing");
        return NULL;
    }
    p->deadline = evtimer_new(reaper_base_get(reaper), on_deadline, p);
    timer_set(p->deadline, DEADLINE_MS);
    return p;
}

void plugin_free(struct plugin *p)
{
    if (!p)
        return;
    process_free(p->process);
    event_free(p->deadline);
    text_release(&p->output);
    free(p);
}
