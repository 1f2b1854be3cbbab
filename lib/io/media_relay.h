/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The packet plane and its relay inside the kernel. Control thread; all but the numbers before workers run.
 */
#ifndef STW_IO_MEDIA_RELAY_H
#define STW_IO_MEDIA_RELAY_H

#include "media.h"

/** Open the maps, if there is to be such a relay. 0, or why a required one cannot be had; the log says so. */
int media_relay_open(struct media_io *io, const struct stw_media_config *config);

/** Take a relay that somebody else has opened: all ports count as having it. */
void media_relay_lend(struct media_io *io, struct kernel_relay *relay,
		      const struct stw_media_config *config);

/** Close what media_relay_open opened, when nobody looks at the rows any more. */
void media_relay_close(struct media_io *io);

/** Let it find the legs of a local address, by index, after port_own. 0, or as port_own_legs. */
int media_relay_own(struct media_io *io, const struct stw_media_config *config, uint32_t index);

/** Add what it has counted, and the memory of its maps and of those of steering. Threads: any. */
void media_relay_stats(const struct media_io *io, struct stw_media_stats *stats);

#endif
