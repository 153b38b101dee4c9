/* plugin: runs the program that a kubeconfig names for credentials, once. */
#ifndef RIVERS_KUBE_PLUGIN_H
#define RIVERS_KUBE_PLUGIN_H

#include "kube/account.h"
#include "kube/exec_credential.h"

struct plugin;
struct reaper;

/* credential is NULL exactly when e->code is not ERR_NONE; its members may be taken (and set to NULL). plugin_free is
 * allowed. */
typedef void plugin_fn(void *arg, struct exec_credential *credential, const struct err *e);

/* Its stdout is read, its stderr is ours; it has a minute. The account must live as long. NULL and e when it cannot
 * be started. */
struct plugin *plugin_start(struct reaper *reaper, const struct account *a, plugin_fn *on_credential,
                            void *arg, struct err *e);
void plugin_free(struct plugin *p); /* kills it when it still runs; NULL is fine */

#endif
