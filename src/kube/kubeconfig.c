/* The kubeconfig half of account. */
#include "kube/account.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "kube/yaml.h"

#define FILES_MAX 16
#define COUNT(a)  (sizeof(a) / sizeof *(a))

struct file {
    char *path;
    cJSON *tree;
};

struct files {
    struct file file[FILES_MAX];
    size_t n;
};

/* A named entry: clusters[1] and what it holds under "cluster". */
struct entry {
    const char *path; /* of its file */
    const char *list; /* "clusters" */
    const char *what; /* "cluster" */
    int index;
    const cJSON *value;
};

struct context {
    char *cluster, *user, *namespace;
};

/* ---- members: what is null counts as not there ---- */

static int read_flag(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    return cJSON_IsNull(v) ? 0 : json_bool(v, at, into, e);
}

static int read_part_file(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    struct account_part *part = into;

    return json_optional_text(v, at, &part->file, e);
}

static int read_part_text(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    struct account_part *part = into;
    int status = json_optional_text(v, at, &part->data, e);

    part->len = part->data ? strlen(part->data) : 0;
    return status;
}

static int read_part_base64(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    struct account_part *part = into;
    const char *s;

    if (cJSON_IsNull(v))
        return 0;
    if (json_string(v, at, &s, e))
        return -1;
    if (*s && !(part->data = base64_decode(s, &part->len)))
        return json_fault(e, at, "is not base64");
    return 0;
}

static int refuse(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    (void)into;
    if (cJSON_IsNull(v))
        return 0;
    return json_fault(e, at, "is not supported: use a token, tokenFile, client certificate or exec plugin");
}

static int read_words(const cJSON *v, const struct json_path *at, char **words, struct err *e)
{
    struct json_path below = {at, NULL, 0};
    const char *s;

    if (cJSON_IsNull(v))
        return 0;
    if (!cJSON_IsArray(v))
        return json_fault(e, at, "must be a list");
    for (const cJSON *item = v->child; item; item = item->next, below.index++) {
        if (json_string(item, &below, &s, e))
            return -1;
        *words++ = xstrdup(s);
    }
    return 0;
}

struct variable {
    char *name, *value;
};

static int read_variable(const cJSON *v, const struct json_path *at, char **out, struct err *e)
{
    static const struct json_member members[] = {
        {"name", json_optional_text, offsetof(struct variable, name), true},
        {"value", json_optional_text, offsetof(struct variable, value), false},
    };
    struct variable variable = {0};
    int status = json_object(v, at, members, COUNT(members), &variable, e);

    if (!status && (!variable.name || strchr(variable.name, '=')))
        status = json_fault(e, at, "name: is not the name of a variable");
    if (!status)
        *out = xasprintf("%s=%s", variable.name, variable.value ? variable.value : "");
    free(variable.name);
    free(variable.value);
    return status;
}

static int read_env(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    struct account_plugin *p = into;
    struct json_path below = {at, NULL, 0};

    if (cJSON_IsNull(v))
        return 0;
    if (!cJSON_IsArray(v))
        return json_fault(e, at, "must be a list");
    p->env = xcalloc((size_t)cJSON_GetArraySize(v) + 1, sizeof *p->env);
    for (const cJSON *item = v->child; item; item = item->next, below.index++)
        if (read_variable(item, &below, &p->env[below.index], e))
            return -1;
    return 0;
}

static int read_args(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    struct account_plugin *p = into;
    char *command = p->argv[0];

    p->argv = xrealloc(p->argv, ((size_t)cJSON_GetArraySize(v) + 2) * sizeof *p->argv);
    memset(p->argv, 0, ((size_t)cJSON_GetArraySize(v) + 2) * sizeof *p->argv);
    p->argv[0] = command;
    return read_words(v, at, p->argv + 1, e);
}

static int read_command(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    struct account_plugin *p = into;

    p->argv = xcalloc(2, sizeof *p->argv);
    if (json_optional_text(v, at, &p->argv[0], e))
        return -1;
    return p->argv[0] ? 0 : json_fault(e, at, "is required");
}

static int read_api_version(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    struct account_plugin *p = into;

    if (json_optional_text(v, at, &p->api_version, e))
        return -1;
    if (p->api_version && (!strcmp(p->api_version, "client.authentication.k8s.io/v1") ||
                           !strcmp(p->api_version, "client.authentication.k8s.io/v1beta1")))
        return 0;
    return json_fault(e, at,
                      "must be client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1");
}

static int read_interactive_mode(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    const char *s;

    (void)into;
    if (cJSON_IsNull(v))
        return 0;
    if (json_string(v, at, &s, e))
        return -1;
    if (!strcmp(s, "Always"))
        return json_fault(e, at, "is not supported: 'Always' needs a terminal");
    return 0;
}

/* command comes before args: they share an argv. */
static int read_exec(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    static const struct json_member members[] = {
        {"apiVersion", read_api_version, 0, true},
        {"command", read_command, 0, true},
        {"args", read_args, 0, false},
        {"env", read_env, 0, false},
        {"installHint", json_optional_text, offsetof(struct account_plugin, hint), false},
        {"interactiveMode", read_interactive_mode, 0, false},
        {"provideClusterInfo", read_flag, offsetof(struct account_plugin, cluster_info), false},
    };
    struct account_plugin **plugin = into;

    if (cJSON_IsNull(v))
        return 0;
    *plugin = xcalloc(1, sizeof **plugin);
    return json_object(v, at, members, COUNT(members), *plugin, e);
}

static const struct json_member context_members[] = {
    {"cluster", json_optional_text, offsetof(struct context, cluster), true},
    {"user", json_optional_text, offsetof(struct context, user), false},
    {"namespace", json_optional_text, offsetof(struct context, namespace), false},
    {"extensions", NULL, 0, false},
};

static const struct json_member cluster_members[] = {
    {"server", json_optional_text, offsetof(struct account, server), true},
    {"tls-server-name", json_optional_text, offsetof(struct account, server_name), false},
    {"insecure-skip-tls-verify", read_flag, offsetof(struct account, insecure), false},
    {"certificate-authority", read_part_file, offsetof(struct account, ca), false},
    {"certificate-authority-data", read_part_base64, offsetof(struct account, ca), false},
    {"proxy-url", json_optional_text, offsetof(struct account, proxy), false},
    {"disable-compression", NULL, 0, false},
    {"extensions", NULL, 0, false},
};

static const struct json_member user_members[] = {
    {"client-certificate", read_part_file, offsetof(struct account, certificate), false},
    {"client-certificate-data", read_part_base64, offsetof(struct account, certificate), false},
    {"client-key", read_part_file, offsetof(struct account, key), false},
    {"client-key-data", read_part_base64, offsetof(struct account, key), false},
    {"token", read_part_text, offsetof(struct account, token), false},
    {"tokenFile", read_part_file, offsetof(struct account, token), false},
    {"exec", read_exec, offsetof(struct account, plugin), false},
    {"extensions", NULL, 0, false},
    {"auth-provider", refuse, 0, false},
    {"username", refuse, 0, false},
    {"password", refuse, 0, false},
    {"as", refuse, 0, false},
    {"as-uid", refuse, 0, false},
    {"as-groups", refuse, 0, false},
    {"as-user-extra", refuse, 0, false},
};

/* ---- finding entries in files ---- */

static int file_fault(struct err *e, const char *path)
{
    err_prefix(e, "%s", path);
    return -1;
}

/* The entry of that name, passed over while it is not there; -1 when the list is none. */
static int find_in_file(struct entry *found, const struct file *f, const char *name, struct err *e)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(f->tree, found->list);
    struct json_path at = {NULL, found->list, 0}, below = {&at, NULL, 0};

    if (!list || cJSON_IsNull(list))
        return 0;
    if (!cJSON_IsArray(list))
        return json_fault(e, &at, "must be a list"), file_fault(e, f->path);
    for (const cJSON *item = list->child; item && !found->value; item = item->next, below.index++) {
        const char *its = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "name"));
        if (!its)
            return json_fault(e, &below, "must be an object with a name"), file_fault(e, f->path);
        if (strcmp(its, name) != 0)
            continue;
        found->value = cJSON_GetObjectItemCaseSensitive(item, found->what);
        found->index = below.index;
        found->path = f->path;
        if (!found->value)
            return json_fault(e, &below, "has no %s", found->what), file_fault(e, f->path);
    }
    return 0;
}

/* Reads the entry of that name into `into`. */
static int read_entry(struct entry *found, const struct files *fs, const char *name,
                      const struct json_member *members, size_t n, void *into, struct err *e)
{
    for (size_t i = 0; i < fs->n && !found->value; i++)
        if (find_in_file(found, &fs->file[i], name, e))
            return -1;
    if (!found->value) {
        err_set(e, ERR_INVALID, "%s: there is no '%s'", found->list, name);
        return file_fault(e, fs->file[0].path);
    }
    struct json_path list = {NULL, found->list, 0}, item = {&list, NULL, found->index},
                     at = {&item, found->what, 0};
    return json_object(found->value, &at, members, n, into, e) ? file_fault(e, found->path) : 0;
}

/* A path in a kubeconfig is relative to the file. */
static void resolve(char **path, const char *file)
{
    const char *slash = strrchr(file, '/');

    if (!*path || **path == '/' || !slash)
        return;
    char *whole = xasprintf("%.*s/%s", (int)(slash - file), file, *path);
    free(*path);
    *path = whole;
}

static void drop(char **text)
{
    free(*text);
    *text = NULL;
}

static int read_cluster(struct account *a, const struct files *fs, const char *name, struct err *e)
{
    struct entry found = {.list = "clusters", .what = "cluster"};

    if (read_entry(&found, fs, name, cluster_members, COUNT(cluster_members), a, e))
        return -1;
    a->source = xstrdup(found.path);
    resolve(&a->ca.file, found.path);
    if (a->ca.data)
        drop(&a->ca.file);
    if (!a->server)
        err_set(e, ERR_INVALID, "clusters[%d].cluster.server: is required", found.index);
    else if (a->insecure && (a->ca.data || a->ca.file))
        err_set(
            e, ERR_INVALID,
            "clusters[%d].cluster: insecure-skip-tls-verify and a certificate authority exclude each other",
            found.index);
    else
        return 0;
    return file_fault(e, found.path);
}

/* As kubectl does it: data outranks a file, a tokenFile the token; a command with a "/" is relative to the file. */
static void settle_user(struct account *a, const char *file)
{
    resolve(&a->certificate.file, file);
    resolve(&a->key.file, file);
    resolve(&a->token.file, file);
    if (a->certificate.data)
        drop(&a->certificate.file);
    if (a->key.data)
        drop(&a->key.file);
    if (a->token.file)
        drop(&a->token.data);
    if (a->plugin && strchr(a->plugin->argv[0], '/'))
        resolve(&a->plugin->argv[0], file);
}

static bool is_given(const struct account_part *part)
{
    return part->data || part->file;
}

static int read_user(struct account *a, const struct files *fs, const char *name, struct err *e)
{
    struct entry found = {.list = "users", .what = "user"};

    if (read_entry(&found, fs, name, user_members, COUNT(user_members), a, e))
        return -1;
    settle_user(a, found.path);
    if (is_given(&a->certificate) != is_given(&a->key))
        err_set(e, ERR_INVALID, "users[%d].user: a client certificate and its key belong together",
                found.index);
    else if (a->plugin && (is_given(&a->token) || is_given(&a->certificate)))
        err_set(e, ERR_INVALID, "users[%d].user: an exec plugin excludes a token and a client certificate",
                found.index);
    else
        return 0;
    return file_fault(e, found.path);
}

static const char *current_context(const struct files *fs)
{
    for (size_t i = 0; i < fs->n; i++) {
        const char *s =
            cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(fs->file[i].tree, "current-context"));
        if (s && *s)
            return s;
    }
    return NULL;
}

static int read_context(struct account *a, const struct files *fs, const char *name, struct err *e)
{
    struct entry found = {.list = "contexts", .what = "context"};
    struct context c = {0};
    int status = read_entry(&found, fs, name, context_members, COUNT(context_members), &c, e);

    if (!status && !c.cluster) {
        err_set(e, ERR_INVALID, "contexts[%d].context.cluster: is required", found.index);
        status = file_fault(e, found.path);
    }
    if (!status)
        status = read_cluster(a, fs, c.cluster, e);
    if (!status && c.user)
        status = read_user(a, fs, c.user, e);
    a->namespace = c.namespace;
    a->who = c.user ? xasprintf("user '%s' of context '%s'", c.user, name)
                    : xasprintf("context '%s' without a user", name);
    free(c.cluster);
    free(c.user);
    return status;
}

/* ---- the files ---- */

static int files_add(struct files *fs, const char *path, struct err *e)
{
    struct text t = {0};
    cJSON *tree = NULL;

    if (file_read(&t, path, ACCOUNT_FILE_BYTES_MAX, e))
        goto out;
    if (!(tree = yaml_parse(text_get(&t), t.len, e))) {
        file_fault(e, path);
    } else if (!cJSON_IsObject(tree)) {
        cJSON_Delete(tree);
        tree = NULL;
        err_set(e, ERR_INVALID, "%s: is not a kubeconfig", path);
    } else {
        fs->file[fs->n++] = (struct file){xstrdup(path), tree};
    }
out:
    text_release(&t);
    return tree ? 0 : -1;
}

/* A file that is missing is passed over when another one is there. */
static int files_read(struct files *fs, const char *paths, struct err *e)
{
    char *list = xstrdup(paths), *save;
    int status = 0;

    err_set(e, ERR_INVALID, "no kubeconfig is named");
    for (char *path = strtok_r(list, ":", &save); path && !status; path = strtok_r(NULL, ":", &save))
        if (fs->n == FILES_MAX)
            status = err_set(e, ERR_INVALID, "more than %d kubeconfig files", FILES_MAX);
        else if (files_add(fs, path, e))
            status = e->code == ERR_SYSTEM ? 0 : -1;
    free(list);
    return status || !fs->n ? -1 : 0;
}

static void files_release(struct files *fs)
{
    for (size_t i = 0; i < fs->n; i++) {
        free(fs->file[i].path);
        cJSON_Delete(fs->file[i].tree);
    }
}

int account_of_kubeconfig(struct account *a, const char *files, const char *context, struct err *e)
{
    struct files fs = {0};
    int status = files_read(&fs, files, e);

    *a = (struct account){0};
    if (!status && !context && !(context = current_context(&fs)))
        status = err_set(e, ERR_INVALID, "%s: current-context: is not set, and no context was named",
                         fs.file[0].path);
    if (!status)
        status = read_context(a, &fs, context, e);
    files_release(&fs);
    if (status)
        account_release(a);
    return status;
}
