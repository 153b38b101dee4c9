/* log: one logfmt line an event on stderr: `ts=... level=info msg="run admitted" run=r0abc pool=warehouse`.
 */
#ifndef RIVERS_BASE_LOG_H
#define RIVERS_BASE_LOG_H

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* Lines below `least` are dropped. The one process-wide setting; called once from main. */
void log_init(enum log_level least);

/* msg says the event; pairs are key, value, ..., NULL (all strings; a NULL value skips its pair). Values are
 * quoted as needed. */
void log_line(enum log_level level, const char *msg, ... /* const char *key, const char *value, ..., NULL */)
    __attribute__((sentinel));

#endif
