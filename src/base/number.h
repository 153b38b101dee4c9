/* number: strict reading of whole numbers; no blanks, no sign but '-', no rest. */
#ifndef RIVERS_BASE_NUMBER_H
#define RIVERS_BASE_NUMBER_H

#include <stdint.h>

/* Reads s into *out when it is a decimal whole number in [min, max]. Returns 0, or -1 and leaves *out alone.
 */
__attribute__((warn_unused_result)) int number_parse(const char *s, int64_t min, int64_t max, int64_t *out);

#endif
