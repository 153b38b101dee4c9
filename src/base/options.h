/* options: command-line options as rows: parsing, usage errors and help come from the same table. */
#ifndef RIVERS_BASE_OPTIONS_H
#define RIVERS_BASE_OPTIONS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

enum option_kind {
    OPTION_SWITCH,   /* bool */
    OPTION_TEXT,     /* const char *, borrowed from argv */
    OPTION_WHOLE,    /* int64_t */
    OPTION_DURATION, /* int64_t, ms */
    OPTION_LIST,     /* struct option_list: may be given several times */
};

struct option_list {
    const char **items; /* borrowed from argv */
    size_t n;
};

struct option_row {
    const char *name; /* without the dashes */
    char letter;      /* 0: none */
    enum option_kind kind;
    const char *argument; /* "N", "KEY=VALUE"; NULL for a switch */
    const char *help;
    size_t offset;    /* of the member that it fills */
    int64_t min, max; /* OPTION_WHOLE */
};

struct option_set { /* rows and the structure that they fill */
    const struct option_row *rows;
    size_t n;
    void *into;
};

/* What is left of the command line. */
struct operands {
    char **words; /* NULL-terminated */
    size_t n;
    char **command; /* OPTIONS_COMMAND: what stands after "--"; NULL: there was none */
};

enum options_mode {
    OPTIONS_FIRST,   /* ends at the first operand; all that follows are the operands */
    OPTIONS_ALL,     /* options and operands in any order; after "--" only operands */
    OPTIONS_COMMAND, /* the same, but what follows "--" is a command line */
};

/* argv[0] is skipped; a number such as -1 behind an operand is an operand. e is ERR_USAGE, names the option and says how to mend it. After a failure there is
 * nothing in `rest` to release; lists are released by options_release in any case. */
__attribute__((warn_unused_result)) int options_parse(const struct option_set *sets, size_t nsets,
                                                      enum options_mode mode, int argc, char **argv,
                                                      struct operands *rest, struct err *e);
void operands_release(struct operands *rest);
void options_release(const struct option_set *set); /* frees the lists */

/* One line a row, indented, helps aligned among all calls. */
void options_print(FILE *out, const struct option_row *rows, size_t n);

#endif
