/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Session descriptions (RFC 8866) as the switch needs them: one audio stream of G.711 with telephone
 * events, read from offers and answers, written as offers and answers (RFC 3264).
 */
#ifndef SWITCH_SDP_H
#define SWITCH_SDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strowger/session.h>

/* Most media lines of an offer that is answered; a longer one is refused. */
#define SDP_LINES_MAX 8

/* Room for any description that sdp_write makes. */
#define SDP_BYTES_MAX 2048

/* A media line of the other side; all but the chosen one are declined with port 0. */
struct sdp_line {
	char media[16];
	char protocol[24];
	char format[24];
};

/* What the other side says of itself. */
struct sdp_party {
	struct stw_endpoint remote; /* where it wants its media; family 0: it did not say (hold) */
	enum stw_codec codec;       /* the one chosen */
	uint8_t audio_pt;           /* payload type of it */
	uint8_t event_pt;           /* payload type of telephone events; 0: none */
	bool sends;                 /* it sends media */
	bool receives;              /* it wants media */
	struct sdp_line lines[SDP_LINES_MAX];
	uint32_t lines_count;
	uint32_t audio_line; /* index of the chosen line */
};

/* Bits 1 << enum stw_codec of what may be chosen. */
#define SDP_CODEC_ANY ((1u << STW_CODEC_PCMU) | (1u << STW_CODEC_PCMA))

/*
 * Read a description. The first audio line over RTP/AVP with one of the codecs is chosen, and in it
 * the first of them, which is the one that the other side likes best.
 *
 * 0; -EINVAL: not a description; -ENOTSUP: no such audio line; -ENOSPC: too many lines.
 */
int sdp_read(const char *text, size_t bytes, uint32_t codecs, struct sdp_party *party);

/* What we say of ourselves. */
struct sdp_self {
	struct stw_endpoint local;
	uint64_t id;      /* of the session in the o= line */
	uint64_t version; /* of the description; one more with each change */
	uint32_t codecs;  /* bits as above, PCMU first */
	uint8_t audio_pt; /* payload type of the codec when codecs has one bit */
	uint8_t event_pt; /* 0: none */
	bool sends;
	bool receives;
};

/* Write an offer, or the answer to the offer that was read into party. Returns text. */
const char *sdp_offer(const struct sdp_self *self, char text[SDP_BYTES_MAX]);
const char *sdp_answer(const struct sdp_self *self, const struct sdp_party *party,
		       char text[SDP_BYTES_MAX]);

#endif
