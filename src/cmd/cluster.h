/* cluster: the options of the commands that talk to Kubernetes. */
#ifndef RIVERS_CMD_CLUSTER_H
#define RIVERS_CMD_CLUSTER_H

#include <stddef.h>

#include "base/options.h"
#include "kube/access.h"

/* Rows that fill the struct access_options there. */
#define CLUSTER_ROWS(at)                                                                                     \
    {"kubeconfig",                                                                                           \
     0,                                                                                                      \
     OPTION_TEXT,                                                                                            \
     "FILE",                                                                                                 \
     "of Kubernetes (default: in a pod its service account, else KUBECONFIG, ~/.kube/config)",               \
     (at) + offsetof(struct access_options, kubeconfig),                                                     \
     0,                                                                                                      \
     0},                                                                                                     \
    {                                                                                                        \
        "context", 0, OPTION_TEXT, "NAME", "of the kubeconfig (default: its current-context)",               \
            (at) + offsetof(struct access_options, context), 0, 0                                            \
    }

#endif
