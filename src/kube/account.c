#include "kube/account.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

/* "::1" is written "[::1]" in a URL. */
static char *server_url(const char *host, const char *port)
{
    return xasprintf(strchr(host, ':') ? "https://[%s]:%s" : "https://%s:%s", host, port);
}

static int read_namespace(struct account *a, const char *dir, struct err *e)
{
    char *file = xasprintf("%s/namespace", dir);
    struct text t = {0};
    int status = file_read(&t, file, 1024, e);

    if (!status)
        a->namespace = xasprintf("%.*s", (int)strcspn(text_get(&t), " \r\n"), text_get(&t));
    text_release(&t);
    free(file);
    return status;
}

int account_of_pod(struct account *a, const char *dir, struct err *e)
{
    const char *host = getenv("KUBERNETES_SERVICE_HOST"), *port = getenv("KUBERNETES_SERVICE_PORT");

    *a = (struct account){0};
    if (!host || !port || !*host || !*port)
        return err_set(e, ERR_INVALID, "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set");
    if (read_namespace(a, dir, e))
        return -1;
    a->who = xstrdup("the service account of this pod");
    a->server = server_url(host, port);
    a->ca.file = xasprintf("%s/ca.crt", dir);
    a->token.file = xasprintf("%s/token", dir);
    return 0;
}

static void part_release(struct account_part *part)
{
    if (part->data)
        explicit_bzero(part->data, part->len);
    free(part->data);
    free(part->file);
}

static void list_free(char **list)
{
    for (char **s = list; s && *s; s++)
        free(*s);
    free(list);
}

static void plugin_free(struct account_plugin *p)
{
    if (!p)
        return;
    list_free(p->argv);
    list_free(p->env);
    free(p->api_version);
    free(p->hint);
    free(p);
}

void account_release(struct account *a)
{
    part_release(&a->ca);
    part_release(&a->certificate);
    part_release(&a->key);
    part_release(&a->token);
    plugin_free(a->plugin);
    free(a->source);
    free(a->who);
    free(a->server);
    free(a->server_name);
    free(a->proxy);
    free(a->namespace);
    *a = (struct account){0};
}
