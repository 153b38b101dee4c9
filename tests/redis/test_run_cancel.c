#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/queue.h"

static struct row queued_run[] = {
    {"submit A", "OK NEW A"},
    {"submit B", "OK NEW B"},
    {"DEL @events @bell", "2"},
    {"at 2000", ""},
    {"run/cancel $A 5000", "CANCELED"},
    {"HGETALL @run:$A", "state Canceled priority 0 submitted_at 1000 gates '' ended_at 2000"},
    {"ZRANGE @history 0 -1 WITHSCORES", "A 2000"},
    {"ZRANGE @queue 0 -1", "B"},
    {"ZRANGE @lane: 0 -1", "B"},
    {"ZRANGE @ready 0 -1", "B"},
    {"events", "RunCanceled A reason ''"},
    {"same run/cancel $A 5000", "FINAL Canceled"},
    {0},
};

static struct row last_run_of_a_lane[] = {
    {"submit A", "OK NEW A"},
    {"DEL @bell", "1"},
    {"run/cancel $A 0", "CANCELED"},
    {"EXISTS @queue @lane: @ready @bell", "0"},
    {"admit", "OK 0"},
    {0},
};

static struct row run_behind_the_head[] = {
    {"submit A", "OK NEW A"},    {"submit B", "OK NEW B"},    {"run/cancel $B 0", "CANCELED"},
    {"ZRANGE @lane: 0 -1", "A"}, {"ZRANGE @ready 0 -1", "A"}, {0},
};

static struct row delayed_run[] = {
    {"submit A --delay=500", "OK NEW A"},
    {"run/cancel $A 0", "CANCELED"},
    {"HGET @run:$A state", "Canceled"},
    {"EXISTS @delayed @queue @ready @bell", "0"},
    {"at 2000", ""},
    {"admit", "OK 0"},
    {0},
};

static struct row parked_head[] = {
    {"limits team=1", "OK 0"},
    {"submit A team=a", "OK NEW A"},
    {"submit B team=a", "OK NEW B"},
    {"submit C team=a --priority=-1", "OK NEW C"},
    {"admit", "OK 0 A 1 1"},
    {"ZRANGE @parked:team 0 -1", "B"},
    {"DEL @bell", "1"},
    {"run/cancel $B 0", "CANCELED"},
    {"ZRANGE @parked:team 0 -1 WITHSCORES", "C 1"},
    {"HMGET @run:$C parked state", "team Queued"},
    {"HEXISTS @run:$B parked", "0"},
    {"EXISTS @ready @bell", "0"},
    {"run/cancel $C 0", "CANCELED"},
    {"EXISTS @parked @parked:team @lane:team @queue", "0"},
    {0},
};

/* B left the gate's parking for `ready`; when it is canceled, D gets the turn that was B's. */
static struct row woken_head_hands_its_turn_on[] = {
    {"limits team=1 x=*=9", "OK 0"},
    {"submit A team=a", "OK NEW A"},
    {"submit B team=a x=1", "OK NEW B"},
    {"submit D team=a x=2", "OK NEW D"},
    {"admit", "OK 0 A 1 1"},
    {"run/finish $A %A host:1 Success '' 0", "OK"},
    {"ZRANGE @ready 0 -1", "B"},
    {"DEL @bell", "1"},
    {"run/cancel $B 0", "CANCELED"},
    {"ZRANGE @ready 0 -1", "D"},
    {"LRANGE @bell 0 -1", "1"},
    {"admit", "OK 0 D 11 1"},
    {0},
};

static struct row not_started_run[] = {
    {"limits team=1", "OK 0"},
    {"submit A team=a", "OK NEW A"},
    {"submit B team=a", "OK NEW B"},
    {"admit --capacity=5", "OK 0 A 1 1"},
    {"DEL @events @bell", "2"},
    {"at 2000", ""},
    {"run/cancel $A 0", "CANCELED"},
    {"HMGET @run:$A state ended_at", "Canceled 2000"},
    {"EXISTS @running @gate:team @dequeuer:d", "0"},
    {"events", "RunCanceled A reason ''"},
    {"LRANGE @bell 0 -1", "1"},
    {"same run/start $A 1 host:1 30000", "STALE Canceled"},
    {"admit", "OK 0 B 6 1"},
    {0},
};

static struct row started_run[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/start $A %A host:1 30000", "OK"},
    {"DEL @events @bell", "2"},
    {"at 2000", ""},
    {"run/cancel $A 5000", "CANCELING"},
    {"HMGET @run:$A state cancel_at cancel_grace", "Started 2000 5000"},
    {"LRANGE @wake:$A 0 -1", "1"},
    {"ZRANGE @running 0 -1 WITHSCORES", "A 31000"},
    {"events", "RunCanceling A"},
    {"EXISTS @bell", "0"},
    {"same run/cancel $A 5000", "CANCELING"},
    {"run/cancel $A 100", "CANCELING"},
    {"HGET @run:$A cancel_grace", "100"},
    {"LRANGE @wake:$A 0 -1", "1"},
    {"events", "''"},
    {"run/finish $A %A host:1 Canceled '' 0", "OK"},
    {"EXISTS @wake:$A @running", "0"},
    {"same run/cancel $A 5000", "FINAL Canceled"},
    {0},
};

static struct row nothing_to_cancel[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"run/finish $A %A host:1 Failure x 0", "OK"},
    {"same run/cancel $A 0", "FINAL Failure"},
    {"same run/cancel nobody 0", "NOT_FOUND"},
    {0},
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(queued_run),      QUEUE_TEST(last_run_of_a_lane), QUEUE_TEST(run_behind_the_head),
        QUEUE_TEST(delayed_run),     QUEUE_TEST(parked_head),        QUEUE_TEST(woken_head_hands_its_turn_on),
        QUEUE_TEST(not_started_run), QUEUE_TEST(started_run),        QUEUE_TEST(nothing_to_cancel),
    };
    return cmocka_run_group_tests(tests, queue_open, queue_close);
}
