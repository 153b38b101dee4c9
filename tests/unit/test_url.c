#include "redis/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define LONG_PATH                                                                                            \
    "/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/"   \
    "01234567"
#define WRONG_SCHEME                                                                                         \
    "redis url: must start with redis://, rediss://, redis+sentinel://, redis+cluster:// or unix://"
#define UNKNOWN_PARAMETER                                                                                    \
    "redis url: unknown parameter; known: db (of a socket), ca, cert, key, password_file, "                  \
    "sentinel_password_file"

static const struct accepted {
    const char *url, *path, *host;
    int port;
    const char *user, *pass;
    int db;
    const char *shown;
} accepted[] = {
    {"redis://localhost", NULL, "localhost", 6379, NULL, NULL, 0, "redis://localhost:6379"},
    {"redis://localhost/", NULL, "localhost", 6379, NULL, NULL, 0, "redis://localhost:6379"},
    {"redis://10.0.0.1:7000/3", NULL, "10.0.0.1", 7000, NULL, NULL, 3, "redis://10.0.0.1:7000/3"},
    {"redis://[::1]", NULL, "::1", 6379, NULL, NULL, 0, "redis://[::1]:6379"},
    {"redis://[fe80::1]:6380/1", NULL, "fe80::1", 6380, NULL, NULL, 1, "redis://[fe80::1]:6380/1"},
    {"redis://:secret@h", NULL, "h", 6379, NULL, "secret", 0, "redis://h:6379"},
    {"redis://joe:secret@h:1", NULL, "h", 1, "joe", "secret", 0, "redis://joe@h:1"},
    {"redis://joe:@h", NULL, "h", 6379, "joe", "", 0, "redis://joe@h:6379"},
    {"redis://joe@h", NULL, "h", 6379, "joe", NULL, 0, "redis://joe@h:6379"},
    {"rediss://joe@h/2?ca=/a%20b&cert=/c&key=/k&password_file=/p", NULL, "h", 6379, "joe", NULL, 2,
     "rediss://joe@h:6379/2?ca=/a%20b&cert=/c&key=/k&password_file=/p"},
    {"redis+sentinel://:x@a,[::1]:7,c/main/2?sentinel_password_file=/s", NULL, "a", 26379, NULL, "x", 2,
     "redis+sentinel://a:26379,[::1]:7,c:26379/main/2?sentinel_password_file=/s"},
    {"rediss+sentinel://a/m%2fn", NULL, "a", 26379, NULL, NULL, 0, "rediss+sentinel://a:26379/m%2Fn"},
    {"redis+cluster://a:7000,b:7001/", NULL, "a", 7000, NULL, NULL, 0, "redis+cluster://a:7000,b:7001"},
    {"rediss+cluster://a?ca=/c", NULL, "a", 6379, NULL, NULL, 0, "rediss+cluster://a:6379?ca=/c"},
    {"redis://@h", NULL, "h", 6379, NULL, NULL, 0, "redis://h:6379"},
    {"redis://j%40e:a%2Fb%3a:c@h", NULL, "h", 6379, "j@e", "a/b::c", 0, "redis://j%40e@h:6379"},
    {"redis://:p@ss@h", NULL, "h", 6379, NULL, "p@ss", 0, "redis://h:6379"},
    {"unix:///run/redis.sock", "/run/redis.sock", NULL, 0, NULL, NULL, 0, "unix:///run/redis.sock"},
    {"unix:///a%20b%3f?db=2", "/a b?", NULL, 0, NULL, NULL, 2, "unix:///a%20b%3F?db=2"},
    {"unix:///s?db=2&password_file=/p", "/s", NULL, 0, NULL, NULL, 2, "unix:///s?db=2&password_file=/p"},
    {"unix:///s?password_file=/p", "/s", NULL, 0, NULL, NULL, 0, "unix:///s?password_file=/p"},
    {"unix://joe:secret@/s", "/s", NULL, 0, "joe", "secret", 0, "unix://joe@/s"},
};

static const struct refused {
    const char *url, *message;
} refused[] = {
    {"", WRONG_SCHEME},
    {"localhost:6379", WRONG_SCHEME},
    {"http://h", WRONG_SCHEME},
    {"redis://", "redis url: the host is missing"},
    {"redis://:6379", "redis url: the host is missing"},
    {"redis://[]", "redis url: the host is missing"},
    {"redis://[::1", "redis url: an address in brackets must end with ']'"},
    {"redis://[::1]6379", "redis url: the port must be a whole number from 1 to 65535"},
    {"redis://h:", "redis url: the port must be a whole number from 1 to 65535"},
    {"redis://h:0", "redis url: the port must be a whole number from 1 to 65535"},
    {"redis://h:65536", "redis url: the port must be a whole number from 1 to 65535"},
    {"redis://:hunter2/x@h", "redis url: the host is missing"},
    {"redis://h/x", "redis url: the database must be a whole number, at least 0"},
    {"redis://h/-1", "redis url: the database must be a whole number, at least 0"},
    {"redis://h/0/1", "redis url: the database must be a whole number, at least 0"},
    {"redis://a,b", "redis url: several hosts need redis+sentinel:// or redis+cluster://"},
    {"redis://h?ca=/ca", "redis url: ca, cert and key need rediss://"},
    {"rediss://h?cert=/c", "redis url: cert and key belong together"},
    {"rediss://h?ca=ca.pem", "redis url: ca must be an absolute path"},
    {"rediss://h?ca=/%0", "redis url: ca must be an absolute path"},
    {"redis://h?password_file=", "redis url: password_file must be an absolute path"},
    {"redis://:x@h?password_file=/p", "redis url: a password and a password_file"},
    {"redis://h?db=1", UNKNOWN_PARAMETER},
    {"redis://h/1?", UNKNOWN_PARAMETER},
    {"redis://h?x", UNKNOWN_PARAMETER},
    {"redis+sentinel://a,b", "redis url: the name of the master is missing: redis+sentinel://host/name"},
    {"redis+sentinel://a//1", "redis url: the name of the master is missing: redis+sentinel://host/name"},
    {"redis+sentinel://a,/m", "redis url: the host is missing"},
    {"redis+sentinel://a/m/x", "redis url: the database must be a whole number, at least 0"},
    {"redis+cluster://a/1", "redis url: a cluster has no databases"},
    {"redis://:%@h", "redis url: a '%' in user or password must be followed by two hex digits"},
    {"redis://:%4@h", "redis url: a '%' in user or password must be followed by two hex digits"},
    {"redis://%zz:x@h", "redis url: a '%' in user or password must be followed by two hex digits"},
    {"redis://:%00@h", "redis url: a '%' in user or password must be followed by two hex digits"},
    {"unix://", "redis url: the path of the socket is missing"},
    {"unix:///", "redis url: the path of the socket is missing"},
    {"unix://run/redis.sock", "redis url: the path of a socket must be absolute: unix:///path"},
    {"unix:///s%1", "redis url: a '%' in the path must be followed by two hex digits"},
    {"unix:///s?", UNKNOWN_PARAMETER},
    {"unix:///s?database=1", UNKNOWN_PARAMETER},
    {"unix:///s?db=", "redis url: the database must be a whole number, at least 0"},
    {"unix://" LONG_PATH, "redis url: the path of the socket is too long"},
};

static void assert_text(const char *is, const char *want)
{
    assert_int_equal(is == NULL, want == NULL);
    if (want)
        assert_string_equal(is, want);
}

static void assert_url(const struct redis_url *u, const struct accepted *want)
{
    char *shown = redis_url_print(u);

    assert_text(u->path, want->path);
    assert_text(u->nhosts ? u->hosts[0].name : NULL, want->host);
    assert_int_equal(u->nhosts ? u->hosts[0].port : 0, want->port);
    assert_text(u->user, want->user);
    assert_text(u->pass, want->pass);
    assert_int_equal(u->db, want->db);
    assert_string_equal(shown, want->shown);
    free(shown);
}

static void test_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(accepted); i++) {
        struct redis_url u, copy, again;
        struct err e = {0};
        assert_int_equal(redis_url_parse(&u, accepted[i].url, &e), 0);
        redis_url_copy(&copy, &u);
        assert_url(&u, &accepted[i]);
        redis_url_release(&u);
        assert_url(&copy, &accepted[i]);
        char *whole = redis_url_print_whole(&copy);
        assert_int_equal(redis_url_parse(&again, whole, &e), 0);
        assert_url(&again, &accepted[i]);
        redis_url_release(&again);
        redis_url_release(&copy);
        free(whole);
    }
}

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct redis_url u;
        struct err e = {0};
        assert_int_equal(redis_url_parse(&u, refused[i].url, &e), -1);
        assert_int_equal(e.code, ERR_INVALID);
        assert_string_equal(e.msg, refused[i].message);
        assert_null(u.hosts);
        assert_null(u.pass);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
