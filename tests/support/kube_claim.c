#include "support/kube_claim.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "support/kube_client.h"
#include "support/kube_files.h"
#include "support/kube_json.h"

#define READY_TIMEOUT_MS 60000

static _Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, "tests/support/kube_claim: %s: %s\n", what, why ? why : "no answer");
    exit(1);
}

/* body is taken over. */
static cJSON *make(const char *cluster, const char *path, cJSON *body)
{
    char *text = cJSON_PrintUnformatted(body);
    struct kube_response r =
        kube_ask(cluster, &(struct kube_request){.method = "POST", .path = path, .body = text});

    if (r.status != 201 || !r.json)
        die(path, r.text);
    cJSON *made = r.json;
    r.json = NULL;
    kube_response_release(&r);
    cJSON_Delete(body);
    free(text);
    return made;
}

static void make_in(const char *cluster, const char *ns, const char *api, const char *kind, cJSON *body)
{
    char *path = xasprintf("%s/namespaces/%s/%s", api, ns, kind);

    cJSON_Delete(make(cluster, path, body));
    free(path);
}

static bool has_secret(const char *cluster, const char *path)
{
    struct kube_response r = kube_ask(cluster, &(struct kube_request){.method = "GET", .path = path});
    bool has = r.status == 200 && kube_first(kube_at(r.json, "secrets"));

    kube_response_release(&r);
    return has;
}

/* No pod is admitted before its account has a token. */
static void await_account(const char *cluster, const char *ns, const char *name)
{
    char *path = xasprintf("/api/v1/namespaces/%s/serviceaccounts/%s", ns, name);

    for (int64_t end_at = clock_mono_ms() + READY_TIMEOUT_MS; !has_secret(cluster, path);) {
        if (clock_mono_ms() > end_at)
            die(path, "it gets no token");
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    free(path);
}

static void make_accounts(const char *cluster, const char *ns)
{
    static const char rbac[] = "/apis/rbac.authorization.k8s.io/v1";

    make_in(cluster, ns, "/api/v1", "serviceaccounts", kube_json("{'metadata':{'name':'rivers'}}"));
    make_in(cluster, ns, "/api/v1", "serviceaccounts", kube_json("{'metadata':{'name':'rivers-executor'}}"));
    make_in(cluster, ns, rbac, "roles",
            kube_json("{'metadata':{'name':'rivers'},'rules':["
                      "{'apiGroups':['batch'],'resources':['jobs'],"
                      "'verbs':['create','get','list','watch','delete']},"
                      "{'apiGroups':[''],'resources':['pods'],'verbs':['list','watch','delete']},"
                      "{'apiGroups':[''],'resources':['pods/log'],'verbs':['get']}]}"));
    make_in(
        cluster, ns, rbac, "rolebindings",
        kube_json("{'metadata':{'name':'rivers'},'roleRef':{'apiGroup':'rbac.authorization.k8s.io','kind':"
                  "'Role','name':'rivers'},'subjects':[{'kind':'ServiceAccount','name':'rivers',"
                  "'namespace':%s},{'kind':'ServiceAccount','name':'rivers-executor','namespace':%s}]}",
                  ns, ns));
    await_account(cluster, ns, "default");
    await_account(cluster, ns, "rivers-executor");
}

char *kube_claim(const char *cluster, int logs_port)
{
    cJSON *made = make(cluster, "/api/v1/namespaces", kube_json("{'metadata':{'generateName':'test-'}}"));
    char *ns = xstrdup(kube_text_at(made, "metadata.name"));

    cJSON_Delete(made);
    cJSON_Delete(make(cluster, "/api/v1/nodes",
                      kube_json("{'metadata':{'name':%s},'status':{'addresses':[{'type':'InternalIP',"
                                "'address':'127.0.0.1'}],'daemonEndpoints':{'kubeletEndpoint':{'Port':%d}}}}",
                                ns, logs_port)));
    make_accounts(cluster, ns);
    return ns;
}

/* --- files --- */

static char *read_file(const char *dir, const char *name)
{
    char *path = xasprintf("%s/%s", dir, name), bytes[8192];
    FILE *in = fopen(path, "re");
    size_t n = in ? fread(bytes, 1, sizeof bytes - 1, in) : 0;

    if (!n)
        die(path, "cannot be read");
    fclose(in);
    free(path);
    bytes[bytes[n - 1] == '\n' ? n - 1 : n] = '\0';
    return xstrdup(bytes);
}

int kube_claim_port(const char *cluster)
{
    char *url = read_file(cluster, "url");
    int port = (int)strtol(strrchr(url, ':') + 1, NULL, 10);

    free(url);
    return port;
}

static cJSON *kubeconfig_of(const char *url, const char *cluster, const char *ns, const char *token)
{
    char *ca = xasprintf("%s/ca.crt", cluster);
    cJSON *config =
        kube_json("{'apiVersion':'v1','kind':'Config','current-context':'rivers','clusters':[{'name':'real',"
                  "'cluster':{'server':%s,'certificate-authority':%s}}],'users':[{'name':'rivers','user':{"
                  "'token':%s}}],'contexts':[{'name':'rivers','context':{'cluster':'real','user':'rivers',"
                  "'namespace':%s}}]}",
                  url, ca, token, ns);

    free(ca);
    return config;
}

void kube_claim_files(const char *cluster, const char *ns, const char *dir)
{
    char *path = xasprintf("/api/v1/namespaces/%s/serviceaccounts/rivers/token", ns);
    char *url = read_file(cluster, "url"), *ca = read_file(cluster, "ca.crt"),
         *admin = read_file(cluster, "token"), *account = xasprintf("%s/sa", dir);
    cJSON *made =
        make(cluster, path,
             kube_json("{'apiVersion':'authentication.k8s.io/v1','kind':'TokenRequest','spec':{}}"));
    const char *token = kube_text_at(made, "status.token");
    cJSON *config = kubeconfig_of(url, cluster, ns, token);
    char *text = cJSON_PrintUnformatted(config);

    mkdir(account, 0755);
    kube_file_write(account, "token", token);
    kube_file_write(account, "ca.crt", ca);
    kube_file_write(account, "namespace", ns);
    kube_file_write(dir, "token", admin);
    kube_file_write(dir, "ca.crt", ca);
    kube_file_write(dir, "kubeconfig", text);
    kube_file_write(dir, "url", url); /* the last: all is there */
    cJSON_Delete(config);
    cJSON_Delete(made);
    char *owned[] = {path, url, ca, admin, account, text};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
}
