/* base64: bytes as the text that JSON and YAML carry. */
#ifndef RIVERS_BASE_BASE64_H
#define RIVERS_BASE_BASE64_H

#include <stddef.h>

#include "base/text.h"

/* Blanks and line ends are passed over. The bytes and a terminating NUL, owned by the caller; NULL when s is not base64. */
char *base64_decode(const char *s, size_t *len);

void base64_add(struct text *t, const void *bytes, size_t n);

#endif
