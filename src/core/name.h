/* name: what the names that people give may look like. */
#ifndef RIVERS_CORE_NAME_H
#define RIVERS_CORE_NAME_H

#include <stdbool.h>
#include <stddef.h>

#define NAME_RULE      "A-Z a-z 0-9 _ . -, starting with a letter or digit" /* of jobs and steps */
#define NAME_TEXT_RULE "bytes of UTF-8 without control characters"

/* 1 to max bytes of A-Z a-z 0-9 and the bytes in `extra`, starting with a letter or digit. */
bool name_is_plain(const char *s, size_t max, const char *extra);

/* min to max bytes of UTF-8 without control characters. */
bool name_is_text(const char *s, size_t min, size_t max);

/* Printable ASCII without blanks: what names an image, of which only a registry knows more. */
bool name_is_image(const char *s);

/* [A-Za-z_][A-Za-z0-9_]* */
bool name_is_env(const char *s);

#endif
