/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Crypto operations without packets around them.
 */
#include "srtp_raw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cryptodev.h>
#include <rte_dev.h>
#include <rte_mbuf.h>

#include "rounds.h"

#define BURST        64
#define POOL_BUFFERS 1023

/* Where an operation has its initialisation vector and its HMAC. */
#define IV_OFFSET     (sizeof(struct rte_crypto_op) + sizeof(struct rte_crypto_sym_op))
#define DIGEST_OFFSET (IV_OFFSET + 16)
#define PRIVATE_BYTES 64

struct raw {
	char name[48];
	uint8_t device;
	bool aead;
	uint32_t keys;
	struct rte_mempool *sessions, *operations, *buffers;
	void **in, **out;
	struct rte_mbuf *mbufs[BURST];
	struct rte_crypto_op *ops[BURST];
};

static void *
session_of(struct raw *raw, uint64_t *seed, bool inward)
{
	struct rte_crypto_sym_xform cipher = {.type = RTE_CRYPTO_SYM_XFORM_CIPHER};
	struct rte_crypto_sym_xform auth = {.type = RTE_CRYPTO_SYM_XFORM_AUTH};
	struct rte_crypto_sym_xform aead = {.type = RTE_CRYPTO_SYM_XFORM_AEAD};
	uint64_t key[5];
	void *session;

	for (unsigned i = 0; i < 5; i++)
		key[i] = rounds_random(seed);
	aead.aead.op = RTE_CRYPTO_AEAD_OP_ENCRYPT;
	aead.aead.algo = RTE_CRYPTO_AEAD_AES_GCM;
	aead.aead.key.data = (const uint8_t *)key;
	aead.aead.key.length = 16;
	aead.aead.iv.offset = IV_OFFSET;
	aead.aead.iv.length = 12;
	aead.aead.digest_length = 16;
	aead.aead.aad_length = 12;
	cipher.cipher.op = RTE_CRYPTO_CIPHER_OP_ENCRYPT;
	cipher.cipher.algo = RTE_CRYPTO_CIPHER_AES_CTR;
	cipher.cipher.key.data = (const uint8_t *)key;
	cipher.cipher.key.length = 16;
	cipher.cipher.iv.offset = IV_OFFSET;
	cipher.cipher.iv.length = 16;
	auth.auth.op = RTE_CRYPTO_AUTH_OP_GENERATE;
	auth.auth.algo = RTE_CRYPTO_AUTH_SHA1_HMAC;
	auth.auth.key.data = (const uint8_t *)&key[2];
	auth.auth.key.length = 20;
	auth.auth.digest_length = 10;
	if (inward)
		auth.next = &cipher;
	else
		cipher.next = &auth;
	session = rte_cryptodev_sym_session_create(
		raw->device, raw->aead ? &aead : (inward ? &auth : &cipher), raw->sessions);
	if (!session)
		rounds_die("srtp: no session");
	return session;
}

static void
device_start(struct raw *raw)
{
	struct rte_cryptodev_config config = {.nb_queue_pairs = 1};
	struct rte_cryptodev_qp_conf queue = {.nb_descriptors = 256};
	char arguments[80];
	int id;

	snprintf(raw->name, sizeof(raw->name), "crypto_aesni_%s_bench%u", raw->aead ? "gcm" : "mb",
		 raw->keys);
	snprintf(arguments, sizeof(arguments), "%s,max_nb_queue_pairs=1", raw->name);
	if (rte_dev_probe(arguments) != 0)
		rounds_die("srtp: there is no %s", raw->name);
	id = rte_cryptodev_get_dev_id(raw->name);
	raw->device = (uint8_t)id;
	raw->sessions = rte_cryptodev_sym_session_pool_create(
		"bench_sessions", 2 * raw->keys + 64,
		rte_cryptodev_sym_get_private_session_size(raw->device), 0, 0, SOCKET_ID_ANY);
	queue.mp_session = raw->sessions;
	if (!raw->sessions || rte_cryptodev_configure(raw->device, &config) != 0 ||
	    rte_cryptodev_queue_pair_setup(raw->device, 0, &queue, 0) != 0 ||
	    rte_cryptodev_start(raw->device) != 0)
		rounds_die("srtp: %s cannot be started", raw->name);
}

struct raw *
raw_create(bool aead, uint32_t keys)
{
	struct raw *raw = calloc(1, sizeof(*raw));
	uint64_t seed = 1;

	if (!raw)
		rounds_die("srtp: no memory");
	raw->aead = aead;
	raw->keys = keys;
	raw->in = calloc(keys, sizeof(*raw->in));
	raw->out = calloc(keys, sizeof(*raw->out));
	device_start(raw);
	raw->operations = rte_crypto_op_pool_create("bench_ops", RTE_CRYPTO_OP_TYPE_SYMMETRIC,
						    POOL_BUFFERS, 0, PRIVATE_BYTES, SOCKET_ID_ANY);
	raw->buffers = rte_pktmbuf_pool_create("bench_raw", POOL_BUFFERS, 0, 0,
					       RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (!raw->in || !raw->out || !raw->operations || !raw->buffers ||
	    rte_crypto_op_bulk_alloc(raw->operations, RTE_CRYPTO_OP_TYPE_SYMMETRIC, raw->ops,
				     BURST) != BURST ||
	    rte_pktmbuf_alloc_bulk(raw->buffers, raw->mbufs, BURST) != 0)
		rounds_die("srtp: no memory for operations");
	for (unsigned i = 0; i < BURST; i++)
		memset(rte_pktmbuf_append(raw->mbufs[i], SRTP_RTP_BYTES + 64), (int)i,
		       SRTP_RTP_BYTES + 64);
	for (uint32_t i = 0; i < keys; i++) {
		raw->in[i] = session_of(raw, &seed, true);
		raw->out[i] = session_of(raw, &seed, false);
	}
	return raw;
}

void
raw_destroy(struct raw *raw)
{
	struct rte_cryptodev_info info;

	for (uint32_t i = 0; i < raw->keys; i++) {
		rte_cryptodev_sym_session_free(raw->device, raw->in[i]);
		rte_cryptodev_sym_session_free(raw->device, raw->out[i]);
	}
	rte_cryptodev_stop(raw->device);
	rte_cryptodev_close(raw->device);
	rte_cryptodev_info_get(raw->device, &info);
	rte_dev_remove(info.device);
	rte_mempool_free(raw->operations);
	rte_mempool_free(raw->buffers);
	rte_mempool_free(raw->sessions);
	free(raw->in);
	free(raw->out);
	free(raw);
}

static void
op_fill(struct raw *raw, unsigned i, void *session)
{
	struct rte_crypto_op *op = raw->ops[i];
	uint8_t *own = (uint8_t *)op;
	uint8_t *packet = rte_pktmbuf_mtod(raw->mbufs[i], uint8_t *);

	op->status = RTE_CRYPTO_OP_STATUS_NOT_PROCESSED;
	op->sess_type = RTE_CRYPTO_OP_WITH_SESSION;
	op->sym->session = session;
	op->sym->m_src = raw->mbufs[i];
	op->sym->m_dst = NULL;
	if (raw->aead) {
		op->sym->aead.data.offset = 12;
		op->sym->aead.data.length = SRTP_PAYLOAD_BYTES;
		op->sym->aead.aad.data = packet;
		op->sym->aead.digest.data = packet + SRTP_RTP_BYTES;
		return;
	}
	op->sym->cipher.data.offset = 12;
	op->sym->cipher.data.length = SRTP_PAYLOAD_BYTES;
	op->sym->auth.data.offset = 0;
	op->sym->auth.data.length = SRTP_RTP_BYTES + 4;
	op->sym->auth.digest.data = own + DIGEST_OFFSET;
}

static void
burst_do(struct raw *raw)
{
	struct rte_crypto_op *done[BURST];
	unsigned taken = 0;

	if (rte_cryptodev_enqueue_burst(raw->device, 0, raw->ops, BURST) != BURST)
		rounds_die("srtp: the crypto device is full");
	while (taken < BURST)
		taken += rte_cryptodev_dequeue_burst(raw->device, 0, done,
						     (uint16_t)(BURST - taken));
	for (unsigned i = 0; i < BURST; i++) {
		if (raw->ops[i]->status != RTE_CRYPTO_OP_STATUS_SUCCESS)
			rounds_die("srtp: a raw operation failed");
	}
}

double
raw_rate(struct raw *raw, uint32_t packets, uint64_t *seed)
{
	uint32_t keys[BURST], bursts = packets / BURST;
	uint64_t start_ns = rounds_now_ns();

	for (uint32_t burst = 0; burst < bursts; burst++) {
		for (unsigned i = 0; i < BURST; i++) {
			keys[i] = rounds_random_below(seed, raw->keys);
			op_fill(raw, i, raw->in[keys[i]]);
		}
		burst_do(raw);
		for (unsigned i = 0; i < BURST; i++)
			op_fill(raw, i, raw->out[keys[i]]);
		burst_do(raw);
	}
	return (double)bursts * BURST * 1e9 / (double)(rounds_now_ns() - start_ns);
}

/* Operations a second of one run of the program; 0 when it said nothing of the kind. */
static double
perf_run(const char *device, const char *algorithms, bool quick)
{
	char command[1024], line[512];
	double millions = 0;
	FILE *pipe;

	snprintf(command, sizeof(command),
		 "dpdk-test-crypto-perf --no-huge -m 256 --no-pci --no-telemetry "
		 "--file-prefix=benchsrtp -l 0,1 --vdev %s0 -- --devtype %s --ptest throughput %s "
		 "--total-ops %u --burst-sz 64 --silent --csv-friendly 2>/dev/null",
		 device, device, algorithms, quick ? 200000 : 2000000);
	pipe = popen(command, "r");
	if (!pipe)
		return 0;
	while (fgets(line, sizeof(line), pipe)) {
		double found;

		if (sscanf(line, "%*u,%*u,%*u,%*u,%*u,%*u,%*u,%lf", &found) == 1)
			millions = found;
	}
	return pclose(pipe) == 0 ? millions * 1e6 : 0;
}

double
raw_perf_rate(bool aead, bool quick)
{
	static const char cm[] =
		"--cipher-algo aes-ctr --cipher-op encrypt --cipher-key-sz 16 --cipher-iv-sz 16 "
		"--auth-algo sha1-hmac --auth-op generate --auth-key-sz 20 --digest-sz 10 "
		"--buffer-sz 172 --optype";
	static const char gcm[] = "--optype aead --aead-algo aes-gcm --aead-op encrypt "
				  "--aead-key-sz 16 --aead-iv-sz 12 --aead-aad-sz 12 "
				  "--digest-sz 16 --buffer-sz 160";
	char algorithms[sizeof(cm) + 32];
	double in, out;

	if (aead) {
		in = perf_run("crypto_aesni_gcm", gcm, quick);
		return in / 2;
	}
	snprintf(algorithms, sizeof(algorithms), "%s auth-then-cipher", cm);
	in = perf_run("crypto_aesni_mb", algorithms, quick);
	snprintf(algorithms, sizeof(algorithms), "%s cipher-then-auth", cm);
	out = perf_run("crypto_aesni_mb", algorithms, quick);
	return in > 0 && out > 0 ? 1 / (1 / in + 1 / out) : 0;
}
