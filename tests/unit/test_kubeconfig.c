#include "kube/account.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

struct fixture {
    char dir[64];
    char *file, *second;
};

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    const char *tmp = getenv("TMPDIR");

    snprintf(f->dir, sizeof f->dir, "%s/kubeconfig-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(f->dir))
        return -1;
    f->file = xasprintf("%s/config", f->dir);
    f->second = xasprintf("%s/second", f->dir);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    unlink(f->file);
    unlink(f->second);
    rmdir(f->dir);
    free(f->file);
    free(f->second);
    free(f);
    return 0;
}

static void write_file(const char *path, const char *text, size_t n)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, n, file), n);
    fclose(file);
}

/* A kubeconfig with these members of the cluster, the user and the context. */
static char *config_of(const char *cluster, const char *user, const char *context)
{
    return xasprintf("apiVersion: v1\nkind: Config\ncurrent-context: here\n"
                     "contexts:\n- name: other\n  context: {cluster: none}\n"
                     "- name: here\n  context: {cluster: c, user: u%s}\n"
                     "clusters:\n- name: c\n  cluster: {%s}\n"
                     "users:\n- name: other\n  user: {auth-provider: {name: gcp}}\n- name: u\n  user: {%s}\n",
                     context, cluster, user);
}

static int read_config(struct fixture *f, struct account *a, const char *text, struct err *e)
{
    write_file(f->file, text, strlen(text));
    return account_of_kubeconfig(a, f->file, NULL, e);
}

static const char *or_none(const char *s)
{
    return s ? s : "-";
}

static void print_part(struct text *t, const char *name, const struct account_part *part, const char *dir)
{
    if (part->data)
        text_addf(t, " %s=%.*s", name, (int)part->len, part->data);
    if (part->file && !strncmp(part->file, dir, strlen(dir)))
        text_addf(t, " %s<DIR%s", name, part->file + strlen(dir));
    else if (part->file)
        text_addf(t, " %s<%s", name, part->file);
}

static void print_plugin(struct text *t, const struct account_plugin *p, const char *dir)
{
    if (!p)
        return;
    text_add(t, " exec");
    for (char **s = p->argv; *s; s++)
        text_addf(t, " %s%s", strncmp(*s, dir, strlen(dir)) ? "" : "DIR",
                  *s + (strncmp(*s, dir, strlen(dir)) ? 0 : strlen(dir)));
    for (char **s = p->env; s && *s; s++)
        text_addf(t, " %s", *s);
    text_addf(t, " %s %d", or_none(p->hint), p->cluster_info);
}

/* All that an account holds, in one line. */
static char *account_text(const struct account *a, const char *dir)
{
    struct text t = {0};

    text_addf(&t, "%s %s %s %s %d", a->server, or_none(a->server_name), or_none(a->proxy),
              or_none(a->namespace), a->insecure);
    print_part(&t, "ca", &a->ca, dir);
    print_part(&t, "certificate", &a->certificate, dir);
    print_part(&t, "key", &a->key, dir);
    print_part(&t, "token", &a->token, dir);
    print_plugin(&t, a->plugin, dir);
    return t.s;
}

#define V1 "apiVersion: client.authentication.k8s.io/v1"

static void test_accepted(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *cluster, *user, *context, *text;
    } rows[] = {
        {"server: 'https://a:6443'", "token: abc", "", "https://a:6443 - - - 0 token=abc"},
        {"server: https://a", "", ", namespace: prod", "https://a - - prod 0"},
        {"server: https://a, tls-server-name: b, proxy-url: 'http://p:1'", "", "",
         "https://a b http://p:1 - 0"},
        {"server: https://a, insecure-skip-tls-verify: true", "", "", "https://a - - - 1"},
        {"server: https://a, insecure-skip-tls-verify: false, certificate-authority: ca.crt", "", "",
         "https://a - - - 0 ca<DIR/ca.crt"},
        {"server: https://a, certificate-authority: /etc/ca.crt, certificate-authority-data: YWJj", "", "",
         "https://a - - - 0 ca=abc"},
        {"server: https://a, disable-compression: true, extensions: [{name: x, extension: {}}]", "", "",
         "https://a - - - 0"},
        {"server: https://a", "tokenFile: t, token: abc", "", "https://a - - - 0 token<DIR/t"},
        {"server: https://a", "token: 12345", "", "https://a - - - 0 token=12345"},
        {"server: https://a", "token: ''", "", "https://a - - - 0"},
        {"server: https://a", "token: null, username: , exec: ~", "", "https://a - - - 0"},
        {"server: https://a", "client-certificate: a/c.crt, client-key: /k", "",
         "https://a - - - 0 certificate<DIR/a/c.crt key</k"},
        {"server: https://a", "client-certificate-data: YQ==, client-key-data: 'Yg= ='", "",
         "https://a - - - 0 certificate=a key=b"},
        {"server: https://a", "exec: {" V1 ", command: aws}", "", "https://a - - - 0 exec aws - 0"},
        {"server: https://a",
         "exec: {args: [eks, 'get token'], command: aws, " V1 "beta1, env: [{name: A, value: b}, {name: C}], "
         "installHint: get it, provideClusterInfo: true, interactiveMode: IfAvailable}",
         "", "https://a - - - 0 exec aws eks get token A=b C= get it 1"},
        {"server: https://a", "exec: {" V1 ", command: ./bin/x, args: null, env: null}", "",
         "https://a - - - 0 exec DIR/./bin/x - 0"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char *config = config_of(rows[i].cluster, rows[i].user, rows[i].context);
        struct account a;
        struct err e = {0};
        int status = read_config(f, &a, config, &e);
        assert_string_equal(status ? e.msg : "", "");
        char *text = account_text(&a, f->dir);
        assert_string_equal(text, rows[i].text);
        assert_string_equal(a.source, f->file);
        account_release(&a);
        free(text);
        free(config);
    }
}

static void expect_fault(struct fixture *f, const char *config, const char *why)
{
    struct account a;
    struct err e = {0};

    assert_int_equal(read_config(f, &a, config, &e), -1);
    assert_memory_equal(e.msg, f->file, strlen(f->file));
    assert_string_equal(e.msg + strlen(f->file), why);
}

static void test_refused(void **state)
{
    struct fixture *f = *state;
#define INSTEAD "is not supported: use a token, tokenFile, client certificate or exec plugin"
    static const struct {
        const char *cluster, *user, *why;
    } rows[] = {
        {"", "", ": clusters[0].cluster.server: is required"},
        {"server: ", "", ": clusters[0].cluster.server: is required"},
        {"server: [a]", "", ": clusters[0].cluster.server: must be a string"},
        {"server: a, sever: b", "", ": clusters[0].cluster: unknown key 'sever', did you mean 'server'?"},
        {"server: a, insecure-skip-tls-verify: 'yes'", "",
         ": clusters[0].cluster.insecure-skip-tls-verify: must be true or false"},
        {"server: a, certificate-authority-data: '?'", "",
         ": clusters[0].cluster.certificate-authority-data: is not base64"},
        {"server: a, insecure-skip-tls-verify: true, certificate-authority: b", "",
         ": clusters[0].cluster: insecure-skip-tls-verify and a certificate authority exclude each other"},
        {"server: a", "auth-provider: {name: gcp}", ": users[1].user.auth-provider: " INSTEAD},
        {"server: a", "username: me, password: x", ": users[1].user.username: " INSTEAD},
        {"server: a", "as: somebody", ": users[1].user.as: " INSTEAD},
        {"server: a", "client-certificate: c",
         ": users[1].user: a client certificate and its key belong together"},
        {"server: a",
         "client-key-data: YQ==", ": users[1].user: a client certificate and its key belong together"},
        {"server: a", "token: x, exec: {" V1 ", command: y}",
         ": users[1].user: an exec plugin excludes a token and a client certificate"},
        {"server: a", "exec: {command: x}", ": users[1].user.exec.apiVersion: is required"},
        {"server: a", "exec: {" V1 "alpha1, command: x}",
         ": users[1].user.exec.apiVersion: must be client.authentication.k8s.io/v1 or "
         "client.authentication.k8s.io/v1beta1"},
        {"server: a", "exec: {" V1 "}", ": users[1].user.exec.command: is required"},
        {"server: a", "exec: {" V1 ", command: ''}", ": users[1].user.exec.command: is required"},
        {"server: a", "exec: {" V1 ", command: x, args: y}", ": users[1].user.exec.args: must be a list"},
        {"server: a", "exec: {" V1 ", command: x, args: [a, [b]]}",
         ": users[1].user.exec.args[1]: must be a string"},
        {"server: a", "exec: {" V1 ", command: x, env: [{name: 'A=B'}]}",
         ": users[1].user.exec.env[0]: name: is not the name of a variable"},
        {"server: a", "exec: {" V1 ", command: x, env: {A: b}}", ": users[1].user.exec.env: must be a list"},
        {"server: a", "exec: {" V1 ", command: x, interactiveMode: Always}",
         ": users[1].user.exec.interactiveMode: is not supported: 'Always' needs a terminal"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char *config = config_of(rows[i].cluster, rows[i].user, "");
        expect_fault(f, config, rows[i].why);
        free(config);
    }
}

static void test_faulty_files(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"", ": is not a kubeconfig"},
        {"[]", ": is not a kubeconfig"},
        {"a: b: c", ": line 1, column 5: mapping values are not allowed in this context"},
        {"a: 1\nb: 2\na: 3", ": line 3, column 1: a key that was given before"},
        {"[a]: 1", ": line 1, column 1: a key that is no text"},
        {"a: \"x\\0y\"", ": line 1, column 4: a NUL byte"},
        {"a: 1\n---\nb: 1", ": line 2, column 1: a second document"},
        {"{}", ": current-context: is not set, and no context was named"},
        {"current-context: a", ": contexts: there is no 'a'"},
        {"{current-context: a, contexts: 1}", ": contexts: must be a list"},
        {"{current-context: a, contexts: [b]}", ": contexts[0]: must be an object with a name"},
        {"{current-context: a, contexts: [{name: a}]}", ": contexts[0]: has no context"},
        {"{current-context: a, contexts: [{name: a, context: {}}]}",
         ": contexts[0].context.cluster: is required"},
        {"{current-context: a, contexts: [{name: a, context: {cluster: c}}]}", ": clusters: there is no 'c'"},
        {"{current-context: a, contexts: [{name: a, context: {cluster: c, user: u}}], "
         "clusters: [{name: c, cluster: {server: s}}]}",
         ": users: there is no 'u'"},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        expect_fault(f, rows[i].text, rows[i].why);
}

/* What an alias repeats counts each time, so a small file cannot become a big tree. */
static void test_bounds(void **state)
{
    struct fixture *f = *state;
    struct text t = {0};

    text_add(&t, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 9; i++)
        text_addf(&t, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i, i - 1, i - 1, i - 1,
                  i - 1, i - 1, i - 1, i - 1);
    struct account a;
    struct err e = {0};
    assert_int_equal(read_config(f, &a, t.s, &e), -1);
    assert_non_null(strstr(e.msg, "too many values"));
    text_clear(&t);
    for (int i = 0; i < 100; i++)
        text_add(&t, "[");
    assert_int_equal(read_config(f, &a, t.s, &e), -1);
    text_clear(&t);
    for (int i = 0; i < 100; i++)
        text_add(&t, "{a: ");
    text_add(&t, "b");
    for (int i = 0; i < 100; i++)
        text_add(&t, "}");
    assert_int_equal(read_config(f, &a, t.s, &e), -1);
    assert_non_null(strstr(e.msg, "nested too deeply"));
    text_release(&t);
}

static void test_several_files(void **state)
{
    struct fixture *f = *state;
    static const char first[] = "{contexts: [{name: a, context: {cluster: c, user: u}}], current-context: b}";
    static const char second[] =
        "{contexts: [{name: a, context: {cluster: x}}, {name: b, context: {cluster: c}}], "
        "clusters: [{name: c, cluster: {server: https://s}}], "
        "users: [{name: u, user: {token: t}}], current-context: a}";
    char *files = xasprintf("%s:%s/missing:%s", f->file, f->dir, f->second),
         *missing = xasprintf("%s/missing", f->dir);
    struct account a;
    struct err e = {0};

    write_file(f->file, first, strlen(first));
    write_file(f->second, second, strlen(second));
    assert_int_equal(account_of_kubeconfig(&a, files, NULL, &e), 0);
    assert_null(a.token.data);
    account_release(&a);
    assert_int_equal(account_of_kubeconfig(&a, files, "a", &e), 0);
    assert_string_equal(a.token.data, "t");
    assert_string_equal(a.source, f->second);
    account_release(&a);
    assert_int_equal(account_of_kubeconfig(&a, files, "z", &e), -1);
    assert_non_null(strstr(e.msg, "contexts: there is no 'z'"));
    assert_int_equal(account_of_kubeconfig(&a, missing, NULL, &e), -1);
    assert_non_null(strstr(e.msg, "cannot read '"));
    free(files);
    free(missing);
}

/* Cut and changed bytes: an answer or a fault, never more. */
static void test_mutated(void **state)
{
    struct fixture *f = *state;
    char *config = config_of("server: https://a, certificate-authority-data: YWJj",
                             "exec: {" V1 ", command: aws, args: [a], env: [{name: A, value: b}]}", "");
    size_t len = strlen(config);
    unsigned seed = 1;

    for (int i = 0; i < 300; i++) {
        char *copy = xmemdup(config, len);
        size_t n = (size_t)rand_r(&seed) % (len + 1);
        struct account a;
        struct err e;
        for (int changes = rand_r(&seed) % 3; changes; changes--)
            copy[(size_t)rand_r(&seed) % len] = (char)rand_r(&seed);
        write_file(f->file, copy, i % 2 ? n : len);
        if (account_of_kubeconfig(&a, f->file, NULL, &e) == 0)
            account_release(&a);
        free(copy);
    }
    free(config);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_accepted), TEST(test_refused),       TEST(test_faulty_files),
        TEST(test_bounds),   TEST(test_several_files), TEST(test_mutated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
