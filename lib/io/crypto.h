/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Crypto devices of SRTP: virtual ones of DPDK, made when the packet plane is, with a queue pair for
 * each worker. ipsec_mb first, openssl where there is none.
 */
#ifndef STW_IO_CRYPTO_H
#define STW_IO_CRYPTO_H

#include <strowger/media.h>

#include "media/srtp/srtp.h"

/** Devices that were made, to be closed. Zeroed: none. */
struct crypto {
	char names[SRTP_DEVICES][64];
	uint32_t count;
	struct rte_mempool *sessions;
	struct rte_mempool *scratch[STW_MEDIA_WORKERS_MAX];
};

/**
 * Make, configure and start the devices; nothing when srtp_max is 0. What was chosen is logged.
 *
 * @param crypto  filled; crypto_close frees it, after a failure, too
 * @param found   filled on success
 * @return 0
 * @return -ENOTSUP  there is no device of the driver that is asked for; the log says which were tried
 * @return -ENOMEM   no memory for the keys of srtp_max contexts
 *
 * Threads: one. Progress: blocking (waits for memory). Order: none.
 */
int crypto_open(struct crypto *crypto, struct srtp_crypto *found,
		const struct stw_media_config *config);

/** Close them, after all sessions are freed. Threads: one, the last. */
void crypto_close(struct crypto *crypto);

#endif
