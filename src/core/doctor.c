#include "core/doctor.h"

struct call *doctor_call(struct store *s, bool mends, const char *cursor)
{
    struct call *c = call_new(s, mends ? SCRIPT_DOCTOR_MEND : SCRIPT_DOCTOR_AUDIT);

    call_str(c, cursor);
    return c;
}

const char *doctor_next(const struct reply *r)
{
    return reply_str(reply_at(r, 1));
}

size_t doctor_count(const struct reply *r)
{
    return reply_count(r) - 2;
}

struct fault doctor_at(const struct reply *r, size_t i)
{
    const struct reply *row = reply_at(r, 2 + i);

    return (struct fault){
        .what = reply_str(reply_at(row, 0)),
        .subject = reply_str(reply_at(row, 1)),
        .detail = reply_str(reply_at(row, 2)),
    };
}
