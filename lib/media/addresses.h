/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The local addresses of a packet plane: checked, made, found, freed.
 */
#ifndef STW_MEDIA_ADDRESSES_H
#define STW_MEDIA_ADDRESSES_H

#include <stdbool.h>

#include <strowger/media.h>

/** True when every local address is possible and none is there twice. Threads: any. */
bool addresses_are_valid(const struct stw_media_config *config);

/**
 * Make the tables of all local addresses, in zeroed memory.
 *
 * @return 0
 * @return -ENOMEM  memory cannot be had; addresses_destroy frees what there is
 *
 * Threads: one. Progress: blocking (waits for memory).
 */
int addresses_init(struct stw_media *media, const struct stw_media_config *config);

/** Free them. Threads: one, the last. */
void addresses_destroy(struct stw_media *media);

#endif
