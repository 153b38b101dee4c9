/* nearest: whether a mistyped word was probably meant to be a known one. */
#ifndef RIVERS_BASE_NEAREST_H
#define RIVERS_BASE_NEAREST_H

#include <limits.h>

#define NEAREST_NONE UINT_MAX

/* How many letters have to be changed, added or left out to make `known` of `word`; NEAREST_NONE when that is
 * so many that offering it would not help. The caller takes the smallest of its candidates. */
unsigned nearest_distance(const char *word, const char *known);

#endif
