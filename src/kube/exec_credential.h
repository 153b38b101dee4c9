/* exec_credential: what an exec plugin printed: `{"kind": "ExecCredential", "status": {"token": ...}}`. */
#ifndef RIVERS_KUBE_EXEC_CREDENTIAL_H
#define RIVERS_KUBE_EXEC_CREDENTIAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct exec_credential {
    char *token;             /* NULL: none */
    char *certificate, *key; /* PEM, both or none */
    int64_t expires_at;      /* wall clock, ms; 0: never */
};

/* e never quotes what was printed: it may be a secret. */
__attribute__((warn_unused_result)) int exec_credential_parse(struct exec_credential *c, const char *text,
                                                              size_t len, const char *api_version,
                                                              struct err *e);
void exec_credential_release(struct exec_credential *c); /* {0} is fine */

#endif
