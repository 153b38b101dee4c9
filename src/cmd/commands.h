/* commands: the rows of all commands. */
#ifndef RIVERS_CMD_COMMANDS_H
#define RIVERS_CMD_COMMANDS_H

#include "cmd/command.h"

/* In the order of `rivers --help`; commands of a group stand together. */
extern const struct command *const commands[];
extern const size_t ncommands;

/* Each in the file that is named after its first word. */
extern const struct command submit_command, materialize_command;
extern const struct command queue_list_command, queue_why_command, queue_cancel_command;
extern const struct command runs_list_command, runs_show_command, runs_logs_command, runs_wait_command;
extern const struct command runs_cancel_command, runs_delete_command;
extern const struct command pools_list_command, pools_info_command, pools_set_command, pools_delete_command;
extern const struct command pools_run_command;
extern const struct command top_command, events_command, doctor_command;
extern const struct command config_check_command, config_apply_command, config_show_command,
    config_diff_command;
extern const struct command dev_command, dequeuer_command, execute_command, backend_check_command,
    bench_command;

/* NULL: no command has this name. */
const struct command *command_find(const char *name);

/* What follows the prefix in the command's name: "list" of "queue list" behind "queue", all of it behind "".
 * NULL when the name does not begin so, or ends there. */
const char *command_below(const struct command *c, const char *prefix);

#endif
