/* job_name: names and labels of Kubernetes objects, made from what people name: what is too long or has letters that are
 * not allowed there is cut and gets a hash of the whole, so that two are the same only when their origins are. */
#ifndef RIVERS_KUBE_JOB_NAME_H
#define RIVERS_KUBE_JOB_NAME_H

#include <stddef.h>
#include <stdint.h>

#define JOB_NAME_BYTES 63 /* of the name of a Job and of the value of a label */
#define JOB_HASH_BYTES 16

typedef char job_name[JOB_NAME_BYTES + 1];
typedef char job_hash[JOB_HASH_BYTES + 1];

/* <run>-<attempt> or <run>-<attempt>-<step>-<step attempt>, as a DNS label: a-z 0-9 -. step: NULL for a run. */
void job_name_make(job_name out, const char *run, int64_t attempt, const char *step, int64_t step_attempt);

/* A value that a label can have: A-Z a-z 0-9 _ . -, a letter or digit at both ends; "" stays "". */
void job_label_make(job_name out, const char *text);

/* 64 bits of FNV-1a, in hexadecimal. */
void job_hash_make(job_hash out, const char *bytes, size_t n);

#endif
