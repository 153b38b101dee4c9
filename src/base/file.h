/* file: a whole small file. */
#ifndef RIVERS_BASE_FILE_H
#define RIVERS_BASE_FILE_H

#include <stddef.h>

#include "base/err.h"
#include "base/text.h"

/* Adds the bytes of the file to t. Longer than max bytes is an error. e: `cannot read '<path>': ...`. */
__attribute__((warn_unused_result)) int file_read(struct text *t, const char *path, size_t max,
                                                  struct err *e);

#endif
