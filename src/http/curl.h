/*
 * curl: the functions of libcurl that are used here, in a table that is filled when the library is loaded.
 *
 * libcurl brings some thirty libraries with it: a process that talks to Redis alone must not load them. The
 * members are called like the functions without their "curl_".
 */
#ifndef RIVERS_HTTP_CURL_H
#define RIVERS_HTTP_CURL_H

#include <curl/curl.h>

#include "base/err.h"

struct curl {
    void *handle;
    CURLcode (*global_init)(long flags);
    void (*global_cleanup)(void);
    CURL *(*easy_init)(void);
    CURLcode (*easy_setopt)(CURL *easy, CURLoption option, ...);
    CURLcode (*easy_getinfo)(CURL *easy, CURLINFO info, ...);
    const char *(*easy_strerror)(CURLcode code);
    void (*easy_cleanup)(CURL *easy);
    CURLHcode (*easy_header)(CURL *easy, const char *name, size_t index, unsigned origin, int request,
                             struct curl_header **header);
    CURLM *(*multi_init)(void);
    CURLMcode (*multi_setopt)(CURLM *multi, CURLMoption option, ...);
    CURLMcode (*multi_add_handle)(CURLM *multi, CURL *easy);
    CURLMcode (*multi_remove_handle)(CURLM *multi, CURL *easy);
    CURLMcode (*multi_socket_action)(CURLM *multi, curl_socket_t fd, int events, int *running);
    CURLMcode (*multi_assign)(CURLM *multi, curl_socket_t fd, void *p);
    CURLMsg *(*multi_info_read)(CURLM *multi, int *left);
    CURLMcode (*multi_cleanup)(CURLM *multi);
    struct curl_slist *(*slist_append)(struct curl_slist *list, const char *line);
    void (*slist_free_all)(struct curl_slist *list);
    CURLU *(*url)(void);
    CURLUcode (*url_set)(CURLU *url, CURLUPart part, const char *text, unsigned flags);
    CURLUcode (*url_get)(const CURLU *url, CURLUPart part, char **text, unsigned flags);
    const char *(*url_strerror)(CURLUcode code);
    void (*url_cleanup)(CURLU *url);
    void (*free)(void *text);
};

/* Loads the library. -1 and e (`cannot load libcurl: ...`) when it is not there or too old. */
__attribute__((warn_unused_result)) int curl_load(struct curl *c, struct err *e);
void curl_unload(struct curl *c); /* {0} is fine */

#endif
