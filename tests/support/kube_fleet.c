#include "support/kube_fleet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

struct kube_server kube_fleet_server;

int kube_fleet_open(void **state)
{
    const char *const options[] = {"--node", "--pass-env", "KUBECONFIG", NULL};

    if (fleet_open(state))
        return -1;
    kube_server_start(&kube_fleet_server, options);
    setenv("KUBECONFIG", kube_fleet_server.kubeconfig, 1);
    return 0;
}

int kube_fleet_close(void **state)
{
    kube_server_stop(&kube_fleet_server);
    return fleet_close(state);
}

void kube_fleet_path(void)
{
    const char *named = getenv("RIVERS");
    char *rivers = realpath(named ? named : "build/rivers", NULL);
    char *path = xasprintf("%s:%s", dirname(rivers), getenv("PATH"));

    setenv("PATH", path, 1);
    free(path);
    free(rivers);
}

void kube_fleet_use(struct fleet *f, const char *image, const char *more)
{
    char *config =
        xasprintf("{\"run_backend\": {\"type\": \"kubernetes\", \"image\": \"%s\"%s}}", image, more);
    int status = -1;

    fleet_write(f, "rivers.json", config);
    free(fleet_call(f, &status, "config apply rivers.json"));
    assert_int_equal(status, 0);
    free(config);
}

const char *kube_fleet_submit(struct fleet *f, const char *line)
{
    char *job = xasprintf("{`executor`: `in_process`, `steps`: [{`name`: `a`, `command`: `cd %s; %s`}]}",
                          f->server.dir, line);
    const char *run = fleet_submit_json(f, job);

    free(job);
    return run;
}
