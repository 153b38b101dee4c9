#include "cmd/commands.h"

#include <string.h>

const struct command *const commands[] = {
    &submit_command,       &materialize_command, &queue_list_command,    &queue_why_command,
    &queue_cancel_command, &runs_list_command,   &runs_show_command,     &runs_logs_command,
    &runs_wait_command,    &runs_cancel_command, &runs_delete_command,   &pools_list_command,
    &pools_info_command,   &pools_set_command,   &pools_delete_command,  &pools_run_command,
    &top_command,          &events_command,      &doctor_command,        &config_check_command,
    &config_apply_command, &config_show_command, &config_diff_command,   &dev_command,
    &dequeuer_command,     &execute_command,     &backend_check_command, &bench_command,
};
const size_t ncommands = sizeof commands / sizeof *commands;

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < ncommands; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

const char *command_below(const struct command *c, const char *prefix)
{
    size_t n = strlen(prefix);

    if (n == 0)
        return c->name;
    return strncmp(c->name, prefix, n) == 0 && c->name[n] == ' ' ? c->name + n + 1 : NULL;
}
