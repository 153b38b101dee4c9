#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/queue.h"

static struct row new_run[] = {
    {"submit A --spec='{\"steps\":[]}' --job=nightly --priority=5 team=a", "OK NEW A"},
    {"HGETALL @run:$A", "state Queued priority 5 submitted_at 1000 gates '' job nightly tag:team a"},
    {"GET @spec:$A", "{\"steps\":[]}"},
    {"ZRANGE @queue 0 -1 WITHSCORES", "A -5"},
    {"ZRANGE @lane: 0 -1 WITHSCORES", "A -5"},
    {"ZRANGE @ready 0 -1 WITHSCORES", "A -5"},
    {"LRANGE @bell 0 -1", "1"},
    {"HGETALL @meta", "layout 2 id_ms 1000 id_seq 0"},
    {"events", "RunQueued A"},
    {0},
};

static struct row optional_fields[] = {
    {"submit A --key=k1 --delay=500 --on_lost=requeue --max_attempts=2", "OK NEW A"},
    {"HGETALL @run:$A",
     "state Queued priority 0 submitted_at 1000 not_before 1500 on_lost requeue max_attempts 2 key k1"},
    {"GET @key:k1", "A"},
    {0},
};

static struct row delayed_run[] = {
    {"submit A --delay=500 --priority=7", "OK NEW A"},
    {"ZRANGE @delayed 0 -1 WITHSCORES", "A 1500"},
    {"EXISTS @queue @ready @bell @lane:", "0"},
    {"events", "RunQueued A"},
    {"submit B --delay=0", "OK NEW B"},
    {"ZRANGE @delayed 0 -1 WITHSCORES", "B 1000 A 1500"},
    {0},
};

static struct row lanes_by_gates[] = {
    {"limits team=5 env=prod=3 tier=*=2", "OK 0"},
    {"submit A team=a env=prod tier=x", "OK NEW A"},
    {"submit B team=a env=test tier=y", "OK NEW B"},
    {"submit C team=b env=test tier=y", "OK NEW C"},
    {"submit D env=test", "OK NEW D"},
    {"HGET @run:$A gates", "env=prod,team,tier=x"},
    {"ZRANGE @lane:env=prod,team,tier=x 0 -1", "A"},
    {"ZRANGE @lane:team,tier=y 0 -1", "B C"},
    {"ZRANGE @lane: 0 -1", "D"},
    {"ZRANGE @ready 0 -1", "A B D"},
    {0},
};

/* `team=a` and `team=*` are one gate; `team` is one more. */
static struct row gates_of_one_key[] = {
    {"limits team=5 team=*=2 team=a=1", "OK 0"},
    {"submit A team=a", "OK NEW A"},
    {"HGET @run:$A gates", "team,team=a"},
    {0},
};

static struct row odd_tag_values[] = {
    {"limits team=*=1 'team=data eng,x=1=3' empty=*=1", "OK 0"},
    {"submit A 'team=data eng,x=1'", "OK NEW A"},
    {"submit B team=100%", "OK NEW B"},
    {"submit C team=a:b/c@d+e.f-g_h", "OK NEW C"},
    {"submit D team={}*'\"'", "OK NEW D"},
    {"submit E team=é", "OK NEW E"},
    {"submit F empty=", "OK NEW F"},
    {"HGET @run:$A tag:team", "data eng,x=1"},
    {"HGET @run:$A gates", "team=data%20eng%2Cx%3D1"},
    {"HGET @run:$B gates", "team=100%25"},
    {"HGET @run:$C gates", "team=a:b/c@d+e.f-g_h"},
    {"HGET @run:$D gates", "team=%7B%7D%2A%22"},
    {"HGET @run:$E gates", "team=%C3%A9"},
    {"HGET @run:$F gates", "empty="},
    {"ZRANGE '@lane:team=data%20eng%2Cx%3D1' 0 -1", ""},
    {"ZRANGE @lane:team=data%20eng%2Cx%3D1 0 -1", "A"},
    {0},
};

/* Of more than 32 limits only those that a run's tags ask for are read. */
static struct row many_limits[] = {
    {"repeat 40 HSET @tag_limits k#=v 1", "1"},
    {"HSET @tag_limits team=* 1 plain 1", "2"},
    {"submit A k7=v k40=v k41=v team=a plain=x", "OK NEW A"},
    {"HGET @run:$A gates", "k40=v,k7=v,plain,team=a"},
    {0},
};

static struct row sixty_four_tags[] = {
    {"limits t1=*=1 t64=v=1", "OK 0"},
    {"submit A t1=v t2=v t3=v t4=v t5=v t6=v t7=v t8=v t9=v t10=v t11=v t12=v t13=v t14=v t15=v t16=v t17=v "
     "t18=v t19=v "
     "t20=v t21=v t22=v t23=v t24=v t25=v t26=v t27=v t28=v t29=v t30=v t31=v t32=v t33=v t34=v t35=v t36=v "
     "t37=v t38=v "
     "t39=v t40=v t41=v t42=v t43=v t44=v t45=v t46=v t47=v t48=v t49=v t50=v t51=v t52=v t53=v t54=v t55=v "
     "t56=v t57=v "
     "t58=v t59=v t60=v t61=v t62=v t63=v t64=v",
     "OK NEW A"},
    {"HLEN @run:$A", "68"},
    {"HGET @run:$A gates", "t1=v,t64=v"},
    {0},
};

static struct row priority_then_submission[] = {
    {"submit A", "OK NEW A"},
    {"submit B --priority=-2147483648", "OK NEW B"},
    {"submit C --priority=2147483647", "OK NEW C"},
    {"submit D --priority=1", "OK NEW D"},
    {"submit E --priority=1", "OK NEW E"},
    {"ZRANGE @queue 0 -1 WITHSCORES", "C -2147483647 D -1 E -1 A 0 B 2147483648"},
    {"ZRANGE @ready 0 -1", "C"},
    {0},
};

static struct row ids_sort_by_submission[] = {
    {"at 1000000000000", ""},
    {"run/submit '' ABCD 2 0 {} 0 '' '' 0 {} 0 '' '' 0", "OK NEW r0x3aaa400000ABCD NEW r0x3aaa400001ABCD"},
    {"run/submit '' ABCD 1 0 {} 0 '' '' 0", "OK NEW r0x3aaa400002ABCD"},
    {"at 1000000000001", ""},
    {"run/submit '' ABCD 1 0 {} 0 '' '' 0", "OK NEW r0x3aaa401000ABCD"},
    {0},
};

static struct row ids_sort_when_the_clock_is_set_back[] = {
    {"at 5000", ""},
    {"submit A", "OK NEW A"},
    {"at 4000", ""},
    {"submit B", "OK NEW B"},
    {"HGET @run:$B submitted_at", "4000"},
    {"at 5000", ""},
    {"submit C", "OK NEW C"},
    {"at 5001", ""},
    {"submit D", "OK NEW D"},
    {"ZRANGE @queue 0 -1", "A B C D"},
    {"HMGET @meta id_ms id_seq", "5001 0"},
    {0},
};

/* The 32769th run of a millisecond is numbered in the next one. */
static struct row ids_beyond_a_millisecond[] = {
    {"HSET @meta id_ms 1000 id_seq 32766", "2"},
    {"run/submit '' ABCD 2 0 {} 0 '' '' 0 {} 0 '' '' 0", "OK NEW r0000000z8zzzABCD NEW r0000000z9000ABCD"},
    {"submit A", "OK NEW A"},
    {"at 1001", ""},
    {"submit B", "OK NEW B"},
    {"HMGET @meta id_ms id_seq", "1001 2"},
    {"at 1002", ""},
    {"submit C", "OK NEW C"},
    {"HMGET @meta id_ms id_seq", "1002 0"},
    {"ZRANGE @queue 2 -1", "A B C"},
    {0},
};

static struct row key_names_the_run[] = {
    {"submit A --key=k", "OK NEW A"},
    {"same submit B --key=k --priority=9", "OK EXISTS A"},
    {"run/finish $A 0 host:1 Success '' 0", "STALE Queued"},
    {"run/cancel $A 0", "CANCELED"},
    {"submit B --key=k", "OK EXISTS A"},
    {"run/delete $A", "OK"},
    {"submit B --key=k", "OK NEW B"},
    {0},
};

static struct row key_twice_in_a_batch[] = {
    {"run/submit '' ___A 1 0 {} 0 k '' 0", "OK NEW A"},
    {"run/submit '' ___B 3 0 {} 0 k '' 0 {} 0 m '' 0 {} 0 m '' 0", "OK EXISTS A NEW B EXISTS B"},
    {"ZRANGE @queue 0 -1", "A B"},
    {0},
};

static struct row odd_key[] = {
    {"submit A --key='a b {c}'", "OK NEW A"},
    {"submit B --key='a b {c}'", "OK EXISTS A"},
    {"submit C --key='a b'", "OK NEW C"},
    {0},
};

static struct row queue_is_full[] = {
    {"HSET @config max_queued_runs 2", "1"},
    {"submit A --key=k", "OK NEW A"},
    {"submit B --delay=100", "OK NEW B"},
    {"events", "RunQueued A; RunQueued B"},
    {"same submit C", "OK FULL ''"},
    {"same submit D --key=k", "OK EXISTS A"},
    {"admit", "OK 0 A 1 1"},
    {"run/submit '' ___E 3 0 {} 0 k '' 0 {} 0 '' '' 0 {} 0 m '' 0", "OK EXISTS A NEW E FULL ''"},
    {"EXISTS @key:m", "0"},
    {0},
};

static struct row max_queued_runs[] = {
    {"HSET @config max_queued_runs 0", "1"},
    {"submit A", "OK FULL ''"},
    {"HSET @config max_queued_runs three", "0"},
    {"submit A", "OK FULL ''"},
    {"HSET @config max_queued_runs nan", "0"},
    {"submit A", "OK FULL ''"},
    {"HSET @config max_queued_runs -1", "0"},
    {"submit A", "OK NEW A"},
    {0},
};

static struct row repeated_request[] = {
    {"submit A --request=c:1 --key=k", "OK NEW A"},
    {"same submit A --request=c:1 --key=k", "OK NEW A"},
    {"submit B --request=c:2", "OK NEW B"},
    {"submit C --request=d:1", "OK NEW C"},
    {"run/cancel $A 0", "CANCELED"},
    {"run/delete $A", "OK"},
    {"same submit A --request=c:1 --key=k", "OK NEW A"},
    {"ZRANGE @queue 0 -1", "B C"},
    {"same run/submit c:1 ___X 0", "OK NEW A"},
    {0},
};

static struct row answers_with_odd_bytes[] = {
    {"HSET @config max_queued_runs 1", "1"},
    {"run/submit c:1 ___A 3 0 {} 0 '' '' 0 {} 0 '' '' 0 {} 0 '' '' 0", "OK NEW A FULL '' FULL ''"},
    {"same run/submit c:1 ___A 3", "OK NEW A FULL '' FULL ''"},
    {0},
};

/* The last 64 answers of a client are kept. */
static struct row ring_of_answers[] = {
    {"repeat 65 submit X# --request=c:#", "OK NEW X65"},
    {"HLEN @request:c", "64"},
    {"same submit Y --request=c:2", "OK NEW X2"},
    {"same submit Y --request=c:65", "OK NEW X65"},
    {"submit Y --request=c:1", "OK NEW Y"},
    {"same submit Y --request=c:1", "OK NEW Y"},
    {0},
};

static struct row answers_are_kept_for_ten_minutes[] = {
    {"submit A --request=c:1", "OK NEW A"},
    {"submit B --request=d:1", "OK NEW B"},
    {"PEXPIRE @request:c 600001 GT", "1"},
    {"PEXPIRE @request:d 540000 LT", "1"},
    {0},
};

static struct row one_token_in_the_bell[] = {
    {"submit A", "OK NEW A"},
    {"submit B --priority=1", "OK NEW B"},
    {"LLEN @bell", "1"},
    {0},
};

static struct row bell_is_not_rung_for_a_run_behind_a_head[] = {
    {"submit A", "OK NEW A"},
    {"DEL @bell", "1"},
    {"submit B", "OK NEW B"},
    {"EXISTS @bell", "0"},
    {"submit C --priority=1", "OK NEW C"},
    {"ZRANGE @ready 0 -1", "C"},
    {"LLEN @bell", "1"},
    {0},
};

static struct row bell_is_not_rung_without_room[] = {
    {"HSET @config max_concurrent_runs 1", "1"},
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"DEL @bell", "1"},
    {"submit B", "OK NEW B"},
    {"EXISTS @bell", "0"},
    {0},
};

static struct row behind_a_parked_head[] = {
    {"limits team=1", "OK 0"},         {"submit A team=a", "OK NEW A"},
    {"submit B team=a", "OK NEW B"},   {"admit", "OK 0 A 1 1"},
    {"ZRANGE @parked:team 0 -1", "B"}, {"DEL @bell", "1"},
    {"submit C team=a", "OK NEW C"},   {"EXISTS @bell @ready", "0"},
    {"ZRANGE @lane:team 0 -1", "B C"}, {0},
};

/* The better run is tried in place of the parked head, as only admit knows whether the limits are still the
 * same. */
static struct row better_run_replaces_a_parked_head[] = {
    {"limits team=1", "OK 0"},
    {"submit A team=a", "OK NEW A"},
    {"submit B team=a", "OK NEW B"},
    {"admit", "OK 0 A 1 1"},
    {"DEL @bell", "1"},
    {"submit C team=a --priority=3", "OK NEW C"},
    {"HEXISTS @run:$B parked", "0"},
    {"ZRANGE @parked:team 0 -1 WITHSCORES", "C -3"},
    {"ZRANGE @parked 0 -1", "team"},
    {"HGET @run:$C parked", "team"},
    {"EXISTS @ready @bell", "0"},
    {"run/finish $A %A host:1 Success '' 0", "OK"},
    {"admit", "OK 0 C 11 1"},
    {0},
};

/* Nobody has followed this limit yet: it may be gone before that, and keeps no head back. */
static struct row better_run_is_tried_under_a_new_limit[] = {
    {"limits team=1", "OK 0"},
    {"submit A team=a", "OK NEW A"},
    {"submit B team=a", "OK NEW B"},
    {"admit", "OK 0 A 1 1"},
    {"DEL @bell", "1"},
    {"HSET @tag_limits team 0", "0"},
    {"submit C team=a --priority=3", "OK NEW C"},
    {"EXISTS @parked @parked:team", "0"},
    {"HEXISTS @run:$B parked", "0"},
    {"HGET @run:$C unseen", "1"},
    {"ZRANGE @ready 0 -1", "C"},
    {"LLEN @bell", "1"},
    {"admit", "OK 0"},
    {"ZRANGE @parked:team 0 -1 WITHSCORES", "C -3"},
    {0},
};

static struct row first_of_a_lane_is_parked_at_a_full_gate[] = {
    {"limits team=*=0", "OK 0"},
    {"submit A team=a", "OK NEW A"},
    {"ZRANGE @parked:team=a 0 -1", "A"},
    {"HGET @run:$A parked", "team=a"},
    {"EXISTS @ready @bell", "0"},
    {"HSET @tag_limits team=* 1", "0"},
    {"admit", "OK 0 A 1 1"},
    {0},
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(new_run),
        QUEUE_TEST(optional_fields),
        QUEUE_TEST(delayed_run),
        QUEUE_TEST(lanes_by_gates),
        QUEUE_TEST(gates_of_one_key),
        QUEUE_TEST(odd_tag_values),
        QUEUE_TEST(many_limits),
        QUEUE_TEST(sixty_four_tags),
        QUEUE_TEST(priority_then_submission),
        QUEUE_TEST(ids_sort_by_submission),
        QUEUE_TEST(ids_sort_when_the_clock_is_set_back),
        QUEUE_TEST(ids_beyond_a_millisecond),
        QUEUE_TEST(key_names_the_run),
        QUEUE_TEST(key_twice_in_a_batch),
        QUEUE_TEST(odd_key),
        QUEUE_TEST(queue_is_full),
        QUEUE_TEST(max_queued_runs),
        QUEUE_TEST(repeated_request),
        QUEUE_TEST(answers_with_odd_bytes),
        QUEUE_TEST(ring_of_answers),
        QUEUE_TEST(answers_are_kept_for_ten_minutes),
        QUEUE_TEST(one_token_in_the_bell),
        QUEUE_TEST(bell_is_not_rung_for_a_run_behind_a_head),
        QUEUE_TEST(bell_is_not_rung_without_room),
        QUEUE_TEST(behind_a_parked_head),
        QUEUE_TEST(better_run_replaces_a_parked_head),
        QUEUE_TEST(better_run_is_tried_under_a_new_limit),
        QUEUE_TEST(first_of_a_lane_is_parked_at_a_full_gate),
    };
    return cmocka_run_group_tests(tests, queue_open, queue_close);
}
