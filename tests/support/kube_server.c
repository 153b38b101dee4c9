#include "support/kube_server.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define ARGS_MAX         64
#define START_TIMEOUT_MS 90000

static _Noreturn void die(const char *why)
{
    fprintf(stderr, "tests/support/kube_server: %s\n", why);
    exit(1);
}

/* build/tests/<kind>/test_x is beside build/tests/tools/kubernetes. */
static void tool_path(char *path, size_t size)
{
    ssize_t n = readlink("/proc/self/exe", path, size - 1);

    if (n < 0)
        die("no /proc/self/exe");
    path[n] = '\0';
    for (int up = 0; up < 2; up++)
        *strrchr(path, '/') = '\0';
    snprintf(path + strlen(path), size - strlen(path), "/tools/kubernetes");
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static void make_dir(struct kube_server *s)
{
    const char *tmp = getenv("TMPDIR");

    snprintf(s->dir, sizeof s->dir, "%s/rivers-kube-XXXXXX", tmp && strlen(tmp) < 40 ? tmp : "/tmp");
    if (!mkdtemp(s->dir))
        die("mkdtemp failed");
    snprintf(s->kubeconfig, sizeof s->kubeconfig, "%s/kubeconfig", s->dir);
}

/* In the child, between fork and exec. */
static void exec_tool(const struct kube_server *s, const char *tool, const char *const *extra, int in)
{
    char account[sizeof s->dir + 8];
    const char *argv[ARGS_MAX] = {tool, "--service-account", account},
               *cluster = getenv("RIVERS_KUBE_CLUSTER");
    size_t argc = 3;

    if (cluster) {
        argv[argc++] = "--cluster";
        argv[argc++] = cluster;
    }

    snprintf(account, sizeof account, "%s/sa", s->dir);
    for (; extra && *extra && argc < ARGS_MAX - 2; extra++)
        argv[argc++] = *extra;
    argv[argc++] = s->dir;
    setenv("KUBECONFIG", s->kubeconfig, 1); /* for --pass-env */
    dup2(in, STDIN_FILENO);
    execv(tool, (char *const *)(uintptr_t)argv);
    dprintf(STDERR_FILENO, "tests/support/kube_server: cannot run %s: %s\n", tool, strerror(errno));
    _exit(127);
}

static bool is_ready(const struct kube_server *s)
{
    char url[sizeof s->dir + 8];

    snprintf(url, sizeof url, "%s/url", s->dir);
    return access(url, R_OK) == 0;
}

bool kube_server_is_real(void)
{
    return getenv("RIVERS_KUBE_CLUSTER") != NULL;
}

/* The first word of a file; ends the test binary when there is none. */
static void read_word(const struct kube_server *s, const char *file, char word[64])
{
    char path[sizeof s->dir + 16];

    snprintf(path, sizeof path, "%s/%s", s->dir, file);
    FILE *in = fopen(path, "re");
    if (!in || fscanf(in, "%63s", word) != 1)
        die("it wrote a file without a word");
    fclose(in);
}

void kube_server_start(struct kube_server *s, const char *const *extra)
{
    int64_t deadline = clock_mono_ms() + START_TIMEOUT_MS;
    char tool[1024];
    int in[2];

    *s = (struct kube_server){0};
    tool_path(tool, sizeof tool);
    make_dir(s);
    if (pipe2(in, O_CLOEXEC) < 0)
        die("no pipe");
    s->pid = fork();
    if (s->pid == 0)
        exec_tool(s, tool, extra, in[0]);
    close(in[0]);
    s->stdin_fd = in[1];
    while (!is_ready(s)) {
        if (waitpid(s->pid, NULL, WNOHANG) != 0)
            die("it ended while starting");
        if (clock_mono_ms() > deadline)
            die("it does not answer");
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    read_word(s, "url", s->url);
    if (kube_server_is_real())
        read_word(s, "sa/namespace", s->namespace);
    else
        snprintf(s->namespace, sizeof s->namespace, "default");
}

void kube_server_stop(struct kube_server *s)
{
    close(s->stdin_fd);
    waitpid(s->pid, NULL, 0);
    nftw(s->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    *s = (struct kube_server){0};
}
