#include "redis/password.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define PASSWORD_MAX 4096

char *password_read(const char *file, struct err *e)
{
    char line[PASSWORD_MAX + 2];
    FILE *in = fopen(file, "re");

    errno = in ? 0 : errno;
    char *read = in ? fgets(line, sizeof line, in) : NULL;
    int error = errno;
    if (in)
        fclose(in);
    size_t len = read ? strcspn(line, "\r\n") : 0;
    if (len > 0 && len <= PASSWORD_MAX)
        return xmemdup(line, len);
    const char *why = len ? "too long" : "empty";
    err_set(e, ERR_UNAVAILABLE, "password file '%s': %s", file, error ? strerror(error) : why);
    return NULL;
}
