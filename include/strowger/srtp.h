/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SRTP and SRTCP of a leg's party. The host negotiates keys (SDES: RFC 4568) and gives them for each
 * direction of a leg by itself, in struct stw_leg_config; a direction without keys is plain. Packets
 * are authenticated and deciphered before anything else looks at them, forks get them deciphered, and
 * what is sent to the leg is protected after everything else: so any two suites, or SRTP and plain
 * RTP, may be connected. The work is done by DPDK's crypto devices in software.
 *
 * Index, roll-over counter and replay: each key set follows up to STW_SRTP_SSRCS_MAX SSRCs, each
 * with an index and a window of at least 113 packets (SRTCP: 97); a packet outside of it or seen
 * before is dropped. A further SSRC is refused, as to forget one would let its packets be replayed;
 * new keys begin with none. A packet's index follows from its own sequence number, in what is sent, too.
 *
 * Key change: stw_leg_update with other keys. What is sent goes by the new keys at once. What is received
 * goes by the new ones, and for STW_SRTP_OVERLAP_NS still by the former ones, for packets that were
 * under way. Equal keys change nothing.
 *
 * SRTCP is always sent enciphered; both kinds are taken, as the E bit says.
 *
 * Source: RFC 3711, RFC 6188 (AES-256), RFC 7714 (AEAD), RFC 4568 (SDES).
 */
#ifndef STROWGER_SRTP_H
#define STROWGER_SRTP_H

#include <stddef.h>
#include <stdint.h>

#include <strowger/export.h>

#ifdef __cplusplus
extern "C" {
#endif

struct stw_media;

/** Cipher and authentication (RFC 4568 6.2, RFC 6188 4, RFC 7714 14.2). */
enum stw_srtp_suite {
	STW_SRTP_AES_CM_128_HMAC_SHA1_80, /**< key 16 bytes, salt 14, tag 10 */
	STW_SRTP_AES_CM_128_HMAC_SHA1_32, /**< tag 4; of SRTCP 10 */
	STW_SRTP_AES_256_CM_HMAC_SHA1_80, /**< key 32 bytes, salt 14, tag 10 */
	STW_SRTP_AES_256_CM_HMAC_SHA1_32, /**< tag 4; of SRTCP 10 */
	STW_SRTP_AEAD_AES_128_GCM,        /**< key 16 bytes, salt 12, tag 16 */
	STW_SRTP_AEAD_AES_256_GCM,        /**< key 32 bytes, salt 12, tag 16 */
};

/** Number of suites. */
#define STW_SRTP_SUITE_COUNT 6

/** Most bytes of a master key, a master salt, a master key identifier. */
#define STW_SRTP_KEY_BYTES_MAX  32
#define STW_SRTP_SALT_BYTES_MAX 14
#define STW_SRTP_MKI_BYTES_MAX  16

/** Most SSRCs that one key set follows. */
#define STW_SRTP_SSRCS_MAX 8

/** How long packets of the former keys are still taken, nanoseconds. */
#define STW_SRTP_OVERLAP_NS UINT64_C(2000000000)

/** Most packets of one key (RFC 3711 9.2). */
#define STW_SRTP_PACKETS_MAX (UINT64_C(1) << 48)

/** Keys of one direction. Begin with STW_SRTP_KEYS_INIT. */
struct stw_srtp_keys {
	size_t struct_size;                    /**< bytes of this struct as compiled; never 0 */
	enum stw_srtp_suite suite;             /**< decides how much of key and salt is used */
	uint8_t key[STW_SRTP_KEY_BYTES_MAX];   /**< master key */
	uint8_t salt[STW_SRTP_SALT_BYTES_MAX]; /**< master salt */
	uint8_t mki[STW_SRTP_MKI_BYTES_MAX];   /**< master key identifier, in each packet */
	uint8_t mki_bytes;                     /**< of it, 0 to STW_SRTP_MKI_BYTES_MAX; 0: none */
	uint32_t roc;         /**< roll-over counter that each SSRC begins with; usually 0 */
	uint8_t roc_kept;     /**< 1: at a key change SSRCs go on with their index (RFC 3711
				 3.3.1); 0: each begins anew with `roc`, as with new contexts */
	uint64_t packets_max; /**< key lifetime in RTP packets, after which they are dropped, up to
				 STW_SRTP_PACKETS_MAX; 0: that many. SRTCP: always 2^31 */
};

/** AES_CM_128_HMAC_SHA1_80; key and salt to be filled in. */
#define STW_SRTP_KEYS_INIT                                                                         \
	{                                                                                          \
		sizeof(struct stw_srtp_keys), STW_SRTP_AES_CM_128_HMAC_SHA1_80, {0}, {0}, {0}, 0,  \
			0, 0, 0                                                                    \
	}

/** Which crypto devices do the work. */
enum stw_srtp_driver {
	STW_SRTP_DRIVER_AUTO,     /**< ipsec_mb where there is one, else openssl */
	STW_SRTP_DRIVER_IPSEC_MB, /**< crypto_aesni_mb and crypto_aesni_gcm */
	STW_SRTP_DRIVER_OPENSSL, /**< crypto_openssl: slower, and takes heap memory for each packet */
};

/** What does SRTP, and what it needs. */
struct stw_srtp_info {
	enum stw_srtp_driver driver; /**< chosen; never AUTO */
	uint32_t contexts_max;       /**< key sets of one direction that can be in use */
	uint32_t contexts;           /**< in use now, those of former keys included */
	uint32_t context_bytes;      /**< memory of each, crypto device's sessions included */
};

/**
 * Say what does SRTP.
 *
 * @param media  borrowed, not NULL
 * @param info   filled on success only
 * @return 0
 * @return -ENOTSUP  the packet plane was made with srtp_max 0
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for another thread's control call; never for a worker).
 * Order:    none.
 */
STW_API int stw_srtp_info(struct stw_media *media, struct stw_srtp_info *info);

/**
 * Name of a suite as SDP has it, like "AES_CM_128_HMAC_SHA1_80".
 *
 * @param suite  which
 * @return static text, never NULL; "unknown" outside the range
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 * Order:    none needed; the texts are constant.
 */
STW_API const char *stw_srtp_suite_name(enum stw_srtp_suite suite);

#ifdef __cplusplus
}
#endif

#endif
