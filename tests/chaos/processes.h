/* processes: dequeuers, the executors that they launch, and clients that submit and cancel until they are told to end. */
#ifndef RIVERS_TESTS_CHAOS_PROCESSES_H
#define RIVERS_TESTS_CHAOS_PROCESSES_H

#include "chaos/chaos.h"

void start_dequeuer(struct chaos *c, int i);
void start_client(struct chaos *c, int i);

/* In the child: proxy is its place among the proxies. */
void go_to_work(struct chaos *c, int proxy);

/* Reaps whatever has ended, and starts dequeuers again. */
void reap(struct chaos *c, bool again);

/* One of our executors, or of the guards above them too, 0 when there is none. */
pid_t some_executor(struct chaos *c, bool or_guard);

/* Notes of each step that an executor of this group runs that nobody ends it. */
void note_stopped(struct chaos *c, pid_t group);

void end_all(const pid_t *pids, int n);
bool lives(const pid_t *pids, int n);

#endif
