/* reader: cuts the bytes that arrive into replies. */
#ifndef RIVERS_REDIS_READER_H
#define RIVERS_REDIS_READER_H

#include "base/err.h"
#include "redis/reply.h"

struct evbuffer;
struct reader;

struct reader *reader_new(void);
void reader_free(struct reader *rd);
void reader_feed(struct reader *rd, struct evbuffer *in); /* empties `in` */

/* The next whole reply into *reply, owned by the caller, NULL when more bytes are needed. -1: not the
 * protocol, or a reply of more than 512 MiB or 16 million elements; the reader is of no more use. */
__attribute__((warn_unused_result)) int reader_next(struct reader *rd, struct reply **reply, struct err *e);

#endif
