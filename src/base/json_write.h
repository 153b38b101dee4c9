/* json_write: JSON appended to a text; the commas come by themselves. */
#ifndef RIVERS_BASE_JSON_WRITE_H
#define RIVERS_BASE_JSON_WRITE_H

#include <stdint.h>

#include "base/text.h"

void json_put_open(struct text *t, char bracket); /* '{' or '[' */
void json_put_close(struct text *t, char bracket);
void json_put_key(struct text *t, const char *key);  /* the next call puts its value */
void json_put_string(struct text *t, const char *s); /* s is UTF-8 */
void json_put_whole(struct text *t, int64_t n);
void json_put_double(struct text *t, double d); /* finite; as short as reads back the same */
void json_put_bool(struct text *t, int truth);

/* A whole member of an object, left out when it says what counts anyway: NULL, or the value `otherwise`. */
void json_put_string_member(struct text *t, const char *key, const char *s);
void json_put_whole_member(struct text *t, const char *key, int64_t n, int64_t otherwise);
void json_put_duration_member(struct text *t, const char *key, int64_t ms, int64_t otherwise);

#endif
