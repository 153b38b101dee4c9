/* tag: `key=value` on a run, and the limits and gates that are named after them.
 *
 *   key    1 to 63 of A-Z a-z 0-9 _ . / -, starting with a letter or digit
 *   value  0 to 255 bytes of UTF-8 without control characters; not "*", the limit on each distinct value
 */
#ifndef RIVERS_CORE_TAG_H
#define RIVERS_CORE_TAG_H

#include <stddef.h>

#include "base/err.h"

#define TAG_MAX         64 /* tags a run */
#define TAG_KEY_BYTES   63
#define TAG_VALUE_BYTES 255

/* Sets the run's priority as well; all other keys that start with rivers/ are refused. */
#define TAG_PRIORITY "rivers/priority"

struct tag {
    char *key;
    char *value;
};

/* Checks; e: `tag key 'a b': ...`. */
__attribute__((warn_unused_result)) int tag_check(const char *key, const char *value, struct err *e);

/* "team=growth" to a tag that the caller releases. */
__attribute__((warn_unused_result)) int tag_parse(struct tag *t, const char *s, struct err *e);
void tag_release(struct tag *t);

#endif
