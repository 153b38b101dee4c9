/* kube_tls: the certificates of the fake API server, made anew at every start: a CA, the server's for 127.0.0.1 and
 * localhost, and a client's. */
#ifndef RIVERS_TESTS_KUBE_TLS_H
#define RIVERS_TESTS_KUBE_TLS_H

#include <openssl/ssl.h>

struct kube_tls;

struct kube_tls *kube_tls_new(void); /* ends the process when OpenSSL fails */
void kube_tls_free(struct kube_tls *t);

/* New connections use it; asks for a client certificate, takes none too. */
SSL_CTX *kube_tls_context_get(const struct kube_tls *t);

/* A new certificate for the server; new_ca: of a new CA, which no client trusts before it read ca.crt again. */
void kube_tls_rotate(struct kube_tls *t, int new_ca);

/* PEM; owned by the caller. */
char *kube_tls_ca(const struct kube_tls *t);
char *kube_tls_client_cert(const struct kube_tls *t);
char *kube_tls_client_key(const struct kube_tls *t);

#endif
