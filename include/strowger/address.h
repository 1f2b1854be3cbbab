/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Network addresses as values: an IP address and an endpoint (address and UDP port).
 */
#ifndef STROWGER_ADDRESS_H
#define STROWGER_ADDRESS_H

#include <stddef.h>
#include <stdint.h>

#include <strowger/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes that hold the text of any address or endpoint, with the closing NUL. */
#define STW_ADDRESS_TEXT_BYTES 56

/** An IP address. All bytes 0: none given. */
struct stw_ip {
	uint8_t family;    /**< 4 or 6; 0: none given */
	uint8_t bytes[16]; /**< network order; IPv4 uses the first 4, the others are 0 */
};

/** Where a UDP datagram goes to or comes from. */
struct stw_endpoint {
	struct stw_ip ip; /**< address; family 0: none given */
	uint16_t port;    /**< UDP port, host order; 0: none given */
};

/**
 * Read an address from its usual text ("192.0.2.1", "2001:db8::1").
 *
 * @param text  borrowed until return
 * @param ip    set on success only
 * @return 0
 * @return -EINVAL  the text is no address
 *
 * Threads:  any.
 * Progress: wait-free (bound: length of the text).
 * Order:    none needed.
 */
STW_API int stw_ip_parse(const char *text, struct stw_ip *ip);

/**
 * Write an address as text; "-" when none is given.
 *
 * @param ip    borrowed until return
 * @param text  filled; STW_ADDRESS_TEXT_BYTES bytes
 * @return text
 *
 * Threads:  any.
 * Progress: wait-free (bound: STW_ADDRESS_TEXT_BYTES).
 * Order:    none needed.
 */
STW_API const char *stw_ip_text(const struct stw_ip *ip, char text[STW_ADDRESS_TEXT_BYTES]);

#ifdef __cplusplus
}
#endif

#endif
