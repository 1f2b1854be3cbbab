/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The recording thread: writes what the forks have queued, and may wait for the disk.
 */
#ifndef SWITCH_RECORD_H
#define SWITCH_RECORD_H

#include <strowger/media.h>

struct recorder;

/* Start the thread. 0 or a negative errno. */
int record_start(struct recorder **out, struct stw_media *media);

/* Stop it; NULL is fine. What is queued when this is called is written before. */
void record_stop(struct recorder *recorder);

#endif
