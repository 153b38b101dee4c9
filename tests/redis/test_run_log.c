#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/queue.h"

static struct row appended[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/start $A %A host:1 30000", "OK"},
    {"run/log $A %A host:1 load 'one, ' 5", "OK"},
    {"run/log $A %A host:1 load two 8", "OK"},
    {"run/log $A %A host:1 other three 5", "OK"},
    {"GET @log:$A/load", "one, two"},
    {"GET @log:$A/other", "three"},
    {"HEXISTS @run:$A dropped:load", "0"},
    {0},
};

static struct row sent_twice[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/start $A %A host:1 30000", "OK"},
    {"run/log $A %A host:1 load one 3", "OK"},
    {"same run/log $A %A host:1 load one 3", "OK"},
    {"run/log $A %A host:1 load netwo 6", "OK"},
    {"same run/log $A %A host:1 load one 3", "OK"},
    {"run/log $A %A host:1 load three 12", "OK"},
    {"same run/log $A %A host:1 load three 12", "OK"},
    {"GET @log:$A/load", "onetwothree"},
    {"HMGET @run:$A missing:load logged:load", "1 1 12"},
    {0},
};

/* The next holder of the run begins to count anew. */
static struct row another_token[] = {
    {"submit A --on_lost=requeue", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/start $A %A host:1 30000", "OK"},
    {"run/log $A %A host:1 load one 3", "OK"},
    {"run/lost $A %A gone", "OK Queued"},
    {"admit", "OK 0 A 11 2"},
    {"run/start $A %A host:1 30000", "OK"},
    {"run/log $A %A host:1 load two 3", "OK"},
    {"GET @log:$A/load", "onetwo"},
    {"HMGET @run:$A missing:load logged:load", "(nil) 11 3"},
    {0},
};

static struct row missing_before[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/start $A %A host:1 30000", "OK"},
    {"run/log $A %A host:1 load a 8", "OK"},
    {"run/log $A %A host:1 load b 14", "OK"},
    {"HMGET @run:$A dropped:load missing:load", "(nil) 12"},
    {"GET @log:$A/load", "ab"},
    {0},
};

/* 1310720 bytes are kept before the log is cut to 1048576; the last ones stay. */
static struct row last_mebibyte_is_kept[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/start $A %A host:1 30000", "OK"},
    {"run/log $A %A host:1 load x*1310717 1310717", "OK"},
    {"run/log $A %A host:1 load end 1310720", "OK"},
    {"STRLEN @log:$A/load", "1310720"},
    {"HEXISTS @run:$A dropped:load", "0"},
    {"run/log $A %A host:1 load ! 1310724", "OK"},
    {"STRLEN @log:$A/load", "1048576"},
    {"HMGET @run:$A dropped:load missing:load", "262145 3"},
    {"GETRANGE @log:$A/load -6 -1", "xxend!"},
    {0},
};

static struct row stale[] = {
    {"submit A", "OK NEW A"},
    {"same run/log $A 0 host:1 load a 0", "STALE Queued"},
    {"same run/log nobody 0 host:1 load a 0", "NOT_FOUND"},
    {"admit", "OK 0 A 1 1"},
    {"same run/log $A %A host:1 load a 0", "STALE NotStarted"},
    {"run/start $A %A host:1 30000", "OK"},
    {"same run/log $A 2 host:1 load a 0", "STALE Started"},
    {"run/finish $A %A host:1 Success '' 0", "OK"},
    {"same run/log $A %A host:1 load a 0", "STALE Success"},
    {0},
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(appended),
        QUEUE_TEST(sent_twice),
        QUEUE_TEST(another_token),
        QUEUE_TEST(missing_before),
        QUEUE_TEST(last_mebibyte_is_kept),
        QUEUE_TEST(stale),
    };
    return cmocka_run_group_tests(tests, queue_open, queue_close);
}
