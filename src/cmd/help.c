#include "cmd/help.h"

#include <string.h>

#include "cmd/commands.h"

static void global_options(FILE *out)
{
    fputs("\nGlobal options:\n", out);
    options_print(out, global_rows, nglobal_rows);
}

void help_command(FILE *out, const struct command *c)
{
    fprintf(out, "Usage: rivers %s%s%s%s\n\n%s.\n", c->name, c->nrows ? " [OPTIONS]" : "",
            *c->args ? " " : "", c->args, c->summary);
    if (c->details)
        fprintf(out, "\n%s", c->details);
    if (c->nrows) {
        fputs("\nOptions:\n", out);
        options_print(out, c->rows, c->nrows);
    }
    global_options(out);
}

void help_commands(FILE *out, const char *prefix)
{
    const char *group = "";

    fprintf(out, "Usage: rivers %s%sCOMMAND [OPTIONS]\n", prefix, *prefix ? " " : "");
    for (size_t i = 0; i < ncommands; i++) {
        if (!command_below(commands[i], prefix))
            continue;
        if (strcmp(group, commands[i]->group) != 0)
            fprintf(out, "\n%s:\n", commands[i]->group);
        group = commands[i]->group;
        fprintf(out, "  %-14s %s\n", commands[i]->name, commands[i]->summary);
    }
    global_options(out);
    fprintf(out, "\nEach command has its own help: rivers COMMAND --help\n");
}
