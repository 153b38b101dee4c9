#include "http/curl.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#define LIBRARY "libcurl.so.4"

static const struct symbol {
    const char *name;
    size_t offset; /* in struct curl */
} symbols[] = {
#define SYMBOL(member)                                                                                       \
    {                                                                                                        \
        "curl_" #member, offsetof(struct curl, member)                                                       \
    }
    SYMBOL(global_init),
    SYMBOL(global_cleanup),
    SYMBOL(easy_init),
    SYMBOL(easy_setopt),
    SYMBOL(easy_getinfo),
    SYMBOL(easy_strerror),
    SYMBOL(easy_cleanup),
    SYMBOL(easy_header),
    SYMBOL(multi_init),
    SYMBOL(multi_setopt),
    SYMBOL(multi_add_handle),
    SYMBOL(multi_remove_handle),
    SYMBOL(multi_socket_action),
    SYMBOL(multi_assign),
    SYMBOL(multi_info_read),
    SYMBOL(multi_cleanup),
    SYMBOL(slist_append),
    SYMBOL(slist_free_all),
    SYMBOL(url),
    SYMBOL(url_set),
    SYMBOL(url_get),
    SYMBOL(url_strerror),
    SYMBOL(url_cleanup),
    SYMBOL(free),
#undef SYMBOL
};

int curl_load(struct curl *c, struct err *e)
{
    /* NODELETE: OpenSSL leaves handlers for the exit of the process behind. */
    *c = (struct curl){.handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)};
    if (!c->handle)
        return err_set(e, ERR_SYSTEM, "cannot load libcurl: %s", dlerror());
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        void *address = dlsym(c->handle, symbols[i].name);
        if (!address) {
            dlclose(c->handle);
            c->handle = NULL;
            return err_set(e, ERR_SYSTEM, "cannot load libcurl: %s is too old, it has no %s", LIBRARY,
                           symbols[i].name);
        }
        memcpy((char *)c + symbols[i].offset, &address, sizeof address);
    }
    c->global_init(CURL_GLOBAL_DEFAULT);
    return 0;
}

void curl_unload(struct curl *c)
{
    if (!c->handle)
        return;
    c->global_cleanup();
    dlclose(c->handle);
    c->handle = NULL;
}
