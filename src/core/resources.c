#include "core/resources.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "core/quantity.h"

#define GPU_MAX 1024

void resources_release(struct resources *r)
{
    free(r->cpu);
    free(r->memory);
    *r = (struct resources){0};
}

static int read_gpu(const struct cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    return json_whole(v, at, 0, GPU_MAX, into, e);
}

static const struct json_member members[] = {
    {"cpu", quantity_read_cpu, offsetof(struct resources, cpu), false},
    {"memory", quantity_read_memory, offsetof(struct resources, memory), false},
    {"gpu", read_gpu, offsetof(struct resources, gpu), false},
};

int resources_read(const struct cJSON *v, const struct json_path *at, struct resources *r, struct err *e)
{
    return json_object(v, at, members, sizeof members / sizeof *members, r, e);
}

void resources_print(struct text *t, const struct resources *r)
{
    if (!r->cpu && !r->memory && !r->gpu)
        return;
    json_put_key(t, "resources");
    json_put_open(t, '{');
    json_put_string_member(t, "cpu", r->cpu);
    json_put_string_member(t, "memory", r->memory);
    json_put_whole_member(t, "gpu", r->gpu, 0);
    json_put_close(t, '}');
}
