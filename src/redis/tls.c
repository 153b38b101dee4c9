#include "redis/tls.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <stddef.h>
#include <string.h>

#define LIBRARY "libevent_openssl-2.1.so.7" /* brings libssl and libcrypto with it */

/* What is called there, each under its own name. */
#define FUNCTIONS(X)                                                                                         \
    X(bufferevent_openssl_socket_new)                                                                        \
    X(bufferevent_openssl_get_ssl)                                                                           \
    X(bufferevent_get_openssl_error)                                                                         \
    X(bufferevent_openssl_set_allow_dirty_shutdown)                                                          \
    X(ERR_clear_error)                                                                                       \
    X(ERR_peek_error)                                                                                        \
    X(ERR_reason_error_string)                                                                               \
    X(SSL_CTX_ctrl)                                                                                          \
    X(SSL_CTX_free)                                                                                          \
    X(SSL_CTX_load_verify_locations)                                                                         \
    X(SSL_CTX_new)                                                                                           \
    X(SSL_CTX_set_default_verify_paths)                                                                      \
    X(SSL_CTX_set_verify)                                                                                    \
    X(SSL_CTX_use_PrivateKey_file)                                                                           \
    X(SSL_CTX_use_certificate_chain_file)                                                                    \
    X(SSL_ctrl)                                                                                              \
    X(SSL_free)                                                                                              \
    X(SSL_get0_param)                                                                                        \
    X(SSL_get_verify_result)                                                                                 \
    X(SSL_new)                                                                                               \
    X(SSL_set1_host)                                                                                         \
    X(TLS_client_method)                                                                                     \
    X(X509_VERIFY_PARAM_set1_ip_asc)                                                                         \
    X(X509_verify_cert_error_string)

struct functions {
#define MEMBER(name) __typeof__(name) *name; /* NOLINT(bugprone-macro-parentheses): a declaration */
    FUNCTIONS(MEMBER)
#undef MEMBER
};

static const struct function_row {
    const char *name;
    size_t at;
} rows[] = {
#define ROW(name) {#name, offsetof(struct functions, name)},
    FUNCTIONS(ROW)
#undef ROW
};

/* The library stays once it is there: asking again costs little. */
static int load(struct functions *f, struct err *e)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL), *found = library;

    for (size_t i = 0; found && i < sizeof rows / sizeof *rows; i++) {
        found = dlsym(library, rows[i].name);
        memcpy((char *)f + rows[i].at, &found, sizeof found);
    }
    if (found)
        return 0;
    err_set(e, ERR_UNAVAILABLE, "rediss:// needs OpenSSL: %s", dlerror());
    return -1;
}

static int fault(const struct functions *f, struct err *e, const char *what)
{
    const char *reason = f->ERR_reason_error_string(f->ERR_peek_error());

    return err_set(e, ERR_UNAVAILABLE, "%s: %s", what, reason ? reason : "unknown TLS error");
}

static int file_fault(const struct functions *f, struct err *e, const char *what, const char *file)
{
    fault(f, e, file);
    return err_prefix(e, "%s", what);
}

/* Whom we trust and who we are. */
static int set_files(const struct functions *f, SSL_CTX *ctx, const struct redis_url *u, struct err *e)
{
    if (u->ca && !f->SSL_CTX_load_verify_locations(ctx, u->ca, NULL))
        return file_fault(f, e, "ca", u->ca);
    if (!u->ca && !f->SSL_CTX_set_default_verify_paths(ctx))
        return fault(f, e, "the system's certificate authorities");
    if (u->cert && f->SSL_CTX_use_certificate_chain_file(ctx, u->cert) != 1)
        return file_fault(f, e, "cert", u->cert);
    if (u->key && f->SSL_CTX_use_PrivateKey_file(ctx, u->key, SSL_FILETYPE_PEM) != 1)
        return file_fault(f, e, "key", u->key);
    return 0;
}

/* Owned by the caller. */
static SSL_CTX *context_new(const struct functions *f, const struct redis_url *u, struct err *e)
{
    f->ERR_clear_error();
    SSL_CTX *ctx = f->SSL_CTX_new(f->TLS_client_method());

    if (!ctx) {
        fault(f, e, "TLS");
        return NULL;
    }
    f->SSL_CTX_ctrl(ctx, SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_2_VERSION, NULL);
    f->SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    if (set_files(f, ctx, u, e) == 0)
        return ctx;
    f->SSL_CTX_free(ctx);
    return NULL;
}

static bool is_address(const char *host)
{
    struct in6_addr any;

    return inet_pton(AF_INET, host, &any) == 1 || inet_pton(AF_INET6, host, &any) == 1;
}

/* Whom the certificate has to name. A server name is asked for by name only. */
static bool expect_host(const struct functions *f, SSL *ssl, const char *host)
{
    char name[256];

    if (is_address(host))
        return f->X509_VERIFY_PARAM_set1_ip_asc(f->SSL_get0_param(ssl), host) == 1;
    snprintf(name, sizeof name, "%s", host);
    return f->SSL_set1_host(ssl, host) == 1 &&
           f->SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name) == 1;
}

struct bufferevent *tls_stream_new(struct event_base *base, int options, const struct redis_url *url,
                                   const char *host, struct err *e)
{
    struct functions f;
    struct bufferevent *stream = NULL;
    SSL_CTX *ctx = load(&f, e) == 0 ? context_new(&f, url, e) : NULL;

    if (!ctx)
        return NULL;
    SSL *ssl = f.SSL_new(ctx); /* shares ctx */
    f.SSL_CTX_free(ctx);
    if (ssl && expect_host(&f, ssl, host))
        stream = f.bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_CONNECTING, options);
    if (stream) {
        f.bufferevent_openssl_set_allow_dirty_shutdown(stream, 0);
        return stream;
    }
    fault(&f, e, host);
    f.SSL_free(ssl);
    return NULL;
}

int tls_why(struct bufferevent *stream, struct err *e)
{
    struct functions f;

    if (load(&f, e) < 0)
        return -1;
    long verified = f.SSL_get_verify_result(f.bufferevent_openssl_get_ssl(stream));
    const char *reason = f.ERR_reason_error_string(f.bufferevent_get_openssl_error(stream));

    if (verified != X509_V_OK)
        return err_set(e, ERR_UNAVAILABLE, "the server's certificate is refused: %s",
                       f.X509_verify_cert_error_string(verified));
    return reason ? err_set(e, ERR_UNAVAILABLE, "TLS: %s", reason) : 0;
}
