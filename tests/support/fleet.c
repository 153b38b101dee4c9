#include "support/fleet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <dirent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/reaper.h"
#include "base/text.h"

#define DEADLINE_MS 60000
#define PAUSE_NS    3000000
#define WORDS_MAX   32

static const char *rivers_path(void)
{
    const char *named = getenv("RIVERS");
    static char path[PATH_MAX];

    if (!realpath(named ? named : "build/rivers", path))
        fail_msg("no rivers at '%s'", named ? named : "build/rivers");
    return path;
}

/* --- begin and end */

int fleet_open(void **state)
{
    static const char *const durable[] = {"--appendonly", "yes", "--appendfsync", "no", NULL};
    struct fleet *f = xcalloc(1, sizeof *f);

    prctl(PR_SET_CHILD_SUBREAPER, 1L);
    redis_server_start(&f->server, durable);
    lua_open(&f->lua, &f->server);
    setenv("RIVERS_REDIS_URL", f->server.url, 1);
    setenv("RIVERS_NAMESPACE", "test", 1);
    lua_cmd(&f->lua, "HSET @config dequeue_interval 20ms");
    *state = f;
    return 0;
}

/* The reaper waits for every child: it lives only here, where nobody else does any more. */
static int end_all(void)
{
    struct event_base *base = event_base_new();
    struct err e = {0};
    struct reaper *r = reaper_new(base, true, &e);
    int status = r ? reaper_kill_strays(r, &e) : -1;

    if (status < 0)
        print_error("%s\n", e.msg);
    reaper_free(r);
    event_base_free(base);
    return status;
}

int fleet_close(void **state)
{
    struct fleet *f = *state;

    lua_close(&f->lua);
    redis_server_stop(&f->server);
    for (size_t i = 0; i < f->nids; i++)
        free(f->ids[i]);
    free(f->ids);
    free(f);
    return end_all();
}

int64_t fleet_deadline(void)
{
    return clock_mono_ms() + DEADLINE_MS;
}

void fleet_pause(struct fleet *f, int64_t deadline, const char *condition, const char *file, int line)
{
    static const struct timespec pause = {.tv_nsec = PAUSE_NS};

    if (clock_mono_ms() > deadline) {
        print_error("waited in vain for: %s\n%s", condition, fleet_file(f, "log"));
        _fail(file, line);
    }
    nanosleep(&pause, NULL);
}

/* --- processes */

static int open_in(const struct fleet *f, const char *name, int flags)
{
    char *path = xasprintf("%s/%s", f->server.dir, name);
    int fd = open(path, flags | O_CLOEXEC, 0600);

    free(path);
    return fd;
}

/* In the child. */
static _Noreturn void become(const struct fleet *f, const char *rivers, char *const *argv, int in, int out)
{
    int log = open_in(f, "log", O_WRONLY | O_APPEND | O_CREAT);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(in, STDIN_FILENO);
    dup2(out < 0 ? log : out, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    if (chdir(f->server.dir) == 0)
        execv(rivers, argv);
    _exit(126);
}

/* in: a file in the directory of the fleet, or a path; out: -1: to the log. */
static pid_t spawn(struct fleet *f, char *const *argv, const char *in, int out)
{
    const char *rivers = rivers_path();
    int input = *in == '/' ? open(in, O_RDONLY | O_CLOEXEC) : open_in(f, in, O_RDONLY);
    pid_t pid = fork();

    if (pid == 0)
        become(f, rivers, argv, input, out);
    close(input);
    assert_true(pid > 0);
    return pid;
}

/* A line as execve takes it; there is room for three more words and the NULL. */
struct words {
    char line[1024];
    char *argv[WORDS_MAX];
    size_t n;
};

static void words_split(struct words *w)
{
    char *save;

    w->n = 0;
    for (char *word = strtok_r(w->line, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        assert_true(w->n < WORDS_MAX - 4);
        w->argv[w->n++] = word;
    }
    w->argv[w->n] = NULL;
}

pid_t fleet_start(struct fleet *f, const char *words)
{
    struct words w;

    snprintf(w.line, sizeof w.line, "rivers %s", words);
    words_split(&w);
    return spawn(f, w.argv, "/dev/null", -1);
}

int fleet_wait_exit(pid_t pid)
{
    int status = 0;

    for (int64_t deadline = fleet_deadline(); waitpid(pid, &status, WNOHANG) == 0;) {
        if (clock_mono_ms() > deadline)
            fail_msg("process %d does not end", (int)pid);
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Runs it to its end, with the file `in` as its input. Its output is owned by the caller. */
static char *output_of(struct fleet *f, struct words *w, const char *in, int *status)
{
    struct text out = {0};
    char bytes[4096];
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = spawn(f, w->argv, in, ends[1]);
    close(ends[1]);
    for (ssize_t n; (n = read(ends[0], bytes, sizeof bytes)) > 0;)
        text_add_bytes(&out, bytes, (size_t)n);
    close(ends[0]);
    *status = fleet_wait_exit(pid);
    return out.s ? out.s : xstrdup("");
}

char *fleet_call(struct fleet *f, int *status, const char *format, ...)
{
    size_t name = strlen("rivers ");
    struct words w = {.line = "rivers "};
    int ignored;
    va_list args;

    va_start(args, format);
    vsnprintf(w.line + name, sizeof w.line - name, format, args);
    va_end(args);
    words_split(&w);
    return output_of(f, &w, "/dev/null", status ? status : &ignored);
}

bool fleet_is_alive(pid_t pid)
{
    waitpid(pid, NULL, WNOHANG); /* it may have become a child of ours, and a zombie */
    return kill(pid, 0) == 0;
}

static pid_t parent_of(const char *pid)
{
    char *path = xasprintf("/proc/%s/stat", pid);
    FILE *stat = fopen(path, "re");
    int parent = 0;

    free(path);
    if (!stat)
        return 0;
    if (fscanf(stat, "%*d (%*[^)]) %*c %d", &parent) != 1)
        parent = 0;
    fclose(stat);
    return parent;
}

/* How many children pid has; *last is one of them, 0 without any. */
static size_t children_of(pid_t pid, pid_t *last)
{
    DIR *proc = opendir("/proc");
    size_t n = 0;

    *last = 0;
    for (const struct dirent *d; (d = readdir(proc));) {
        if (*d->d_name < '1' || *d->d_name > '9' || parent_of(d->d_name) != pid)
            continue;
        *last = (pid_t)strtol(d->d_name, NULL, 10);
        n++;
    }
    closedir(proc);
    return n;
}

size_t fleet_children(pid_t pid)
{
    pid_t last;

    return children_of(pid, &last);
}

pid_t fleet_child(pid_t pid)
{
    pid_t last;

    (void)children_of(pid, &last);
    return last;
}

pid_t fleet_guard(pid_t dequeuer)
{
    return fleet_child(dequeuer);
}

size_t fleet_descriptors(pid_t pid)
{
    char *path = xasprintf("/proc/%d/fd", (int)pid);
    DIR *fds = opendir(path);
    size_t n = 0;

    free(path);
    if (!fds)
        return 0;
    while (readdir(fds))
        n++;
    closedir(fds);
    return n;
}

pid_t fleet_executor(struct fleet *f, const char *run)
{
    const char *pid = strrchr(lua_cmd(&f->lua, "HGET @run:%s executor", run), ':');

    return pid ? (pid_t)strtol(pid + 1, NULL, 10) : 0;
}

/* --- runs */

/* Takes what `rivers submit` printed. Returns the first id. */
static const char *keep_ids(struct fleet *f, char *printed)
{
    size_t first = f->nids;
    char *save;

    for (char *id = strtok_r(printed, "\n", &save); id; id = strtok_r(NULL, "\n", &save)) {
        f->ids = xrealloc(f->ids, (f->nids + 1) * sizeof *f->ids);
        f->ids[f->nids++] = xstrdup(id);
    }
    free(printed);
    assert_true(f->nids > first);
    return f->ids[first];
}

const char *fleet_submit(struct fleet *f, const char *options, const char *script)
{
    char *command[] = {(char[]){"--"}, (char[]){"sh"}, (char[]){"-c"}, xstrdup(script), NULL};
    struct words w;
    int status;

    snprintf(w.line, sizeof w.line, "rivers submit %s", options);
    words_split(&w);
    assert_true(w.n + 5 <= WORDS_MAX);
    memcpy(w.argv + w.n, command, sizeof command);
    char *printed = output_of(f, &w, "/dev/null", &status);
    free(command[3]);
    assert_int_equal(status, 0);
    return keep_ids(f, printed);
}

const char *fleet_submit_job(struct fleet *f, const char *words)
{
    return keep_ids(f, fleet_call(f, NULL, "submit %s", words));
}

const char *fleet_submit_json(struct fleet *f, const char *lines)
{
    struct words w = {.line = "rivers submit -f -"};
    char *json = xstrdup(lines);
    int status;

    for (char *c = json; (c = strchr(c, '`'));)
        *c = '"';
    fleet_write(f, "lines", json);
    free(json);
    words_split(&w);
    char *printed = output_of(f, &w, "lines", &status);
    assert_int_equal(status, 0);
    return keep_ids(f, printed);
}

char *fleet_worker(void)
{
    char path[PATH_MAX] = "";

    assert_true(readlink("/proc/self/exe", path, sizeof path - 1) > 0);
    for (int up = 0; up < 2; up++)
        *strrchr(path, '/') = '\0';
    return xasprintf("%s/tools/worker", path);
}

static bool has_ended(struct fleet *f, const char *run)
{
    const char *state = lua_cmd(&f->lua, "HGET @run:%s state", run);

    return strcmp(state, "Success") == 0 || strcmp(state, "Failure") == 0 || strcmp(state, "Canceled") == 0;
}

const char *fleet_outcome(struct fleet *f, const char *run)
{
    WAIT_UNTIL(f, has_ended(f, run));
    if (fleet_is(f, "0", "HEXISTS @run:%s reason", run))
        return lua_cmd(&f->lua, "HGET @run:%s state", run);
    return lua_cmd(&f->lua, "HMGET @run:%s state reason", run);
}

/* The value of a field of an event, or NULL. */
static const char *field(const redisReply *event, const char *name)
{
    const redisReply *fields = event->element[1];

    for (size_t i = 0; i + 1 < fields->elements; i += 2)
        if (strcmp(fields->element[i]->str, name) == 0)
            return fields->element[i + 1]->str;
    return NULL;
}

const char *fleet_story(struct fleet *f, const char *run)
{
    static char story[2048];
    redisReply *events = redisCommand(f->lua.redis, "XRANGE %sevents - +", f->lua.prefix);
    size_t n = 0;

    *story = '\0';
    for (size_t i = 0; i < events->elements; i++) {
        const redisReply *event = events->element[i];
        const char *step = field(event, "step");
        if (strcmp(field(event, "run"), run) == 0 && n < sizeof story)
            n += (size_t)snprintf(story + n, sizeof story - n, "%s%s%s%s", n ? " " : "",
                                  field(event, "event"), step ? ":" : "", step ? step : "");
    }
    freeReplyObject(events);
    return story;
}

size_t fleet_count(const char *text, const char *word)
{
    size_t n = 0;

    for (; (text = strstr(text, word)); text++)
        n++;
    return n;
}

void fleet_assert_idle(struct fleet *f)
{
    assert_true(fleet_is(f, "0", "ZCARD @running"));
    assert_true(fleet_is(f, "", "KEYS @gate:*"));
}

/* 0: nothing was admitted. */
static int64_t admit_for_nobody(struct fleet *f, const char *launch_lease_ms)
{
    const char *answer = lua_run(&f->lua, SCRIPT_RUN_ADMIT, "", "", "nobody", "1", "", launch_lease_ms,
                                 "30000", "20", "1000000", "1000", NULL);
    long long token = 0;

    return sscanf(answer, "OK %*s %*s %lld", &token) == 1 ? token : 0;
}

int64_t fleet_admit_for_nobody(struct fleet *f, const char *launch_lease_ms)
{
    int64_t token = 0;

    WAIT_UNTIL(f,
               (token = admit_for_nobody(f, launch_lease_ms)) > 0); /* limits may have to be followed first */
    return token;
}

/* --- Redis */

static const char *ask(struct fleet *f, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

static const char *ask(struct fleet *f, const char *format, va_list args)
{
    char line[1024];

    vsnprintf(line, sizeof line, format, args);
    return lua_cmd(&f->lua, "%s", line);
}

bool fleet_is(struct fleet *f, const char *want, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    bool is = strcmp(ask(f, format, args), want) == 0;
    va_end(args);
    return is;
}

int64_t fleet_number(struct fleet *f, const char *format, ...)
{
    int64_t number = 0;
    va_list args;

    va_start(args, format);
    const char *answer = ask(f, format, args);
    if (number_parse(answer, INT64_MIN, INT64_MAX, &number) < 0)
        fail_msg("'%s': not a number: %s", format, answer);
    va_end(args);
    return number;
}

/* --- files */

const char *fleet_file(struct fleet *f, const char *name)
{
    static struct text content;
    char bytes[4096];
    int fd = open_in(f, name, O_RDONLY);

    text_clear(&content);
    for (ssize_t n; fd >= 0 && (n = read(fd, bytes, sizeof bytes)) > 0;)
        text_add_bytes(&content, bytes, (size_t)n);
    if (fd >= 0)
        close(fd);
    return text_get(&content);
}

size_t fleet_lines(struct fleet *f, const char *name)
{
    size_t lines = 0;

    for (const char *c = fleet_file(f, name); (c = strchr(c, '\n')); c++)
        lines++;
    return lines;
}

void fleet_write(struct fleet *f, const char *name, const char *content)
{
    int fd = open_in(f, name, O_WRONLY | O_CREAT | O_TRUNC);

    assert_int_equal(write(fd, content, strlen(content)), strlen(content));
    close(fd);
}

size_t fleet_alive_in(struct fleet *f, const char *name)
{
    size_t alive = 0;
    const char *line = fleet_file(f, name);

    for (char *end; *line; line = *end ? end + 1 : end)
        alive += fleet_is_alive((pid_t)strtol(line, &end, 10));
    return alive;
}
