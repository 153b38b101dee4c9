#include "support/certificates.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

/* Owned by this call. */
static void run(char *command)
{
    if (system(command) != 0) { /* NOLINT(cert-env33-c): the words are the test's own */
        fprintf(stderr, "tests/support/certificates: failed: %s\n", command);
        exit(1);
    }
    free(command);
}

#define REQUEST                                                                                              \
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=%s "             \
    "-keyout '%s/%s.key' -out '%s/%s.pem' "

void certificates_authority(const char *dir, const char *name)
{
    run(xasprintf(REQUEST "2>/dev/null", name, dir, name, dir, name));
}

void certificates_sign(const char *dir, const char *authority, const char *name, const char *alt)
{
    run(xasprintf(REQUEST "-CA '%s/%s.pem' -CAkey '%s/%s.key' -addext subjectAltName=%s "
                          "-addext basicConstraints=critical,CA:FALSE 2>/dev/null",
                  name, dir, name, dir, name, dir, authority, dir, authority, alt));
}

void certificates_remove(const char *dir)
{
    run(xasprintf("rm -r '%s'", dir));
}
