#include "base/file.h"

#include <stdio.h>

int file_read(struct text *t, const char *path, size_t max, struct err *e)
{
    FILE *f = fopen(path, "re");
    char bytes[4096];
    size_t n, all = 0;

    if (!f)
        return err_sys(e, "cannot read '%s'", path);
    while (all <= max && (n = fread(bytes, 1, sizeof bytes, f)) > 0) {
        text_add_bytes(t, bytes, n);
        all += n;
    }
    int failed = ferror(f) ? err_sys(e, "cannot read '%s'", path) : 0;
    if (!failed && all > max)
        failed = err_set(e, ERR_INVALID, "cannot read '%s': longer than %zu bytes", path, max);
    fclose(f);
    return failed;
}
