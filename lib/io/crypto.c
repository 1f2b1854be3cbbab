/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Crypto devices of SRTP.
 *
 * Which lines of a session an operation reads was measured with 20,000 sessions of this release of
 * DPDK: asking for them ahead makes an operation two and a half times as fast. Other lines do no harm.
 */
#include "crypto.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <rte_cryptodev.h>
#include <rte_dev.h>

#include "base/base.h"
#include "media/srtp/srtp_job.h"

/** Operations of a queue pair; more than a worker ever hands over at once. */
#define CRYPTO_DESCRIPTORS 512

/** What a driver is made of: a device for each kind of suite, or one for both. */
struct crypto_driver {
	const char *name;
	enum stw_srtp_driver driver;
	const char *devices[SRTP_DEVICES];    /**< the second NULL: the first does both */
	uint32_t session_lines[SRTP_DEVICES]; /**< read by operations */
};

static const struct crypto_driver drivers[] = {
	{"ipsec_mb",
	 STW_SRTP_DRIVER_IPSEC_MB,
	 {"crypto_aesni_mb", "crypto_aesni_gcm"},
	 {0x3f003f, 0x1ffff}},
	{"openssl", STW_SRTP_DRIVER_OPENSSL, {"crypto_openssl", NULL}, {0xf, 0xf}},
};

/** Make one device. Its id, or -ENODEV. */
static int
device_make(struct crypto *crypto, const char *type, uint32_t workers)
{
	static _Atomic unsigned serial;
	char *name = crypto->names[crypto->count], arguments[128];
	int id;

	snprintf(name, sizeof(crypto->names[0]), "%s_stw%u", type,
		 atomic_fetch_add_explicit(&serial, 1, memory_order_relaxed));
	snprintf(arguments, sizeof(arguments), "%s,max_nb_queue_pairs=%" PRIu32, name, workers);
	if (rte_dev_probe(arguments) != 0)
		return -ENODEV;
	crypto->count++;
	id = rte_cryptodev_get_dev_id(name);
	return id < 0 ? -ENODEV : id;
}

static int
device_start(uint8_t id, uint32_t workers, struct rte_mempool *sessions)
{
	struct rte_cryptodev_config config = {.nb_queue_pairs = (uint16_t)workers,
					      .socket_id = (int)rte_socket_id()};
	struct rte_cryptodev_qp_conf queue = {.nb_descriptors = CRYPTO_DESCRIPTORS,
					      .mp_session = sessions};

	if (config.socket_id < 0)
		config.socket_id = 0;
	if (rte_cryptodev_configure(id, &config) != 0)
		return -ENOTSUP;
	for (uint16_t i = 0; i < workers; i++) {
		if (rte_cryptodev_queue_pair_setup(id, i, &queue, config.socket_id) != 0)
			return -ENOTSUP;
	}
	return rte_cryptodev_start(id) == 0 ? 0 : -ENOTSUP;
}

static void
devices_remove(struct crypto *crypto)
{
	while (crypto->count) {
		const char *name = crypto->names[--crypto->count];
		int id = rte_cryptodev_get_dev_id(name);
		struct rte_cryptodev_info info;

		if (id < 0)
			continue;
		rte_cryptodev_stop((uint8_t)id);
		rte_cryptodev_close((uint8_t)id);
		rte_cryptodev_info_get((uint8_t)id, &info);
		if (rte_dev_remove(info.device) != 0)
			stw_log(STW_LOG_ERROR, "SRTP-NOT-REMOVED device=%s", name);
	}
}

/** One pool of sessions. */
static struct rte_mempool *
pool_make(uint32_t count, uint32_t bytes)
{
	static _Atomic unsigned serial;
	char name[RTE_MEMPOOL_NAMESIZE];
	struct rte_mempool *pool;

	snprintf(name, sizeof(name), "stw_srtp_%u",
		 atomic_fetch_add_explicit(&serial, 1, memory_order_relaxed));
	pool = rte_cryptodev_sym_session_pool_create(name, count, bytes, 0, 0, SOCKET_ID_ANY);
	if (!pool)
		stw_log(STW_LOG_ERROR,
			"SRTP-NO-MEMORY sessions=%" PRIu32 " bytes=%" PRIu32
			" reason=\"more memory_mib is needed\"",
			count, bytes);
	return pool;
}

/** The pools of sessions, of the size that the larger device needs. */
static int
sessions_make(struct crypto *crypto, struct srtp_crypto *found,
	      const struct stw_media_config *config)
{
	uint32_t bytes = 0;

	for (unsigned i = 0; i < SRTP_DEVICES; i++) {
		uint32_t wanted = rte_cryptodev_sym_get_private_session_size(found->devices[i]);

		bytes = wanted > bytes ? wanted : bytes;
	}
	crypto->sessions = pool_make(2 * srtp_slots(config->srtp_max), bytes);
	if (!crypto->sessions)
		return -ENOMEM;
	for (uint32_t i = 0; i < config->workers; i++) {
		crypto->scratch[i] = pool_make(SRTP_JOBS, bytes);
		if (!crypto->scratch[i])
			return -ENOMEM;
		found->scratch[i] = crypto->scratch[i];
	}
	found->sessions = crypto->sessions;
	found->session_bytes = crypto->sessions->elt_size + crypto->sessions->header_size +
			       crypto->sessions->trailer_size;
	return 0;
}

static int
driver_open(struct crypto *crypto, struct srtp_crypto *found, const struct crypto_driver *driver,
	    const struct stw_media_config *config)
{
	int error = 0;

	*found = (struct srtp_crypto){.driver = driver->driver};
	for (unsigned i = 0; i < SRTP_DEVICES; i++) {
		int id = found->devices[0];

		if (i == 0 || driver->devices[i])
			id = device_make(crypto, driver->devices[i], config->workers);
		if (id < 0)
			return -ENOTSUP;
		found->devices[i] = (uint8_t)id;
		found->session_lines[i] = driver->session_lines[i];
	}
	error = sessions_make(crypto, found, config);
	for (unsigned i = 0; error == 0 && i < SRTP_DEVICES; i++) {
		if (i == 0 || found->devices[i] != found->devices[0])
			error = device_start(found->devices[i], config->workers, crypto->sessions);
	}
	return error;
}

int
crypto_open(struct crypto *crypto, struct srtp_crypto *found, const struct stw_media_config *config)
{
	int error = -ENOTSUP;

	if (config->srtp_max == 0)
		return 0;
	for (unsigned i = 0; i < STW_ARRAY_COUNT(drivers) && error == -ENOTSUP; i++) {
		if (config->srtp_driver != STW_SRTP_DRIVER_AUTO &&
		    config->srtp_driver != drivers[i].driver)
			continue;
		error = driver_open(crypto, found, &drivers[i], config);
		if (error == 0) {
			stw_log(STW_LOG_INFO,
				"SRTP-DRIVER driver=%s contexts=%" PRIu32 " session_bytes=%" PRIu32,
				drivers[i].name, config->srtp_max, found->session_bytes);
			return 0;
		}
		stw_log(STW_LOG_WARN, "SRTP-NO-DRIVER driver=%s reason=\"%s\"", drivers[i].name,
			stw_error_text(error));
		crypto_close(crypto);
	}
	return error;
}

void
crypto_close(struct crypto *crypto)
{
	devices_remove(crypto);
	for (unsigned i = 0; i < STW_MEDIA_WORKERS_MAX; i++) {
		rte_mempool_free(crypto->scratch[i]);
		crypto->scratch[i] = NULL;
	}
	rte_mempool_free(crypto->sessions);
	crypto->sessions = NULL;
}
