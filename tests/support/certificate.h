/* certificate: certificates made on the spot, for servers and clients of tests. */
#ifndef RIVERS_TESTS_CERTIFICATE_H
#define RIVERS_TESTS_CERTIFICATE_H

#include "http/http.h"

struct certificate {
    struct x509_st *x509;
    struct evp_pkey_st *key;
    char *pem, *key_pem;
};

/* For this name, and as a server for `san` ("DNS:api.test", "IP:127.0.0.1"; NULL: none). issuer NULL: signs itself and
 * may sign others. Ends the test binary with a message when that fails. */
struct certificate *certificate_new(const char *name, const char *san, const struct certificate *issuer);
void certificate_free(struct certificate *c);

struct http_bytes certificate_bytes(const struct certificate *c);
struct http_bytes certificate_key_bytes(const struct certificate *c);

#endif
