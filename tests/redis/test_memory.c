/* Memory is full: what gives back, renews and ends works, what takes more is refused, and leaves nothing behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/queue.h"

#define OOM "ERR:OOM command not allowed when used memory > 'maxmemory'."
#define FULL                                                                                                 \
    {                                                                                                        \
        "CONFIG SET maxmemory 1", "OK"                                                                       \
    }
#define ROOM                                                                                                 \
    {                                                                                                        \
        "CONFIG SET maxmemory 0", "OK"                                                                       \
    }

static struct row what_takes_more[] = {
    {"HSET @pool_limits db 1", "1"},
    {"submit A", "OK NEW A"},
    {"submit B", "OK NEW B"},
    {"admit --batch=1", "OK 1 A 1 1"},
    {"run/start $A %A host:1 30000", "OK"},
    FULL,
    {"same admit", OOM},
    {"same run/submit '' abcd 1 0 {} 0 '' '' 0", OOM},
    {"same run/materialize c:1 abcd host:1 1000 {} 0 '' '' 0", OOM},
    {"same pool/claim $A/s %A 1 '' db 1", OOM},
    {"same pool/set db 2", OOM},
    {"same run/log $A %A host:1 load one 3", OOM},
    ROOM,
    {"admit", "OK 0 B 2 1"},
    {"pool/claim $A/s %A 1 '' db 1", "GRANTED 11 300000"},
    {"run/log $A %A host:1 load two 6", "OK"},
    {"HGET @run:$A missing:load", "3"},
    {0},
};

static struct row what_holds_and_ends[] = {
    ROOM,
    {"HSET @pool_limits db 1", "1"},
    {"submit A", "OK NEW A"},
    {"submit B", "OK NEW B"},
    {"submit C", "OK NEW C"},
    {"submit D", "OK NEW D"},
    {"admit --batch=3", "OK 1 A 1 1 B 2 1 C 3 1"},
    {"run/start $A %A host:1 30000", "OK"},
    {"run/start $B %B host:2 30000", "OK"},
    {"pool/claim $A/s %A 1 '' db 1", "GRANTED 4 300000"},
    {"pool/claim $B/s %B 1 '' db 1", "WAITING pool 'db' full (1/1) db 1"},
    FULL,
    {"run/attend 15000 60000 $C %C 1 ''", "OK NotStarted"},
    {"run/start $C %C host:3 30000", "OK"},
    {"run/renew 30000 $A %A host:1", "OK OK"},
    {"run/hold 30000 $A %A", "OK"},
    {"pool/renew $A s 4", "OK"},
    {"run/report $A %A host:1 1 s StepStart Running 1 ''", "OK"},
    {"run/drop $A %A host:1 s 3", "OK"},
    {"pool/release $A/s 4 1", "OK"},
    {"run/finish $A %A host:1 Success '' 0", "OK"},
    {"run/cancel $B 0", "CANCELING"},
    {"run/finish $B %B host:2 Canceled '' 0", "OK"},
    {"run/lost $C %C gone", "OK Failure"},
    {"run/cancel $D 0", "CANCELED"},
    {"run/delete $A", "OK"},
    {"ZCARD @running", "0"},
    {"HEXISTS @pool_used db", "0"},
    ROOM,
    {"submit E", "OK NEW E"},
    {"admit", "OK 0 E 6 1"},
    {0},
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(what_takes_more),
        QUEUE_TEST(what_holds_and_ends),
    };
    return cmocka_run_group_tests(tests, queue_open, queue_close);
}
