/* reply: what the server answered, read without knowing hiredis. A struct reply is opaque and borrowed unless
 * said otherwise. */
#ifndef RIVERS_REDIS_REPLY_H
#define RIVERS_REDIS_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reply;

void reply_free(struct reply *r); /* NULL is allowed */

bool reply_is_nil(const struct reply *r);
bool reply_is_array(const struct reply *r);

/* The text of an error reply, NULL for any other. */
const char *reply_error(const struct reply *r);

/* Array elements. reply_at returns NULL past the end or when r is no array; every reader below takes NULL. */
size_t reply_count(const struct reply *r);
const struct reply *reply_at(const struct reply *r, size_t i);

/* The bytes of a string or status, "" for anything else; NUL-terminated, reply_len bytes. */
const char *reply_str(const struct reply *r);
size_t reply_len(const struct reply *r);

/* An integer reply, or a string that is a whole number; otherwise `otherwise`. */
int64_t reply_int(const struct reply *r, int64_t otherwise);

/* The status word of a script: the reply itself, or the first element of an array. */
const char *reply_word(const struct reply *r);
bool reply_is(const struct reply *r, const char *word);

/* In an array of field, value, field, value...: the value of `field`, or NULL. Looks from element `from` on.
 */
const struct reply *reply_field(const struct reply *r, size_t from, const char *field);

/* One line for logs and tests: elements joined by blanks, nested arrays in [], nil as (nil). Owned by the
 * caller. */
char *reply_text(const struct reply *r);

#endif
