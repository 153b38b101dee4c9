#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "support/certificates.h"
#include "support/client.h"
#include "support/port.h"
#include "support/redis_server.h"

static struct redis_server server; /* its directory holds the certificates too */
static char dir[128], port[16];

/* Of the server: rediss://host:port?<parameters>, %s in them stands for the directory. Owned by the caller. */
static char *url_of(const char *host, const char *ca, const char *identity)
{
    char *id =
        identity ? xasprintf("&cert=%s/%s.pem&key=%s/%s.key", dir, identity, dir, identity) : xstrdup("");
    char *url = xasprintf("rediss://%s:%s?ca=%s/%s.pem%s", host, port, dir, ca, id);

    free(id);
    return url;
}

static struct client open_as(const char *host, const char *ca, const char *identity)
{
    char *url = url_of(host, ca, identity);
    struct client c = client_open(url);

    free(url);
    return c;
}

static void refused_as(const char *host, const char *ca, const char *identity, const char *reason)
{
    char *url = url_of(host, ca, identity);

    assert_refused(url, reason);
    free(url);
}

/* Over the socket, which needs no certificate. */
static void command(const char *line, const char *reply)
{
    struct client plain = client_open(server.url);

    expect(&plain, line, reply);
    client_close(&plain);
}

static void configure(const char *line)
{
    command(line, "OK");
}

static void serve_as(const char *name)
{
    char line[384];

    snprintf(line, sizeof line, "CONFIG SET tls-cert-file %s/%s.pem tls-key-file %s/%s.key", dir, name, dir,
             name);
    configure(line);
}

static void test_names_and_addresses(void **state)
{
    static const char *const hosts[] = {"localhost", "127.0.0.1", "[::1]"};

    (void)state;
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        struct client c = open_as(hosts[i], "ca", "client");
        expect(&c, "SET k 1", "OK");
        client_close(&c);
    }
}

static void test_another_host_is_refused(void **state)
{
    (void)state;
    serve_as("elsewhere");
    refused_as("localhost", "ca", "client", "the server's certificate is refused: hostname mismatch");
    refused_as("127.0.0.1", "ca", "client", "the server's certificate is refused: IP address mismatch");
    serve_as("server");
}

static void test_another_authority_is_refused(void **state)
{
    (void)state;
    refused_as("localhost", "stranger", "client", "the server's certificate is refused: ");
}

static void test_a_client_needs_a_certificate(void **state)
{
    (void)state;
    refused_as("localhost", "ca", NULL, "TLS: ");
    configure("CONFIG SET tls-auth-clients no");
    struct client c = open_as("localhost", "ca", NULL);
    expect(&c, "PING", "PONG");
    client_close(&c);
    configure("CONFIG SET tls-auth-clients yes");
}

static void test_old_versions_are_refused(void **state)
{
    (void)state;
    configure("CONFIG SET tls-protocols TLSv1.1");
    refused_as("localhost", "ca", "client", "TLS: ");
    configure("CONFIG SET tls-protocols TLSv1.2");
    struct client c = open_as("localhost", "ca", "client");
    expect(&c, "PING", "PONG");
    client_close(&c);
    serve_as("server");
}

static void test_files_that_are_wrong(void **state)
{
    char *missing = xasprintf("ca: %s/none.pem: ", dir);

    (void)state;
    refused_as("localhost", "none", "client", missing);
    free(missing);
}

static void rename_in_dir(const char *from, const char *to)
{
    char *a = xasprintf("%s/%s", dir, from), *b = xasprintf("%s/%s", dir, to);

    assert_int_equal(rename(a, b), 0);
    free(a);
    free(b);
}

static void test_certificates_are_read_again(void **state)
{
    struct client c = open_as("localhost", "later", "client");
    char *missing = xasprintf("ca: %s/later.pem: ", dir);

    (void)state;
    RUN_UNTIL(&c, strncmp(redis_why_get(c.redis), missing, strlen(missing)) == 0);
    rename_in_dir("ca.pem", "later.pem");
    expect(&c, "PING", "PONG");
    rename_in_dir("later.pem", "ca.pem");
    command("CLIENT KILL TYPE normal SKIPME yes", "1");
    RUN_UNTIL(&c, strncmp(redis_why_get(c.redis), missing, strlen(missing)) == 0);
    free(missing);
    client_close(&c);
}

static void test_large_reply(void **state)
{
    struct client c = open_as("127.0.0.1", "ca", "client");
    struct err e;

    (void)state;
    expect(&c, "SETRANGE large 3000000 end", "3000003");
    struct reply *r = redis_send_wait(c.redis, LONG_MS, 2, (const char *const[]){"GET", "large"}, NULL, &e);
    assert_int_equal(reply_len(r), 3000003);
    assert_string_equal(reply_str(r) + 3000000, "end");
    reply_free(r);
    client_close(&c);
}

static void test_server_is_killed_and_restarted(void **state)
{
    struct client c = open_as("localhost", "ca", "client");
    struct answer once, again;

    (void)state;
    expect(&c, "PING", "PONG");
    kill(server.pid, SIGSTOP);
    ask(&c, &once, 0, LONG_MS, "SET k once");
    ask(&c, &again, REDIS_RESEND, LONG_MS, "SET k again");
    redis_server_kill(&server);
    assert_answer(&c, &once, "UNKNOWN no reply from redis at rediss://localhost:");
    redis_server_restart(&server);
    assert_answer(&c, &again, "OK");
    expect(&c, "GET k", "again");
    client_close(&c);
}

static int start_server(void **state)
{
    static char ca[160], cert[160], key[160];
    static const char *const extra[] = {"--tls-port",
                                        port,
                                        "--tls-ca-cert-file",
                                        ca,
                                        "--tls-cert-file",
                                        cert,
                                        "--tls-key-file",
                                        key,
                                        "--bind",
                                        "127.0.0.1",
                                        "-::1",
                                        NULL};

    (void)state;
    snprintf(dir, sizeof dir, "%s/certificates-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    assert_non_null(mkdtemp(dir));
    certificates_authority(dir, "ca");
    certificates_authority(dir, "stranger");
    certificates_sign(dir, "ca", "server", "DNS:localhost,IP:127.0.0.1,IP:::1");
    certificates_sign(dir, "ca", "elsewhere", "DNS:elsewhere,IP:127.0.0.2");
    certificates_sign(dir, "ca", "client", "DNS:client");
    snprintf(port, sizeof port, "%d", port_free());
    snprintf(ca, sizeof ca, "%s/ca.pem", dir);
    snprintf(cert, sizeof cert, "%s/server.pem", dir);
    snprintf(key, sizeof key, "%s/server.key", dir);
    redis_server_start(&server, extra);
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    redis_server_stop(&server);
    certificates_remove(dir);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_and_addresses),
        cmocka_unit_test(test_another_host_is_refused),
        cmocka_unit_test(test_another_authority_is_refused),
        cmocka_unit_test(test_a_client_needs_a_certificate),
        cmocka_unit_test(test_old_versions_are_refused),
        cmocka_unit_test(test_files_that_are_wrong),
        cmocka_unit_test(test_certificates_are_read_again),
        cmocka_unit_test(test_large_reply),
        cmocka_unit_test(test_server_is_killed_and_restarted),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
