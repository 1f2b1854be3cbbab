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
	STW_PASS_CONSUMED,     /**< valid RTP or RTCP of a leg that is connected to nobody;
				   RTCP of one in a mix */
	STW_PASS_HOST,         /**< ARP, neighbour discovery or echo, answered or learnt from */
	STW_DROP_NOT_OURS,     /**< another protocol, address or port than the owned ones */
	STW_DROP_MALFORMED,    /**< shorter than its headers say, or they contradict each other */
	STW_DROP_CHECKSUM,     /**< IP or UDP checksum wrong */
	STW_DROP_FRAGMENT,     /**< a fragment of an IP datagram */
	STW_DROP_NO_LEG,       /**< an owned port without a leg: late, or a probe */
	STW_DROP_NOT_RTP,      /**< none of RTP, RTCP, STUN, DTLS by its first bytes (RFC 7983) */
	STW_DROP_SOURCE,       /**< from another source than the leg's */
	STW_DROP_NO_REMOTE,    /**< the connected leg's remote endpoint is not known yet */
	STW_DROP_NO_NEXT_HOP,  /**< the link address of the next hop is not known yet */
	STW_DROP_NO_BUFFER,    /**< no buffer to answer with */
	STW_DROP_SEND_FULL,    /**< the port's send ring, or the exception interface's, was full */
	STW_DROP_SUPERSEDED,   /**< the leg hears another source now, or its source was replaced */
	STW_DROP_DIRECTION,    /**< the party, or who would hear it, is on hold in that direction */
	STW_DROP_RATE,         /**< more packets than the leg may send */
	STW_DROP_STUN,         /**< STUN on a media port */
	STW_DROP_DTLS,         /**< DTLS on a media port */
	STW_PASS_SUPPRESSED,   /**< kept from peer and forks, as stw_leg_suppress asked */

	STW_DROP_SRTP_MALFORMED, /**< too short for SRTP, or RTCP that is none when deciphered */
	STW_DROP_SRTP_AUTH,      /**< its authentication tag or key identifier is wrong */
	STW_DROP_SRTP_REPLAY,    /**< received or sent before, or too old to say */
	STW_DROP_SRTP_SSRC,      /**< more than STW_SRTP_SSRCS_MAX SSRCs of one key */
	STW_DROP_SRTP_EXPIRED,   /**< the key's lifetime is over */
	STW_PASS_TERMINATED_RTCP, /**< RTCP that ended here: of a leg or for a leg with STW_RTCP_END */
	STW_PASS_MIXED,           /**< RTP of a leg in a mix */
	STW_DROP_OVERLOAD,        /**< the worker is behind, and the packet may wait (worker.h) */
	STW_PASS_EXCEPTION, /**< not ours: given to the kernel by the port's exception interface */
	STW_VERDICT_COUNT   /**< number of verdicts */
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
