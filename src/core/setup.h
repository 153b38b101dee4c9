/* setup: brings a configuration to the server and shows the one in force (lua/config/{apply,show}.lua). */
#ifndef RIVERS_CORE_SETUP_H
#define RIVERS_CORE_SETUP_H

#include <stddef.h>

#include "core/config.h"
#include "core/store.h"

enum setup_mode {
    SETUP_APPLY,   /* what operators set by hand is kept */
    SETUP_REPLACE, /* it is overwritten */
    SETUP_DIFF,    /* writes nothing: what SETUP_APPLY would do */
    SETUP_INIT,    /* only where the namespace has no configuration yet */
};

/* reply {'OK', row, ...}, a row for each item that differs | {'EXISTS'} */
struct call *setup_apply_call(struct store *s, enum setup_mode mode, const struct config *c);

/* Loads the file, applies it and waits. The same reply, owned by the caller; NULL: e. */
struct reply *setup_apply_file(struct store *s, enum setup_mode mode, const char *file, struct err *e);

struct setup_change {   /* borrowed from the reply; "" where a side has none */
    const char *action; /* set | removed | kept */
    const char *hash, *field, *live, *file;
};
size_t setup_count(const struct reply *r);
struct setup_change setup_at(const struct reply *r, size_t i);

/* reply {'OK', config, tag_limits, pool_limits, jobs} */
struct call *setup_show_call(struct store *s);

enum setup_hash { SETUP_CONFIG, SETUP_TAG_LIMITS, SETUP_POOL_LIMITS, SETUP_JOBS, SETUP_HASH_COUNT };
const char *setup_hash_word(enum setup_hash hash);
const struct reply *setup_hash_get(const struct reply *r, enum setup_hash hash); /* field, value, ... */

/* The same as a rivers.json; owned by the caller. A value that an operator mistyped is given as the text it
 * is. */
char *setup_document(const struct reply *r);

#endif
