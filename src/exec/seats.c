#include "exec/seats.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "core/terms.h"

struct seat {
    _Atomic int64_t token;      /* 0: there is nothing to renew */
    _Atomic int64_t asked_at;   /* for the lease, or the renewal, that counts; 0: nothing is held */
    _Atomic int64_t seen_at;    /* the executor was alive then */
    _Atomic int64_t renewed_at; /* of seat_renewed; 0: nothing was */
    int64_t lease_ms;           /* from here on what does not change while there is a token */
    char run[64], executor[192];
};

struct seats { /* zero at first */
    _Atomic size_t n;
    struct seat seats[SEATS_MOST];
};

/* --- the memory */

static struct seats *seats_map(int fd, struct err *e)
{
    struct seats *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (s != MAP_FAILED)
        return s;
    err_sys(e, "cannot share memory with executors");
    return NULL;
}

/* Room for one descriptor beside the one byte of a message. */
struct parcel {
    struct msghdr message;
    struct iovec bytes;
    char byte;
    _Alignas(struct cmsghdr) char fd[CMSG_SPACE(sizeof(int))];
};

static struct msghdr *parcel_init(struct parcel *p)
{
    *p = (struct parcel){.bytes = {&p->byte, 1}};
    p->message = (struct msghdr){
        .msg_iov = &p->bytes, .msg_iovlen = 1, .msg_control = p->fd, .msg_controllen = sizeof p->fd};
    return &p->message;
}

static int fd_send(int socket, int fd, struct err *e)
{
    struct parcel p;
    struct cmsghdr *c = CMSG_FIRSTHDR(parcel_init(&p));

    *c = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    return sendmsg(socket, &p.message, MSG_NOSIGNAL) < 0 ? err_sys(e, "cannot share memory with executors")
                                                         : 0;
}

static int fd_receive(int socket, struct err *e)
{
    struct parcel p;
    struct msghdr *message = parcel_init(&p);
    int fd;

    ssize_t n = recvmsg(socket, message, MSG_CMSG_CLOEXEC);
    const struct cmsghdr *c = n == 1 ? CMSG_FIRSTHDR(message) : NULL;
    if (!c) {
        errno = n < 0 ? errno : EPROTO;
        return err_sys(e, "cannot share memory with the dequeuer");
    }
    memcpy(&fd, CMSG_DATA(c), sizeof fd);
    return fd;
}

struct seats *seats_new(int socket, struct err *e)
{
    struct seats *s = NULL;
    int fd = memfd_create("rivers-seats", MFD_CLOEXEC);

    if (fd < 0 || ftruncate(fd, sizeof *s) < 0)
        err_sys(e, "cannot share memory with executors");
    else if (socket < 0 || fd_send(socket, fd, e) == 0)
        s = seats_map(fd, e);
    if (fd >= 0)
        close(fd);
    return s;
}

struct seats *seats_receive(int socket, struct err *e)
{
    int fd = fd_receive(socket, e);

    if (fd < 0)
        return NULL;
    struct seats *s = seats_map(fd, e);
    close(fd);
    return s;
}

void seats_free(struct seats *s)
{
    if (s)
        munmap(s, sizeof *s);
}

struct seat *seats_at(struct seats *s, size_t i)
{
    return &s->seats[i];
}

size_t seats_count(const struct seats *s)
{
    return atomic_load(&s->n);
}

/* --- the guard */

struct seat *seats_take(struct seats *s, size_t i)
{
    if (i >= SEATS_MOST)
        return NULL;
    if (i >= atomic_load(&s->n))
        atomic_store(&s->n, i + 1);
    return &s->seats[i];
}

void seat_clear(struct seat *s)
{
    seat_leave(s);
    atomic_store(&s->renewed_at, 0);
}

int64_t seat_until(const struct seat *s)
{
    int64_t asked_at = atomic_load(&s->asked_at), lease_ms = s->lease_ms;

    if (!asked_at)
        return 0;
    return asked_at + lease_ms - terms_margin_ms(lease_ms) + terms_grace_ms(lease_ms) +
           terms_guard_ms(lease_ms);
}

/* --- an executor */

void seat_fill(struct seat *s, const struct execution *x, int64_t lease_ms)
{
    s->lease_ms = lease_ms;
    snprintf(s->run, sizeof s->run, "%s", x->run);
    snprintf(s->executor, sizeof s->executor, "%s", x->executor);
    atomic_store(&s->seen_at, clock_mono_ms());
    atomic_store(&s->token, x->token); /* the last: whoever sees it sees all the rest */
}

void seat_hold(struct seat *s, int64_t asked_at)
{
    atomic_store(&s->asked_at, asked_at);
}

void seat_hold_for(struct seat *s, int64_t asked_at, int64_t lease_ms)
{
    s->lease_ms = lease_ms;
    seat_hold(s, asked_at);
}

void seat_give_up(struct seat *s)
{
    atomic_store(&s->token, 0);
}

void seat_leave(struct seat *s)
{
    atomic_store(&s->token, 0);
    atomic_store(&s->asked_at, 0);
}

int64_t seat_look(struct seat *s)
{
    atomic_store(&s->seen_at, clock_mono_ms());
    return atomic_load(&s->renewed_at);
}

/* --- the dequeuer */

/* Whole when the token is the same at both ends. */
bool seat_read(const struct seat *s, struct seat_lease *l)
{
    l->token = atomic_load(&s->token);
    if (!l->token)
        return false;
    l->lease_ms = s->lease_ms;
    l->seen_at = atomic_load(&s->seen_at);
    l->renewed_at = atomic_load(&s->renewed_at);
    memcpy(l->run, s->run, sizeof l->run);
    memcpy(l->executor, s->executor, sizeof l->executor);
    atomic_thread_fence(memory_order_acquire);
    return atomic_load(&s->token) == l->token;
}

void seat_renewed(struct seat *s, int64_t token, int64_t asked_at)
{
    if (atomic_load(&s->token) == token)
        atomic_store(&s->renewed_at, asked_at);
}
