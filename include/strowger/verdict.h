/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Verdicts: what became of a received packet. Each packet gets exactly one; the counters add up to
 * the packets received.
 */
#ifndef STROWGER_VERDICT_H
#define STROWGER_VERDICT_H

#include <strowger/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Fate of one received packet. */
enum stw_verdict {
	STW_PASS_RELAYED,      /**< RTP sent on to the connected leg */
	STW_PASS_RELAYED_RTCP, /**< RTCP sent on to the connected leg */
	STW_PASS_CONSUMED,     /**< valid RTP or RTCP of a leg that is connected to nobody */
	STW_PASS_HOST,         /**< ARP or ICMP, answered */
	STW_DROP_NOT_OURS,     /**< another protocol, address or port than the owned ones */
	STW_DROP_MALFORMED,    /**< shorter than its headers say, or they contradict each other */
	STW_DROP_CHECKSUM,     /**< IP or UDP checksum wrong */
	STW_DROP_FRAGMENT,     /**< a fragment of an IP datagram */
	STW_DROP_NO_LEG,       /**< an owned port without a leg: late, or a probe */
	STW_DROP_NOT_RTP,      /**< neither RTP nor RTCP by its first bytes (RFC 7983) */
	STW_DROP_SOURCE,       /**< from another source than the leg's */
	STW_DROP_NO_REMOTE,    /**< the connected leg's remote endpoint is not known yet */
	STW_DROP_NO_NEXT_HOP,  /**< the link address of the next hop is not known yet */
	STW_DROP_NO_BUFFER,    /**< no buffer to answer with */
	STW_DROP_SEND_FULL,    /**< the port's send ring was full */
	STW_VERDICT_COUNT      /**< number of verdicts */
};

/**
 * Name of a verdict for logs and metrics, like "drop_source".
 *
 * @param verdict  which
 * @return static text, never NULL; "unknown" outside the range
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 * Order:    none needed; the texts are constant.
 */
STW_API const char *stw_verdict_name(enum stw_verdict verdict);

#ifdef __cplusplus
}
#endif

#endif
