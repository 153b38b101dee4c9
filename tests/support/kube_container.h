/* kube_container: the command line and the environment of a container, as a kubelet makes them of a pod: references to
 * secrets and to fields of the pod are looked up, $(NAME) is replaced, $$(NAME) is not. */
#ifndef RIVERS_TESTS_KUBE_CONTAINER_H
#define RIVERS_TESTS_KUBE_CONTAINER_H

#include "base/environment.h"
#include "base/err.h"
#include "base/options.h"
#include "support/kube_store.h"

struct kube_container_options {
    const struct option_list *secrets;  /* "name/key=value" */
    const struct option_list *pass_env; /* names of our variables that every container gets too */
    int api_port;                       /* KUBERNETES_SERVICE_PORT */
    const char *node;                   /* the name of the node */
};

struct kube_container {
    char **argv;
    struct environment env;
    const char *cwd; /* borrowed from the pod; NULL: ours */
};

/* -1 and e, worded as a kubelet does, when something referred to is not there. */
int kube_container_make(struct kube_container *c, const struct kube_container_options *o,
                        const struct kube_object *pod, struct err *e);
void kube_container_release(struct kube_container *c);

#endif
