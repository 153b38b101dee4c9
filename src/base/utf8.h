/* utf8: which bytes are a well-formed character. */
#ifndef RIVERS_BASE_UTF8_H
#define RIVERS_BASE_UTF8_H

#include <stddef.h>

/* Bytes of the character that starts at s, of which `left` bytes may be read; 0: none, overlong, a surrogate,
 * cut off. */
size_t utf8_len(const char *s, size_t left);

#endif
