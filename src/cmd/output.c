#include "cmd/output.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

void complain(const struct err *e)
{
    fflush(stdout);
    fprintf(stderr, "rivers: %s\n", e->msg);
}

int refuse(const char *fmt, ...)
{
    va_list ap;

    fflush(stdout);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    return EXIT_FAILED;
}

int refuse_unknown_run(const char *id)
{
    return refuse("Run '%s' not found.", id);
}

int refuse_gone_run(const char *id)
{
    refuse("Run '%s' not found: there is none, or it was deleted before its end was seen.", id);
    return EXIT_GONE;
}

void json_line(FILE *out, cJSON *object)
{
    char *line = cJSON_PrintUnformatted(object);

    fprintf(out, "%s\n", line);
    cJSON_free(line);
    cJSON_Delete(object);
}

bool output_flush(void)
{
    return fflush(stdout) == 0 && !ferror(stdout);
}

int output_end(int status)
{
    if (output_flush())
        return status;
    if (errno != EPIPE) /* a reader who has gone knows it */
        fprintf(stderr, "rivers: cannot write: %s\n", strerror(errno));
    return status == EXIT_DONE ? EXIT_FAILED : status;
}
