#include "support/redis_host.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "support/redis_server.h"

struct redis_host_page *redis_host_new(const char *dir, const char *library)
{
    char *path = xasprintf("%s/host", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    void *page = MAP_FAILED;

    if (fd >= 0 && ftruncate(fd, sizeof(struct redis_host_page)) == 0)
        page = mmap(NULL, sizeof(struct redis_host_page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    setenv(REDIS_HOST_PAGE, path, 1);
    setenv(REDIS_SERVER_PRELOAD, library, 1);
    free(path);
    return page == MAP_FAILED ? NULL : page;
}
