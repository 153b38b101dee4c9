#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/queue.h"

static struct row granted[] = {
    {"HSET @pool_limits db 4", "1"},
    {"pool/claim x/a '' 1 0 db 3", "GRANTED 1 300000"},
    {"ZRANGE @pool:db:holders 0 -1 WITHSCORES", "x/a 3"},
    {"HGETALL @pool_used", "db 3"},
    {"ZRANGE @slots 0 -1 WITHSCORES", "x/a 301000"},
    {"HGETALL @slots:x", "a token=1 lease=300000 attempt=1 claimed_at=1000 shape=db=3 held=db=3"},
    {"events", "StepSlotClaimed x step a attempt 1 pools db=3 token 1 waited_ms 0"},
    {0},
};

static struct row asked_again[] = {
    {"HSET @pool_limits db 4", "1"},
    {"pool/claim x/a '' 1 0 db 3", "GRANTED 1 300000"},
    {"DEL @events", "1"},
    {"same pool/claim x/a '' 1 0 db 3", "GRANTED 1 300000"},
    {"at 2000", ""},
    {"pool/claim x/a '' 1 0 db 3", "GRANTED 1 300000"},
    {"ZSCORE @slots x/a", "302000"},
    {"HGET @pool_used db", "3"},
    {"events", "''"},
    {0},
};

/* What was granted is held, also when the limit has become less than that. */
static struct row asked_again_under_a_lowered_limit[] = {
    {"HSET @pool_limits db 4", "1"},
    {"pool/claim x/a '' 1 0 db 3", "GRANTED 1 300000"},
    {"HSET @pool_limits db 2", "0"},
    {"pool/claim x/a '' 1 0 db 3", "GRANTED 1 300000"},
    {"HGET @pool_used db", "3"},
    {"pool/claim x/b '' 1 0 db 1", "WAITING pool 'db' full (3/2) db 1"},
    {0},
};

static struct row all_or_none[] = {
    {"HSET @pool_limits db 4 api 8", "2"},
    {"pool/claim x/a '' 1 0 db 4", "GRANTED 1 300000"},
    {"pool/claim x/b '' 1 0 api 2 db 1", "WAITING pool 'db' full (4/4) api 1 db 1"},
    {"HGETALL @pool_used", "db 4"},
    {"EXISTS @pool:api:holders", "0"},
    {"pool/claim x/c '' 1 0 api 8", "GRANTED 2 300000"},
    {"pool/claim x/b '' 1 0 api 2 db 1", "WAITING pools full: 'api' (8/8), 'db' (4/4)"},
    {"pool/release x/c 2 1", "OK"},
    {"HGET @slots:x b", "waits"},
    {"pool/release x/a 1 1", "OK"},
    {"pool/claim x/b '' 1 0 api 2 db 1", "GRANTED 3 300000"},
    {"HGETALL @pool_used", "api 2 db 1"},
    {0},
};

static struct row named_twice[] = {
    {"HSET @pool_limits db 4", "1"},
    {"pool/claim x/a '' 1 0 db 1 db 2", "GRANTED 1 300000"},
    {"HGET @pool_used db", "3"},
    {"same pool/claim x/a '' 1 0 db 3", "GRANTED 1 300000"},
    {"pool/claim x/b '' 1 0 db 2 db 3", "NEVER db 5 4"},
    {"HSET @pool_limits 'a b' 3 b -1", "2"},
    {"pool/claim x/c '' 1 0 db 1 'a b' 2 b 1 'a b' 1", "GRANTED 2 300000"},
    {"HGET @slots:x c",
     "token=2 lease=300000 attempt=1 claimed_at=1000 shape=a%20b=3,b=1,db=1 held=a%20b=3,db=1"},
    {0},
};

/* The order of the pools says nothing. */
static struct row order_of_pools[] = {
    {"HSET @pool_limits db 4 api 8", "2"},
    {"pool/claim x/a '' 1 0 db 1 api 2", "GRANTED 1 300000"},
    {"same pool/claim x/a '' 1 0 api 2 db 1", "GRANTED 1 300000"},
    {0},
};

static struct row unlimited[] = {
    {"HSET @pool_limits db -1", "1"},
    {"pool/claim x/a '' 1 0 db 1000", "GRANTED 1 0"},
    {"EXISTS @pool_used @pool:db:holders @slots @slots:x", "0"},
    {"events", "StepSlotClaimed x step a attempt 1 pools db=1000 token 1 waited_ms 0"},
    {"pool/release x/a 1 1", "OK"},
    {"events", "''"},
    {0},
};

static struct row unlimited_and_limited[] = {
    {"HSET @pool_limits db 2 log -1", "2"},
    {"pool/claim x/a '' 1 0 db 2 log 7", "GRANTED 1 300000"},
    {"HGETALL @pool_used", "db 2"},
    {"HGET @slots:x a", "token=1 lease=300000 attempt=1 claimed_at=1000 shape=db=2,log=7 held=db=2"},
    {"EXISTS @pool:log:holders", "0"},
    {"pool/claim x/b '' 1 0 db 1 log 1", "WAITING pool 'db' full (2/2) db 1 log 1"},
    {"pool/claim x/c '' 1 0 log 1", "GRANTED 2 0"},
    {"HEXISTS @wait:x/b passed_at", "0"},
    {"pool/release x/a 1 1", "OK"},
    {"ZRANGE @pool:db:holders 0 -1 WITHSCORES", "x/b 1"},
    {0},
};

/* What was changed before it came was followed by nobody; from then on the change back is one. */
static struct row limit_there_and_back[] = {
    {"HSET @pool_limits db 1", "1"},
    {"pool/claim x/a '' 1 0 db 1", "GRANTED 1 300000"},
    {"pool/claim x/b '' 1 0 db 1", "WAITING pool 'db' full (1/1) db 1"},
    {"pool/release x/b '' 1", "OK"},
    {"pool/release x/a 1 1", "OK"},
    {"HSET @pool_limits db 0", "0"},
    {"pool/claim x/c '' 1 0 db 1", "WAITING pool 'db' full (0/0) db 1"},
    {"HSET @pool_limits db 1", "0"},
    {"pool/claim x/d '' 1 0 db 1", "WAITING pool 'db' full (1/1) db 1"},
    {"ZRANGE @pool:db:holders 0 -1", "x/c"},
    {0},
};

static struct row limit_zero_waits[] = {
    {"HSET @pool_limits db 0", "1"},
    {"pool/claim x/a '' 1 0 db 3", "WAITING pool 'db' full (0/0) db 1"},
    {"events", "StepSlotWaiting x step a attempt 1 pools db=3 reason pool 'db' full (0/0)"},
    {"HSET @pool_limits db 3", "0"},
    {"pool/claim x/a '' 1 0 db 3", "GRANTED 1 300000"},
    {0},
};

/* A typing error must not lift a limit. */
static struct row garbage_limits[] = {
    {"HSET @pool_limits a '' b x c 4.5 d ' 4' e 1e3 f - g 0x10 h +3", "8"},
    {"pool/claim x/a '' 1 0 a 1", "WAITING pool 'a' full (0/0) a 1"},
    {"pool/claim x/b '' 1 0 b 1", "WAITING pool 'b' full (0/0) b 1"},
    {"pool/claim x/c '' 1 0 c 1", "WAITING pool 'c' full (0/0) c 1"},
    {"pool/claim x/d '' 1 0 d 1", "WAITING pool 'd' full (0/0) d 1"},
    {"pool/claim x/e '' 1 0 e 1", "WAITING pool 'e' full (0/0) e 1"},
    {"pool/claim x/f '' 1 0 f 1", "WAITING pool 'f' full (0/0) f 1"},
    {"pool/claim x/g '' 1 0 g 1", "WAITING pool 'g' full (0/0) g 1"},
    {"pool/claim x/h '' 1 0 h 1", "WAITING pool 'h' full (0/0) h 1"},
    {0},
};

static struct row never[] = {
    {"HSET @pool_limits db 4 api 8", "2"},
    {"pool/claim x/a '' 1 0 db 5", "NEVER db 5 4"},
    {"pool/claim x/a '' 1 0 api 9 db 1", "NEVER api 9 8"},
    {"EXISTS @slots:x @waiters @slots @pool_used", "0"},
    {0},
};

static struct row never_by_a_lowered_limit[] = {
    {"HSET @pool_limits db 4", "1"},
    {"pool/claim x/a '' 1 0 db 4", "GRANTED 1 300000"},
    {"pool/claim x/b '' 1 0 db 4", "WAITING pool 'db' full (4/4) db 1"},
    {"HSET @pool_limits db 3", "0"},
    {"pool/claim x/b '' 1 0 db 4", "NEVER db 4 3"},
    {"EXISTS @waiters @wait:x/b @pool:db:waiters @pool:db:shapes @shape:db=4", "0"},
    {0},
};

static struct row unknown_pool[] = {
    {"pool/claim x/a '' 1 0 db 1", "UNKNOWN_POOL db"},
    {"HSET @pool_limits api 1", "1"},
    {"pool/claim x/a '' 1 0 api 1 db 1", "UNKNOWN_POOL db"},
    {"EXISTS @events @pool_used", "0"},
    {"HKEYS @pool_limits", "api"},
    {0},
};

static struct row unknown_pool_of_a_step[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"HSET @run:$A state Started", "0"},
    {"DEL @events", "1"},
    {"pool/claim $A/s %A 1 '' 'my pool' 2", "GRANTED 11 0"},
    {"HGETALL @pool_limits", "my pool -1"},
    {"events", "PoolCreated A pool my pool limit -1; StepSlotClaimed A step s attempt 1 pools my pool=2 "
               "token 11 waited_ms 0"},
    {0},
};

/* What can never run creates nothing. */
static struct row never_creates_no_pool[] = {
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"HSET @run:$A state Started", "0"},
    {"HSET @pool_limits db 1", "1"},
    {"pool/claim $A/s %A 1 '' aa 1 db 2", "NEVER db 2 1"},
    {"HKEYS @pool_limits", "db"},
    {0},
};

static struct row not_the_claimants_run[] = {
    {"HSET @pool_limits db 1", "1"},
    {"submit A", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"same pool/claim $A/s %A 1 '' db 1", "STALE NotStarted"},
    {"HSET @run:$A state Started", "0"},
    {"same pool/claim $A/s 9 1 '' db 1", "STALE Started"},
    {"same pool/claim nobody/s 9 1 '' db 1", "STALE ''"},
    {"run/finish $A %A host:1 Success '' 0", "OK"},
    {"same pool/claim $A/s %A 1 '' db 1", "STALE Success"},
    {0},
};

static struct row escaped_names[] = {
    {"HSET @pool_limits 'a,b=1 %' 2 'caf\xc3\xa9 (x)' 1", "2"},
    {"pool/claim x/a '' 1 0 'a,b=1 %' 2 'caf\xc3\xa9 (x)' 1", "GRANTED 1 300000"},
    {"HGETALL @pool_used", "a%2Cb%3D1%20%25 2 caf%C3%A9%20%28x%29 1"},
    {"pool/claim x/b '' 1 0 'a,b=1 %' 1", "WAITING pool 'a,b=1 %' full (2/2) a,b=1 % 1"},
    {"pool/claim x/c '' 1 0 'caf\xc3\xa9 (x)' 1",
     "WAITING pool 'caf\xc3\xa9 (x)' full (1/1) caf\xc3\xa9 (x) 1"},
    {"pool/release x/a 1 1", "OK"},
    {"HGETALL @pool_used", "a%2Cb%3D1%20%25 1 caf%C3%A9%20%28x%29 1"},
    {"pool/claim x/d '' 1 0 'a,b=1 %' 3", "NEVER a,b=1 % 3 2"},
    {0},
};

/* By priority, then by arrival; positions are counted at the moment of the answer, once. */
static struct row line[] = {
    {"HSET @pool_limits db 1", "1"},
    {"pool/claim x/a '' 1 0 db 1", "GRANTED 1 300000"},
    {"pool/claim x/b '' 1 0 db 1", "WAITING pool 'db' full (1/1) db 1"},
    {"pool/claim x/c '' 1 -5 db 1", "WAITING pool 'db' full (1/1) db 2"},
    {"pool/claim x/d '' 1 5 db 1", "WAITING pool 'db' full (1/1) db 1"},
    {"pool/claim x/e '' 1 0 db 1", "WAITING pool 'db' full (1/1) db 3"},
    {"pool/claim x/b '' 1 0 db 1", "WAITING pool 'db' full (1/1)"},
    {"ZRANK @pool:db:waiters '000000000000001 x/b'", "1"},
    {"ZRANK @pool:db:waiters '000000000000002 x/c'", "3"},
    {"pool/release x/a 1 1", "OK"},
    {"ZRANGE @pool:db:holders 0 -1", "x/d"},
    {"pool/release x/d 2 1", "OK"},
    {"ZRANGE @pool:db:holders 0 -1", "x/b"},
    {"pool/release x/b 3 1", "OK"},
    {"ZRANGE @pool:db:holders 0 -1", "x/e"},
    {"pool/release x/e 4 1", "OK"},
    {"ZRANGE @pool:db:holders 0 -1", "x/c"},
    {"pool/release x/c 5 1", "OK"},
    {"DEL @events @pool_limits @meta @wake:x", "4"},
    {"DBSIZE", "0"},
    {0},
};

/* A step has the priority of its run. */
static struct row priority_of_the_run[] = {
    {"HSET @pool_limits db 1", "1"},
    {"submit A --priority=3", "OK NEW A"},
    {"admit", "OK 0 A 1 1"},
    {"HSET @run:$A state Started", "0"},
    {"pool/claim x/a '' 1 0 db 1", "GRANTED 11 300000"},
    {"pool/claim x/b '' 1 2 db 1", "WAITING pool 'db' full (1/1) db 1"},
    {"pool/claim $A/s %A 1 '' db 1", "WAITING pool 'db' full (1/1) db 1"},
    {"HMGET @wait:$A/s priority arrival since", "3 2 1000"},
    {0},
};

/* The event comes once a wait; each asking keeps the waiter alive. */
static struct row waiting[] = {
    {"HSET @pool_limits db 1", "1"},
    {"pool/claim x/a '' 1 0 db 1", "GRANTED 1 300000"},
    {"DEL @events", "1"},
    {"pool/claim x/b '' 1 0 db 1", "WAITING pool 'db' full (1/1) db 1"},
    {"ZSCORE @waiters x/b", "31000"},
    {"at 11000", ""},
    {"pool/claim x/b '' 1 0 db 1", "WAITING pool 'db' full (1/1)"},
    {"ZSCORE @waiters x/b", "41000"},
    {"events", "StepSlotWaiting x step b attempt 1 pools db=1 reason pool 'db' full (1/1)"},
    {"pool/release x/a 1 1", "OK"},
    {"events", "StepSlotReleased x step a attempt 1 pools db=1 token 1; "
               "StepSlotClaimed x step b attempt 1 pools db=1 token 2 waited_ms 10000"},
    {"pool/claim x/b '' 1 0 db 1", "GRANTED 2 300000"},
    {"events", "''"},
    {0},
};

static struct row dead_waiter_vanishes[] = {
    {"HSET @pool_limits db 2", "1"},
    {"pool/claim x/a '' 1 0 db 1", "GRANTED 1 300000"},
    {"pool/claim x/b '' 1 5 db 2", "WAITING pool 'db' full (1/2) db 1"},
    {"at 30999", ""},
    {"pool/claim x/c '' 1 0 db 2", "WAITING pool 'db' full (1/2) db 2"},
    {"at 31000", ""},
    {"pool/claim x/c '' 1 0 db 2", "WAITING pool 'db' full (1/2) db 1"},
    {"EXISTS @wait:x/b", "0"},
    {"HEXISTS @slots:x b", "0"},
    {"ZRANGE @shape:db=2 0 -1", "000000000000002 x/c"},
    {0},
};

/* A grant that nobody comes for within 30 s is given on. */
static struct row granted_to_the_dead[] = {
    {"HSET @pool_limits db 1", "1"},
    {"pool/claim x/a '' 1 0 db 1", "GRANTED 1 300000"},
    {"pool/claim x/b '' 1 5 db 1", "WAITING pool 'db' full (1/1) db 1"},
    {"pool/claim x/c '' 1 0 db 1", "WAITING pool 'db' full (1/1) db 2"},
    {"at 2000", ""},
    {"pool/release x/a 1 1", "OK"},
    {"ZRANGE @slots 0 -1 WITHSCORES", "x/b 32000"},
    {"at 20000", ""},
    {"pool/claim x/c '' 1 0 db 1", "WAITING pool 'db' full (1/1)"},
    {"at 32000", ""},
    {"pool/claim x/c '' 1 0 db 1", "GRANTED 3 300000"},
    {0},
};

/* Woken by a limit that was raised with HSET, at the next admission, or claim of a pool that somebody waits for. */
static struct row limit_raised[] = {
    {"HSET @pool_limits db 1 api 1", "2"},
    {"pool/claim x/a '' 1 0 db 1", "GRANTED 1 300000"},
    {"pool/claim x/b '' 1 0 db 1", "WAITING pool 'db' full (1/1) db 1"},
    {"HSET @pool_limits db 2", "0"},
    {"pool/claim x/c '' 1 0 api 1", "GRANTED 2 300000"},
    {"pool/claim x/d '' 1 0 db 1", "WAITING pool 'db' full (2/2) db 1"},
    {"ZRANGE @pool:db:holders 0 -1", "x/a x/b"},
    {"LRANGE @wake:x 0 -1", "1"},
    {"PERSIST @wake:x", "1"},
    {0},
};

/* Nobody comes in past those whom the new limit lets in. */
/* What is claimed and released says nothing of the limits of other pools. */
static struct row limit_of_another_pool_raised[] = {
    {"HSET @pool_limits db 0 api 1", "2"},
    {"pool/claim x/a '' 1 0 db 1", "WAITING pool 'db' full (0/0) db 1"},
    {"pool/claim x/b '' 1 0 api 1", "GRANTED 1 300000"},
    {"pool/claim x/c '' 1 0 api 1", "WAITING pool 'api' full (1/1) api 1"},
    {"HGETALL @pools_seen", "db 0 api 1"},
    {"HSET @pool_limits db 1", "0"},
    {"pool/claim x/d '' 1 0 api 1", "WAITING pool 'api' full (1/1) api 2"},
    {"pool/release x/b 1 1", "OK"},
    {"HGET @slots:x a", "waits"},
    {"admit", "OK 0"},
    {"HGETALL @pool_used", "api 1 db 1"},
    {"HGETALL @pools_seen", "api 1"},
    {0},
};

/* Where somebody waits for many pools, admissions look at their limits once a second, in slices. */
static struct row limit_of_many_raised[] = {
    {"repeat 600 HSET @pool_limits p# 0", "1"},
    {"repeat 600 pool/claim x#/a '' 1 0 p# 1", "WAITING pool 'p600' full (0/0) p600 1"},
    {"HLEN @pools_seen", "600"},
    {"admit", "OK 1"},
    {"repeat 5 admit", "OK 0"},
    {"HSET @pool_limits p77 1", "0"},
    {"at 1999", ""},
    {"admit", "OK 0"},
    {"HGET @pool_used p77", "(nil)"},
    {"at 2000", ""},
    {"admit", "OK 1"},
    {"repeat 5 admit", "OK 0"},
    {"HGET @pool_used p77", "1"},
    {"HLEN @pools_seen", "599"},
    {"HSET @pool_limits p78 1", "0"},
    {"pool/claim y/a '' 1 0 p78 1", "WAITING pool 'p78' full (1/1) p78 1"},
    {"HGET @slots:x78 a", "token=2 lease=300000 attempt=1 claimed_at=2000 shape=p78=1 held=p78=1"},
    {0},
};

static struct row newcomer_under_a_raised_limit[] = {
    {"HSET @pool_limits db 1", "1"},
    {"pool/claim x/a '' 1 0 db 1", "GRANTED 1 300000"},
    {"pool/claim x/b '' 1 0 db 1", "WAITING pool 'db' full (1/1) db 1"},
    {"HSET @pool_limits db 2", "0"},
    {"pool/claim x/c '' 1 0 db 1", "WAITING pool 'db' full (2/2) db 1"},
    {"ZRANGE @pool:db:holders 0 -1", "x/a x/b"},
    {0},
};

/* A limit that lets more in than one call can serve: nobody comes in past them, and the next calls go on. */
/* More are refused before anything is written. */
static struct row most_pools[] = {
    {"pool/claim x/a '' 1 0 p1 1 p2 1 p3 1 p4 1 p5 1 p6 1 p7 1 p8 1 p9 1 p10 1 p11 1 p12 1 p13 1"
     " p14 1 p15 1 p16 1 p17 1 p18 1 p19 1 p20 1 p21 1 p22 1 p23 1 p24 1 p25 1 p26 1 p27 1 p28 1"
     " p29 1 p30 1 p31 1 p32 1 p33 1 p34 1 p35 1 p36 1 p37 1 p38 1 p39 1 p40 1 p41 1 p42 1 p43 1"
     " p44 1 p45 1 p46 1 p47 1 p48 1 p49 1 p50 1 p51 1 p52 1 p53 1 p54 1 p55 1 p56 1 p57 1 p58 1"
     " p59 1 p60 1 p61 1 p62 1 p63 1 p64 1",
     "UNKNOWN_POOL p1"},
    {"same pool/claim x/a '' 1 0 p1 1 p2 1 p3 1 p4 1 p5 1 p6 1 p7 1 p8 1 p9 1 p10 1 p11 1 p12 1 "
     "p13 1 p14 1 p15 1 p16 1 p17 1 p18 1 p19 1 p20 1 p21 1 p22 1 p23 1 p24 1 p25 1 p26 1 p27 1 "
     "p28 1 p29 1 p30 1 p31 1 p32 1 p33 1 p34 1 p35 1 p36 1 p37 1 p38 1 p39 1 p40 1 p41 1 p42 1 "
     "p43 1 p44 1 p45 1 p46 1 p47 1 p48 1 p49 1 p50 1 p51 1 p52 1 p53 1 p54 1 p55 1 p56 1 p57 1 "
     "p58 1 p59 1 p60 1 p61 1 p62 1 p63 1 p64 1 p65 1",
     "TOO_MANY 64"},
    {0},
};

/* Behind the edge, numbers that operators set are the last that is exact with all that is added to it; a limit stays one. */
static struct row numbers_too_big[] = {
    {"HSET @pool_limits a 1000000000000000 b 99999999999999999999 c 9*400", "3"},
    {"HSET @pool_leases a 1000000000000000 b 99999999999999999999 c 9*400", "3"},
    {"HSET @pool_bypass a 99999999999999999999", "1"},
    {"pool/claim x/a '' 1 0 a 1", "GRANTED 1 1000000000000000"},
    {"pool/claim x/b '' 1 0 b 1", "GRANTED 2 1000000000000000"},
    {"pool/claim x/c '' 1 0 c 1", "GRANTED 3 1000000000000000"},
    {"HGETALL @pool_used", "a 1 b 1 c 1"},
    {"ZRANGE @slots 0 -1 WITHSCORES", "x/a 1000000000001000 x/b 1000000000001000 x/c 1000000000001000"},
    {"admit", "OK 0"},
    {"ZCARD @slots", "3"},
    {"HSET @pool_limits a 1", "0"},
    {"pool/claim x/d '' 1 0 a 1", "WAITING pool 'a' full (1/1) a 1"},
    {"pool/release x/a 1 1", "OK"},
    {"pool/claim x/d '' 1 0 a 1", "GRANTED 4 1000000000000000"},
    {0},
};

static struct row many_let_in[] = {
    {"HSET @pool_limits db 0", "1"},
    {"repeat 120 pool/claim x#/a '' 1 0 db 1", "WAITING pool 'db' full (0/0) db 120"},
    {"HSET @pool_limits db 200", "0"},
    {"pool/claim y/a '' 1 0 db 1", "WAITING pool 'db' is still serving those in line db 71"},
    {"SMEMBERS @pools_due", "db"},
    {"admit", "OK 1"},
    {"pool/claim y/a '' 1 0 db 1", "GRANTED 121 300000"},
    {"EXISTS @pools_due @waiters", "0"},
    {"HGET @pool_used db", "121"},
    {0},
};

/* One that waits for a pool that became unlimited is told, and recorded nowhere. */
static struct row became_unlimited[] = {
    {"HSET @pool_limits db 0", "1"},
    {"pool/claim x/a '' 1 0 db 3", "WAITING pool 'db' full (0/0) db 1"},
    {"HSET @pool_limits db -1", "0"},
    {"admit", "OK 0"},
    {"LRANGE @wake:x 0 -1", "1"},
    {"pool/claim x/a '' 1 0 db 3", "GRANTED 1 0"},
    {"EXISTS @waiters @slots @pool_used @slots:x @wait:x/a @pool:db:waiters @pool:db:shapes @shape:db=3",
     "0"},
    {0},
};

/* A claim with a higher priority does not wait for one that does not fit. */
static struct row small_passes_big[] = {
    {"HSET @pool_limits db 4", "1"},
    {"pool/claim x/a '' 1 0 db 2", "GRANTED 1 300000"},
    {"pool/claim x/big '' 1 0 db 4", "WAITING pool 'db' full (2/4) db 1"},
    {"pool/claim x/c '' 1 7 db 1", "GRANTED 2 300000"},
    {"HEXISTS @wait:x/big passed_at", "0"},
    {"at 5000", ""},
    {"pool/claim x/d '' 1 0 db 1", "GRANTED 3 300000"},
    {"HGET @wait:x/big passed_at", "5000"},
    {"at 9000", ""},
    {"pool/release x/d 3 1", "OK"},
    {"pool/claim x/e '' 1 0 db 1", "GRANTED 4 300000"},
    {"HGET @wait:x/big passed_at", "5000"},
    {0},
};

#define BIG_WAITS                                                                                            \
    {"HSET @pool_limits db 4", "1"}, {"pool/claim x/a '' 1 0 db 2", "GRANTED 1 300000"},                     \
        {"pool/claim x/big '' 1 0 db 4", "WAITING pool 'db' full (2/4) db 1"},                               \
    {                                                                                                        \
        "pool/claim x/b '' 1 0 db 1", "GRANTED 2 300000"                                                     \
    }

/* After max_bypass freed slots are kept for the big one, from all behind it. */
static struct row slots_are_kept[] = {
    BIG_WAITS,
    {"at 10999", ""},
    {"pool/claim x/c '' 1 0 db 1", "GRANTED 3 300000"},
    {"pool/release x/c 3 1", "OK"},
    {"at 11000", ""},
    {"pool/claim x/d '' 1 0 db 1", "WAITING pool 'db' full (3/4) db 2"},
    {"pool/claim x/e '' 1 9 db 1", "GRANTED 4 300000"},
    {"pool/release x/a 1 1", "OK"},
    {"pool/release x/e 4 1", "OK"},
    {"HGET @pool_used db", "1"},
    {"pool/release x/b 2 1", "OK"},
    {"ZRANGE @pool:db:holders 0 -1 WITHSCORES", "x/big 4"},
    {"pool/release x/big 5 1", "OK"},
    {"ZRANGE @pool:db:holders 0 -1 WITHSCORES", "x/d 1"},
    {0},
};

static struct row bypass_of_the_pool[] = {
    {"HSET @pool_bypass db 2000", "1"},
    BIG_WAITS,
    {"at 2999", ""},
    {"pool/claim x/c '' 1 0 db 1", "GRANTED 3 300000"},
    {"pool/release x/c 3 1", "OK"},
    {"at 3000", ""},
    {"pool/claim x/c '' 2 0 db 1", "WAITING pool 'db' full (3/4) db 2"},
    {0},
};

/* What is kept is given when the one it was kept for goes away. */
static struct row kept_for_one_who_leaves[] = {
    BIG_WAITS,
    {"at 11000", ""},
    {"pool/claim x/c '' 1 0 db 1", "WAITING pool 'db' full (3/4) db 2"},
    {"pool/release x/big '' 1", "OK"},
    {"ZSCORE @pool:db:holders x/c", "1"},
    {0},
};

/* One that the limits do not let in keeps nothing. */
static struct row nothing_is_kept_for_the_impossible[] = {
    {"HSET @pool_limits db 4 api 9", "2"},
    {"pool/claim x/a '' 1 0 db 2", "GRANTED 1 300000"},
    {"pool/claim x/big '' 1 0 db 4 api 1", "WAITING pool 'db' full (2/4) api 1 db 1"},
    {"pool/claim x/b '' 1 0 db 1", "GRANTED 2 300000"},
    {"at 11000", ""},
    {"pool/claim x/c '' 1 0 db 1", "WAITING pool 'db' full (3/4) db 2"},
    {"HSET @pool_limits api 0", "0"},
    {"pool/claim x/c '' 1 0 db 1", "GRANTED 3 300000"},
    {0},
};

/* Slots stay kept when a better one of the same shape comes. */
static struct row kept_for_the_shape[] = {
    BIG_WAITS,
    {"at 11000", ""},
    {"pool/claim x/bigger '' 1 5 db 4", "WAITING pool 'db' full (3/4) db 1"},
    {"pool/claim x/c '' 1 0 db 1", "WAITING pool 'db' full (3/4) db 3"},
    {0},
};

/* Kept is what the biggest needs, not what the first does. */
static struct row kept_for_the_biggest[] = {
    {"HSET @pool_limits db 4 api 1", "2"},
    {"pool/claim x/a '' 1 0 api 1", "GRANTED 1 300000"},
    {"pool/claim x/b '' 1 0 db 1", "GRANTED 2 300000"},
    {"pool/claim x/first '' 1 0 db 1 api 1", "WAITING pool 'api' full (1/1) api 1 db 1"},
    {"pool/claim x/big '' 1 0 db 4", "WAITING pool 'db' full (1/4) db 2"},
    {"pool/claim x/c '' 1 0 db 1", "GRANTED 3 300000"},
    {"at 11000", ""},
    {"pool/claim x/d '' 1 0 db 1", "WAITING pool 'db' full (2/4) db 3"},
    {0},
};

/* The second of a shape has been passed as well: it need not wait for its turn from the start. */
static struct row patience_is_inherited[] = {
    BIG_WAITS,
    {"at 2000", ""},
    {"pool/claim x/next '' 1 0 db 4", "WAITING pool 'db' full (3/4) db 2"},
    {"pool/release x/big '' 1", "OK"},
    {"HGET @wait:x/next passed_at", "2000"},
    {0},
};

/* A new attempt gives back what the one before it holds; an earlier one changes nothing. */
static struct row attempts[] = {
    {"HSET @pool_limits db 4", "1"},
    {"pool/claim x/a '' 2 0 db 3", "GRANTED 1 300000"},
    {"same pool/claim x/a '' 1 0 db 3", "STALE attempt 2"},
    {"DEL @events", "1"},
    {"pool/claim x/a '' 3 0 db 4", "GRANTED 2 300000"},
    {"events", "StepSlotReleased x step a attempt 2 pools db=3 token 1; "
               "StepSlotClaimed x step a attempt 3 pools db=4 token 2 waited_ms 0"},
    {"pool/claim x/b '' 10 0 db 1", "WAITING pool 'db' full (4/4) db 1"},
    {"pool/claim x/b '' 9 0 db 1", "STALE attempt 10"},
    {"pool/claim x/c '' 1 0 db 1", "WAITING pool 'db' full (4/4) db 2"},
    {"pool/claim x/b '' 11 0 db 1", "WAITING pool 'db' full (4/4) db 2"},
    {"ZCARD @pool:db:waiters", "2"},
    {0},
};

/* An expired grant is not revived by asking again, and is given on first. */
static struct row expired[] = {
    {"HSET @pool_limits db 1", "1"},
    {"pool/claim x/a '' 1 0 db 1", "GRANTED 1 300000"},
    {"at 290000", ""},
    {"pool/claim x/b '' 1 0 db 1", "WAITING pool 'db' full (1/1) db 1"},
    {"at 300999", ""},
    {"pool/claim x/b '' 1 0 db 1", "WAITING pool 'db' full (1/1)"},
    {"at 301000", ""},
    {"DEL @events", "1"},
    {"pool/claim x/a '' 1 0 db 1", "WAITING pool 'db' full (1/1) db 1"},
    {"events", "StepSlotExpired x step a attempt 1 pools db=1 token 1; "
               "StepSlotClaimed x step b attempt 1 pools db=1 token 2 waited_ms 11000; "
               "StepSlotWaiting x step a attempt 1 pools db=1 reason pool 'db' full (1/1)"},
    {"pool/claim x/b '' 1 0 db 1", "GRANTED 2 300000"},
    {"LRANGE @wake:x 0 -1", "1"},
    {0},
};

/* What has ended matters to those who ask for it. */
static struct row expired_elsewhere[] = {
    {"HSET @pool_limits db 2 api 1", "2"},
    {"pool/claim x/a '' 1 0 db 1", "GRANTED 1 300000"},
    {"at 301000", ""},
    {"DEL @events", "1"},
    {"pool/claim x/b '' 1 0 api 1", "GRANTED 2 300000"},
    {"pool/claim x/c '' 1 0 db 1", "GRANTED 3 300000"},
    {"HGETALL @pool_used", "db 2 api 1"},
    {"pool/claim x/d '' 1 0 db 1", "GRANTED 4 300000"},
    {"events", "StepSlotClaimed x step b attempt 1 pools api=1 token 2 waited_ms 0; "
               "StepSlotClaimed x step c attempt 1 pools db=1 token 3 waited_ms 0; "
               "StepSlotExpired x step a attempt 1 pools db=1 token 1; "
               "StepSlotClaimed x step d attempt 1 pools db=1 token 4 waited_ms 0"},
    {0},
};

/* The shortest lease of the pools, at least a second. */
static struct row leases[] = {
    {"HSET @pool_limits a 9 b 9 c 9 d 9", "4"},
    {"HSET @pool_leases a 5000 b 7000 c 10 d x", "4"},
    {"pool/claim x/a '' 1 0 a 1", "GRANTED 1 5000"},
    {"pool/claim x/b '' 1 0 b 1", "GRANTED 2 7000"},
    {"pool/claim x/c '' 1 0 a 1 b 1", "GRANTED 3 5000"},
    {"pool/claim x/d '' 1 0 a 1 c 1", "GRANTED 4 1000"},
    {"pool/claim x/e '' 1 0 d 1", "GRANTED 5 300000"},
    {"ZRANGE @slots 0 -1 WITHSCORES", "x/d 2000 x/a 6000 x/c 6000 x/b 8000 x/e 301000"},
    {0},
};

/* After a gap a holder has its own lease to come back, also one that ended within the gap. */
static struct row grace[] = {
    {"HSET @pool_limits db 1 api 1", "2"},
    {"HSET @pool_leases db 5000 api 20000", "2"},
    {"pool/claim x/a '' 1 0 db 1", "GRANTED 1 5000"},
    {"pool/claim x/b '' 1 0 api 1", "GRANTED 2 20000"},
    {"at 100000", ""},
    {"HSET @meta resumed_at 99000", "1"},
    {"pool/claim x/c '' 1 0 db 1", "WAITING pool 'db' full (1/1) db 1"},
    {"ZRANGE @slots 0 -1 WITHSCORES", "x/a 104000 x/b 119000"},
    {"pool/renew x a 1", "OK"},
    {"ZSCORE @slots x/a", "105000"},
    {"at 105000", ""},
    {"pool/claim x/c '' 1 0 db 1", "GRANTED 3 5000"},
    {"pool/claim x/d '' 1 0 api 1", "WAITING pool 'api' full (1/1) api 1"},
    {"at 119000", ""},
    {"pool/claim x/d '' 1 0 api 1", "GRANTED 4 20000"},
    {0},
};

/* Waiters cannot have asked within the gap either. */
static struct row grace_of_waiters[] = {
    {"HSET @pool_limits db 1", "1"},
    {"pool/claim x/a '' 1 0 db 1", "GRANTED 1 300000"},
    {"pool/claim x/b '' 1 5 db 1", "WAITING pool 'db' full (1/1) db 1"},
    {"at 100000", ""},
    {"HSET @meta resumed_at 99000", "1"},
    {"pool/claim x/c '' 1 0 db 1", "WAITING pool 'db' full (1/1) db 2"},
    {"at 129000", ""},
    {"pool/claim x/c '' 1 0 db 1", "WAITING pool 'db' full (1/1) db 1"},
    {0},
};

/* The clock has jumped, and a claim comes before the admission that will see it: nothing ends until that, or for a lease. */
static struct row clock_set_ahead[] = {
    {"HSET @pool_limits db 1", "1"},
    {"HSET @pool_leases db 60000", "1"},
    {"pool/claim x/a '' 1 0 db 1", "GRANTED 1 60000"},
    {"at 46000", ""},
    {"admit", "OK 0"},
    {"at 61000", ""},
    {"pool/claim x/b '' 1 0 db 1", "GRANTED 2 60000"},
    {"at 106000", ""},
    {"admit", "OK 0"},
    {"at 121001", ""},
    {"pool/claim x/c '' 1 0 db 1", "WAITING pool 'db' full (1/1) db 1"},
    {"HGET @meta unswept", "106000 121001"},
    {"ZSCORE @slots x/b", "121000"},
    {"at 3721001", ""},
    {"admit", "OK 0"},
    {"ZSCORE @slots x/b", "3781001"},
    {"pool/renew x b 2", "OK"},
    {0},
};

/* Back, and ahead once more: what was noticed the first time does not count. */
static struct row clock_set_ahead_twice[] = {
    {"HSET @pool_limits db 1", "1"},
    {"pool/claim x/a '' 1 0 db 1", "GRANTED 1 300000"},
    {"admit", "OK 0"},
    {"at 3601000", ""},
    {"pool/claim x/b '' 1 0 db 1", "WAITING pool 'db' full (1/1) db 1"},
    {"at 3000", ""},
    {"admit", "OK 0"},
    {"at 5000000", ""},
    {"pool/claim x/b '' 1 0 db 1", "WAITING pool 'db' full (1/1) db 1"},
    {"HGET @meta unswept", "3000 5000000"},
    {0},
};

/* Half a lease after a sweep a short one is in doubt. */
static struct row short_lease[] = {
    {"HSET @pool_limits db 1", "1"},
    {"HSET @pool_leases db 4000", "1"},
    {"pool/claim x/a '' 1 0 db 1", "GRANTED 1 4000"},
    {"at 3000", ""},
    {"admit", "OK 0"},
    {"at 5001", ""},
    {"pool/claim x/b '' 1 0 db 1", "WAITING pool 'db' full (1/1) db 1"},
    {"admit", "OK 0"},
    {"ZSCORE @slots x/a", "(nil)"},
    {"pool/claim x/b '' 1 0 db 1", "GRANTED 2 4000"},
    {0},
};

/* Where no dequeuer is any more, what has ended holds its slots for one more lease, once. */
static struct row nobody_sweeps[] = {
    {"HSET @pool_limits db 2", "1"},
    {"HSET @pool_leases db 60000", "1"},
    {"admit", "OK 0"},
    {"pool/claim x/a '' 1 0 db 2", "GRANTED 1 60000"},
    {"at 1000000", ""},
    {"pool/claim x/b '' 1 0 db 2", "WAITING pool 'db' full (2/2) db 1"},
    {"pool/release x/b '' 1", "OK"},
    {"at 1059999", ""},
    {"pool/claim x/b '' 1 0 db 2", "WAITING pool 'db' full (2/2) db 1"},
    {"pool/release x/b '' 1", "OK"},
    {"at 1060000", ""},
    {"pool/claim x/b '' 1 0 db 2", "GRANTED 2 60000"},
    {"at 1120000", ""},
    {"pool/claim x/c '' 1 0 db 2", "GRANTED 3 60000"},
    {0},
};

/* Waiters had no time to ask either. */
static struct row waiters_when_the_clock_is_set_ahead[] = {
    {"HSET @pool_limits db 1", "1"},
    {"pool/claim x/a '' 1 0 db 1", "GRANTED 1 300000"},
    {"pool/claim x/b '' 1 5 db 1", "WAITING pool 'db' full (1/1) db 1"},
    {"admit", "OK 0"},
    {"at 101000", ""},
    {"pool/claim x/c '' 1 0 db 1", "WAITING pool 'db' full (1/1) db 2"},
    {"at 131000", ""},
    {"pool/claim x/c '' 1 0 db 1", "WAITING pool 'db' full (1/1) db 1"},
    {0},
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(granted),
        QUEUE_TEST(asked_again),
        QUEUE_TEST(asked_again_under_a_lowered_limit),
        QUEUE_TEST(all_or_none),
        QUEUE_TEST(named_twice),
        QUEUE_TEST(order_of_pools),
        QUEUE_TEST(unlimited),
        QUEUE_TEST(unlimited_and_limited),
        QUEUE_TEST(limit_zero_waits),
        QUEUE_TEST(limit_there_and_back),
        QUEUE_TEST(garbage_limits),
        QUEUE_TEST(never),
        QUEUE_TEST(never_by_a_lowered_limit),
        QUEUE_TEST(unknown_pool),
        QUEUE_TEST(unknown_pool_of_a_step),
        QUEUE_TEST(never_creates_no_pool),
        QUEUE_TEST(not_the_claimants_run),
        QUEUE_TEST(escaped_names),
        QUEUE_TEST(line),
        QUEUE_TEST(priority_of_the_run),
        QUEUE_TEST(waiting),
        QUEUE_TEST(dead_waiter_vanishes),
        QUEUE_TEST(granted_to_the_dead),
        QUEUE_TEST(limit_raised),
        QUEUE_TEST(limit_of_another_pool_raised),
        QUEUE_TEST(limit_of_many_raised),
        QUEUE_TEST(newcomer_under_a_raised_limit),
        QUEUE_TEST(most_pools),
        QUEUE_TEST(numbers_too_big),
        QUEUE_TEST(many_let_in),
        QUEUE_TEST(became_unlimited),
        QUEUE_TEST(small_passes_big),
        QUEUE_TEST(slots_are_kept),
        QUEUE_TEST(bypass_of_the_pool),
        QUEUE_TEST(kept_for_one_who_leaves),
        QUEUE_TEST(nothing_is_kept_for_the_impossible),
        QUEUE_TEST(kept_for_the_shape),
        QUEUE_TEST(kept_for_the_biggest),
        QUEUE_TEST(patience_is_inherited),
        QUEUE_TEST(attempts),
        QUEUE_TEST(expired),
        QUEUE_TEST(expired_elsewhere),
        QUEUE_TEST(leases),
        QUEUE_TEST(grace),
        QUEUE_TEST(grace_of_waiters),
        QUEUE_TEST(clock_set_ahead),
        QUEUE_TEST(clock_set_ahead_twice),
        QUEUE_TEST(short_lease),
        QUEUE_TEST(nobody_sweeps),
        QUEUE_TEST(waiters_when_the_clock_is_set_ahead),
    };
    return cmocka_run_group_tests(tests, queue_open, queue_close);
}
