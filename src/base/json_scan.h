/* json_scan: whether a text is strict JSON, with the line and column of the fault; takes out what only people
 * write. */
#ifndef RIVERS_BASE_JSON_SCAN_H
#define RIVERS_BASE_JSON_SCAN_H

#include <stddef.h>

#include "base/err.h"

/* s holds len bytes and a terminating NUL. With JSON_COMMENTS (base/json.h) comments and the comma before a
 * closing bracket are overwritten with blanks. e: `line 3, column 7: ...` (a column is a character). */
__attribute__((warn_unused_result)) int json_scan(char *s, size_t len, int flags, struct err *e);

#endif
