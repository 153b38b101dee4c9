#include "support/kube_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/mem.h"
#include "base/reaper.h"

static const char *const files[] = {"ca.crt", "token", "namespace", "config", "plugin", "count"};

void kube_fixture_write(const struct kube_fixture *f, const char *name, const char *text)
{
    char *path = xasprintf("%s/%s", f->dir, name);
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    fclose(file);
    chmod(path, 0700);
    free(path);
}

void kube_fixture_init(struct kube_fixture *f, web_serve_fn *serve, void *arg)
{
    const char *tmp = getenv("TMPDIR");
    struct err e = {0};

    *f = (struct kube_fixture){.base = event_base_new()};
    f->reaper = reaper_new(f->base, false, &e);
    assert_non_null(f->reaper);
    f->authority = certificate_new("authority", NULL, NULL);
    f->identity = certificate_new("server", "IP:127.0.0.1", f->authority);
    f->server = web_server_new(f->identity, NULL, serve, arg);
    snprintf(f->dir, sizeof f->dir, "%s/account-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(f->dir));
    kube_fixture_write(f, "ca.crt", f->authority->pem);
    kube_fixture_write(f, "token", "first\n");
    kube_fixture_write(f, "namespace", "prod");
    setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1", 1);
    setenv("KUBERNETES_SERVICE_PORT", strrchr(web_server_url_get(f->server), ':') + 1, 1);
    f->options = (struct access_options){.service_account_dir = f->dir};
    f->kube = kube_new(f->reaper, &f->options, &e);
    assert_string_equal(f->kube ? "" : e.msg, "");
}

void kube_fixture_release(struct kube_fixture *f)
{
    kube_free(f->kube);
    web_server_free(f->server);
    certificate_free(f->identity);
    certificate_free(f->authority);
    reaper_free(f->reaper);
    event_base_free(f->base);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *path = xasprintf("%s/%s", f->dir, files[i]);
        unlink(path);
        free(path);
    }
    rmdir(f->dir);
}

void kube_fixture_turn(const struct kube_fixture *f, int64_t end_at)
{
    assert_true(clock_mono_ms() < end_at);
    event_base_loopexit(f->base, &(struct timeval){.tv_usec = 5000});
    event_base_dispatch(f->base);
}
