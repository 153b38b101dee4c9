#include "redis/errors.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

bool error_is(const char *error, const char *word)
{
    size_t n = strlen(word);

    return strncmp(error, word, n) == 0 && (error[n] == ' ' || !error[n]);
}

/* A slot that is being moved is waited for (ASK): on the way, neither node has all of its keys, and scripts need all. */
static const struct refusal {
    const char *word;
    bool of_cluster;
} refusals[] = {
    {"READONLY", false}, {"LOADING", false}, {"MASTERDOWN", false}, {"NOREPLICAS", false},
    {"MOVED", true},     {"ASK", true},      {"CLUSTERDOWN", true}, {"TRYAGAIN", true},
};

bool error_is_refusal(const char *error, bool in_cluster, bool may_resend)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (error_is(error, refusals[i].word))
            return refusals[i].of_cluster ? in_cluster : may_resend;
    return false;
}

bool error_moved(const char *error, char *host, int *port)
{
    const char *place = strrchr(error, ' '), *colon = strrchr(error, ':');
    int64_t number;

    if (!error_is(error, "MOVED") || !place || !colon || colon < place || colon - place > ERROR_HOST_MAX ||
        number_parse(colon + 1, 1, 65535, &number) < 0)
        return false;
    snprintf(host, ERROR_HOST_MAX, "%.*s", (int)(colon - place - 1), place + 1);
    *port = (int)number;
    return true;
}

/* What Redis 7.0 and its successors say when the ACL forbids a command, or one in a script. */
static bool is_forbidden(const char *error)
{
    static const char *const begins[] = {"NOPERM", "ERR The user executing the script can't",
                                         "ERR ACL failure in script"};

    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
        if (strncmp(error, begins[i], strlen(begins[i])) == 0)
            return true;
    return false;
}

void error_explain(const char *error, const char *user, const char *what, struct err *e)
{
    err_set(e, ERR_SERVER, "%s", error);
    if (is_forbidden(error))
        err_prefix(e, "redis user '%s' lacks a permission for %s", user ? user : "default", what);
    else if (error_is(error, "OOM"))
        err_prefix(
            e,
            "the memory of redis is full, and %s was refused: raise its maxmemory, or delete runs that "
            "have ended",
            what);
    else if (error_is(error, "MISCONF"))
        err_prefix(e, "redis cannot write to its disk, and %s was refused", what);
}
