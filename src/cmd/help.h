/* help: what `--help` prints, from the rows of the commands. */
#ifndef RIVERS_CMD_HELP_H
#define RIVERS_CMD_HELP_H

#include <stdio.h>

#include "cmd/command.h"

void help_command(FILE *out, const struct command *c);
void help_commands(FILE *out,
                   const char *prefix); /* those whose name begins with the word; "": all, by group */

#endif
