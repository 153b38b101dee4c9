#include "support/kube_event.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "support/kube_json.h"

void kube_event(struct kube_store *s, const struct kube_object *about, const char *type, const char *reason,
                const char *component, const char *format, ...)
{
    char *message, now[32], version[32];
    /* Names of events sort by time. */
    char *name = xasprintf("%s.%016llx", about->name, (unsigned long long)kube_store_version(s));
    va_list args;

    va_start(args, format);
    if (vasprintf(&message, format, args) < 0)
        abort();
    va_end(args);
    kube_time(now, 0);
    snprintf(version, sizeof version, "%lld", (long long)about->version);
    kube_store_add(
        s, &kube_events, about->ns,
        kube_json("{'metadata':{'name':%s},'involvedObject':{'kind':%s,'namespace':%s,'name':%s,'uid':%s,"
                  "'apiVersion':%s,'resourceVersion':%s},'reason':%s,'message':%s,'source':{'component':%s},"
                  "'firstTimestamp':%s,'lastTimestamp':%s,'count':1,'type':%s,'eventTime':null,"
                  "'reportingComponent':'','reportingInstance':''}",
                  name, about->resource->kind, about->ns, about->name, about->uid,
                  kube_api_version(about->resource), version, reason, message, component, now, now, type));
    free(message);
    free(name);
}
