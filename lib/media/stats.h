/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers of the packet plane.
 */
#ifndef STW_MEDIA_STATS_H
#define STW_MEDIA_STATS_H

#include <strowger/media.h>

/** Read all numbers but port_missed and the ports' own buffers. Threads: any. */
void stats_read(struct stw_media *media, struct stw_media_stats *stats);

#endif
