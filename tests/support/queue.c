#include "support/queue.h"

#include <hiredis/hiredis.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "support/lua.h"

#define WORDS_MAX 400
#define NAME_LEN  4  /* the four characters of randomness in an id hold the name, '_' before it */
#define ID_LEN    17 /* r, 9 digits of the time, 3 within the millisecond, 4 of randomness */
#define ID_DIGITS "0123456789abcdefghjkmnpqrstvwxyz"

struct queue {
    struct redis_server server;
    struct lua lua;
    char now[24];
    char (*ids)[ID_LEN + 1];
    size_t nids;
    struct text answer; /* to the last line */
};

/* cmocka's state carries the rows of a test, so the one queue of a test binary is here. */
static struct queue queue;

static const char *say(struct queue *q, const char *line);

/* --- words
 * ------------------------------------------------------------------------------------------------------- */

struct words {
    char *v[WORDS_MAX];
    size_t n;
};

static void words_add(struct words *w, const char *word)
{
    assert_true(w->n < WORDS_MAX);
    w->v[w->n++] = xstrdup(word);
}

static void words_release(struct words *w)
{
    while (w->n)
        free(w->v[--w->n]);
}

static const char *id_of(const struct queue *q, const char *name, size_t len)
{
    for (size_t i = q->nids; i-- > 0;) {
        const char *kept = q->ids[i] + ID_LEN - NAME_LEN;
        kept += strspn(kept, "_");
        if (strlen(kept) == len && memcmp(kept, name, len) == 0)
            return q->ids[i];
    }
    fail_msg("no run is called '%.*s'", (int)len, name);
    return NULL;
}

/* $A or %A */
static const char *add_run(struct queue *q, struct text *t, const char *s)
{
    size_t len = strspn(s + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
    const char *id = id_of(q, s + 1, len);

    text_add(t, *s == '$' ? id : lua_cmd(&q->lua, "HGET @run:%s token", id));
    return s + 1 + len;
}

static const char *add_quoted(struct text *t, const char *s)
{
    size_t len = strcspn(s + 1, "'");

    text_add_bytes(t, s + 1, len);
    return s + len + 2;
}

static const char *add_repeated(struct text *t, const char *s)
{
    char *end;

    for (long n = strtol(s + 2, &end, 10); n > 0; n--)
        text_add_bytes(t, s, 1);
    return end;
}

/* One word from s on; returns where it ends. */
static const char *add_word(struct queue *q, struct text *t, const char *s)
{
    if (*s == '@') {
        text_add(t, q->lua.prefix);
        s++;
    } else if (s[0] && s[1] == '*' && s[2] >= '1' && s[2] <= '9') {
        return add_repeated(t, s);
    }
    while (*s && *s != ' ') {
        if (strchr("$%", *s) && s[1] >= 'A' && s[1] <= 'Z') {
            s = add_run(q, t, s);
        } else if (*s == '\'') {
            s = add_quoted(t, s);
        } else {
            text_add_bytes(t, s++, 1);
        }
    }
    return s;
}

static void words_split(struct queue *q, struct words *w, const char *line)
{
    struct text t = {0};

    while (*(line += strspn(line, " "))) {
        text_clear(&t);
        line = add_word(q, &t, line);
        words_add(w, text_get(&t));
    }
    text_release(&t);
}

/* --- answers
 * ----------------------------------------------------------------------------------------------------- */

static bool is_named_id(const char *s)
{
    return *s == 'r' && strspn(s + 1, ID_DIGITS) == ID_LEN - NAME_LEN - 1 && s[ID_LEN - NAME_LEN] == '_';
}

/* Takes a reply: the answer is its text, with names for ids. */
static const char *answer(struct queue *q, struct redisReply *r)
{
    text_clear(&q->answer);
    for (const char *s = lua_text(r); *s;) {
        if (is_named_id(s)) {
            const char *name = s + ID_LEN - NAME_LEN + strspn(s + ID_LEN - NAME_LEN, "_");
            text_add_bytes(&q->answer, name, (size_t)(s + ID_LEN - name));
            s += ID_LEN;
        } else {
            text_add_bytes(&q->answer, s++, 1);
        }
    }
    return text_get(&q->answer);
}

static struct redisReply *run_script(struct queue *q, enum script_id script, const struct words *args)
{
    const char *argv[WORDS_MAX + 1] = {q->now};

    for (size_t i = 0; i < args->n; i++)
        argv[i + 1] = args->v[i];
    return lua_call(&q->lua, script, args->n + 1, argv);
}

static struct redisReply *run_command(struct queue *q, const struct words *w)
{
    const char *argv[WORDS_MAX];

    for (size_t i = 0; i < w->n; i++)
        argv[i] = w->v[i];
    struct redisReply *r = redisCommandArgv(q->lua.redis, (int)w->n, argv, NULL);
    assert_non_null(r);
    return r;
}

/* --- submit and admit with defaults
 * ------------------------------------------------------------------------------- */

struct option {
    const char *name, *value;
};

static bool option_set(struct option *options, const char *word)
{
    for (struct option *o = options; o->name; o++) {
        size_t len = strlen(o->name);
        if (strncmp(word, o->name, len) == 0 && word[len] == '=') {
            o->value = word + len + 1;
            return true;
        }
    }
    return false;
}

/* Takes the --options out of the words from the first one on; the others stay in their order. */
static void options_read(struct option *options, const struct words *w, size_t first, struct words *others)
{
    for (size_t i = first; i < w->n; i++) {
        if (strncmp(w->v[i], "--", 2) != 0)
            words_add(others, w->v[i]);
        else if (!option_set(options, w->v[i] + 2))
            fail_msg("no option '%s'", w->v[i]);
    }
}

static void add_field(struct words *args, const char *prefix, const char *name, const char *value)
{
    char *field = xasprintf("%s%s", prefix, name);

    words_add(args, field);
    words_add(args, value);
    free(field);
}

/* The number of fields and they: `fields` that have a value, and tags. */
static void add_fields(struct words *args, const struct option *fields, const struct words *tags)
{
    char count[24];
    size_t n = tags->n;

    for (const struct option *o = fields; o->name; o++)
        n += *o->value != '\0';
    snprintf(count, sizeof count, "%zu", n);
    words_add(args, count);
    for (const struct option *o = fields; o->name; o++)
        if (*o->value)
            add_field(args, "", o->name, o->value);
    for (size_t i = 0; i < tags->n; i++) {
        char *value = strchr(tags->v[i], '=');
        assert_non_null(value);
        *value++ = '\0';
        add_field(args, "tag:", tags->v[i], value);
    }
}

static void remember(struct queue *q, const struct redisReply *r)
{
    if (r->type != REDIS_REPLY_ARRAY || r->elements != 3 || r->element[2]->len != ID_LEN)
        return;
    q->ids = xrealloc(q->ids, (q->nids + 1) * sizeof *q->ids);
    memcpy(q->ids[q->nids++], r->element[2]->str, ID_LEN + 1);
}

static const char *say_submit(struct queue *q, const char *rest)
{
    struct option options[] = {{"request", ""}, {"spec", "{}"},       {"priority", "0"},
                               {"key", ""},     {"delay", ""},        {"job", ""},
                               {"on_lost", ""}, {"max_attempts", ""}, {0}};
    struct words w = {0}, tags = {0}, args = {0};
    char random[NAME_LEN + 1] = "____";

    words_split(q, &w, rest);
    assert_true(w.n > 0 && strlen(w.v[0]) < NAME_LEN);
    memcpy(random + NAME_LEN - strlen(w.v[0]), w.v[0], strlen(w.v[0]));
    options_read(options, &w, 1, &tags);
    words_add(&args, options[0].value);
    words_add(&args, random);
    words_add(&args, "1");
    words_add(&args, "0");
    for (size_t i = 1; i < 5; i++)
        words_add(&args, options[i].value);
    add_fields(&args, options + 5, &tags);
    struct redisReply *r = run_script(q, SCRIPT_RUN_SUBMIT, &args);
    remember(q, r);
    words_release(&w);
    words_release(&tags);
    words_release(&args);
    return answer(q, r);
}

static const char *say_admit(struct queue *q, const char *rest)
{
    struct option options[] = {{"request", ""},
                               {"dequeuer", "d"},
                               {"batch", "50"},
                               {"capacity", ""},
                               {"launch_lease", "15000"},
                               {"run_lease", "30000"},
                               {"interval", "600000"},
                               {"retention", "604800000"},
                               {"retention_runs", "100000"},
                               {"seen", ""},
                               {0}};
    struct words w = {0}, args = {0};

    words_split(q, &w, rest);
    options_read(options, &w, 0, &args);
    for (const struct option *o = options; o->name; o++)
        words_add(&args, o->value);
    struct redisReply *r = run_script(q, SCRIPT_RUN_ADMIT, &args);
    words_release(&w);
    words_release(&args);
    return answer(q, r);
}

/* --- the other verbs
 * ----------------------------------------------------------------------------------------------- */

static const char *say_at(struct queue *q, const char *rest)
{
    snprintf(q->now, sizeof q->now, "%s", rest);
    return "";
}

static const char *say_limits(struct queue *q, const char *rest)
{
    struct words w = {0};

    words_split(q, &w, rest);
    for (size_t i = 0; i < w.n; i++) {
        char *limit = strrchr(w.v[i], '=');
        assert_non_null(limit);
        *limit++ = '\0';
        freeReplyObject(redisCommand(q->lua.redis, "HSET %stag_limits %s %s", q->lua.prefix, w.v[i], limit));
    }
    words_release(&w);
    say(q, "repeat 3 admit --batch=0");
    lua_cmd(&q->lua, "DEL @bell");
    return text_get(&q->answer);
}

/* An event is {id, {"event", word, "run", id, field, value, ...}}. */
static void add_event(struct text *t, const struct redisReply *fields)
{
    text_add(t, t->len ? "; " : "");
    text_add(t, fields->element[1]->str);
    for (size_t i = 3; i < fields->elements; i++)
        text_addf(t, " %s", fields->element[i]->len ? fields->element[i]->str : "''");
}

static const char *say_events(struct queue *q, const char *rest)
{
    struct redisReply *r = redisCommand(q->lua.redis, "XRANGE %sevents - +%s", q->lua.prefix, rest);
    struct text t = {0};

    assert_int_equal(r->type, REDIS_REPLY_ARRAY);
    for (size_t i = 0; i < r->elements; i++)
        add_event(&t, r->element[i]->element[1]);
    freeReplyObject(r);
    lua_cmd(&q->lua, "DEL @events");
    r = redisCommand(q->lua.redis, "ECHO %b", text_get(&t), t.len);
    text_release(&t);
    return answer(q, r);
}

static const char *say_same(struct queue *q, const char *rest)
{
    char before[64];

    snprintf(before, sizeof before, "%s", lua_cmd(&q->lua, "DEBUG DIGEST"));
    const char *got = say(q, rest);
    if (strcmp(before, lua_cmd(&q->lua, "DEBUG DIGEST")) != 0)
        fail_msg("it changed something: %s", rest);
    return got;
}

static const char *say_rows(struct queue *q, const char *rest)
{
    const char *got = say(q, rest);
    size_t n = 0;

    for (; *got; got++)
        n += *got == '[';
    text_clear(&q->answer);
    text_addf(&q->answer, "%zu", n);
    return text_get(&q->answer);
}

static const char *say_repeat(struct queue *q, const char *rest)
{
    const char *got = "";
    char *line;
    struct text t = {0};

    for (long i = 1, n = strtol(rest, &line, 10); i <= n; i++) {
        text_clear(&t);
        for (const char *s = line + 1; *s; s++) {
            if (*s == '#')
                text_addf(&t, "%ld", i);
            else
                text_add_bytes(&t, s, 1);
        }
        got = say(q, text_get(&t));
    }
    text_release(&t);
    return got;
}

static const struct verb {
    const char *name;
    const char *(*say)(struct queue *q, const char *rest);
} verbs[] = {
    {"at", say_at},         {"submit", say_submit}, {"admit", say_admit}, {"limits", say_limits},
    {"events", say_events}, {"same", say_same},     {"rows", say_rows},   {"repeat", say_repeat},
};

static const char *say_other(struct queue *q, const char *line)
{
    struct words w = {0};
    struct redisReply *r = NULL;

    words_split(q, &w, line);
    for (int i = 0; i < SCRIPT_COUNT && !r; i++) {
        if (strcmp(w.v[0], scripts[i].name) != 0)
            continue;
        struct words args = {.n = w.n - 1};
        memcpy(args.v, w.v + 1, args.n * sizeof *args.v);
        r = run_script(q, (enum script_id)i, &args);
    }
    if (!r)
        r = run_command(q, &w);
    words_release(&w);
    return answer(q, r);
}

static const char *say(struct queue *q, const char *line)
{
    size_t len = strcspn(line, " ");

    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strlen(verbs[i].name) == len && memcmp(verbs[i].name, line, len) == 0)
            return verbs[i].say(q, line + len + (line[len] == ' '));
    }
    return say_other(q, line);
}

/* --- fixtures
 * ------------------------------------------------------------------------------------------------------ */

int queue_open(void **state)
{
    static const char *const options[] = {"--enable-debug-command", "yes", NULL}; /* DEBUG DIGEST */

    (void)state;
    redis_server_start(&queue.server, options);
    lua_open(&queue.lua, &queue.server);
    return 0;
}

int queue_close(void **state)
{
    (void)state;
    lua_close(&queue.lua);
    redis_server_stop(&queue.server);
    text_release(&queue.answer);
    free(queue.ids);
    return 0;
}

int queue_clear(void **state)
{
    (void)state;
    lua_flush(&queue.lua);
    queue.nids = 0;
    say_at(&queue, "1000");
    return 0;
}

void queue_test(void **state)
{
    for (const struct row *row = *state; row->say; row++) {
        const char *got = say(&queue, row->say);
        if (strcmp(got, row->want) != 0)
            fail_msg("%s\n  answers %s\n  not     %s", row->say, got, row->want);
    }
}
