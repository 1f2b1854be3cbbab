/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sessions and legs: a session is what one call needs, a leg is one party's side of it, with a
 * local address and port of its own. What a leg receives is sent to the leg it is connected to,
 * copied to the session's forks, and searched for digits.
 *
 * Only packets from the leg's source pass: a leg latches to the first valid RTP source while its
 * learning window is open and is strict from then on.
 */
#ifndef STROWGER_SESSION_H
#define STROWGER_SESSION_H

#include <stddef.h>
#include <stdint.h>

#include <strowger/address.h>
#include <strowger/export.h>

#ifdef __cplusplus
extern "C" {
#endif

struct stw_media;
struct stw_srtp_keys;

/** Most legs of one session at one time. */
#define STW_SESSION_LEGS_MAX 8

/** Sources of a leg that statistics tell apart: the present one and those before it. */
#define STW_LEG_STREAMS_MAX 8

/** Handle of a session: a value, copied freely. An id of 0 names nothing. */
struct stw_session {
	uint64_t id; /**< slot in the low, generation in the high 32 bits; 0 names nothing */
};

/** Handle of a leg: a value, copied freely. An id of 0 names nothing. */
struct stw_leg {
	uint64_t id; /**< slot in the low, generation in the high 32 bits; 0 names nothing */
};

/** Whose side a leg is on; recordings keep the sides apart (WAV: caller left, agent right). */
enum stw_side {
	STW_SIDE_CALLER, /**< who called */
	STW_SIDE_AGENT,  /**< who answered */
	STW_SIDE_OTHER,  /**< anybody else: a supervisor, a third party; in no WAV file */
};

/** Number of sides. */
#define STW_SIDE_COUNT 3

/** Audio of a leg. */
enum stw_codec {
	STW_CODEC_PCMU, /**< G.711 mu law, 8 kHz */
	STW_CODEC_PCMA, /**< G.711 A law, 8 kHz */
};

/** What becomes of a leg's RTCP. */
enum stw_rtcp {
	STW_RTCP_PASS, /**< goes to the leg that it is connected to, in terms of that leg's streams */
	STW_RTCP_END, /**< ends here: reports to the party are our own, about every 5 s */
};

/**
 * Which way RTP flows, as the party's own SDP says (RFC 3264 5.1, 6.1): named from where the party stands.
 * RTCP flows both ways in each.
 */
enum stw_leg_mode {
	STW_LEG_SEND_RECEIVE, /**< "sendrecv": both ways */
	STW_LEG_SEND_ONLY,    /**< "sendonly": the party sends; no RTP is sent to it */
	STW_LEG_RECEIVE_ONLY, /**< "recvonly": the party gets RTP; what it sends is dropped */
	STW_LEG_INACTIVE,     /**< "inactive": neither */
};

/** When a leg that has latched takes another source without a word from the host. */
enum stw_relatch {
	STW_RELATCH_NEVER,  /**< not at all: a new `remote` by stw_leg_update, or nothing */
	STW_RELATCH_SILENT, /**< after its source has been silent for relatch_after_ns */
};

/** Most payload types that a leg maps. */
#define STW_PT_MAP_MAX 8

/** A payload type, and what a leg gets instead of it. */
struct stw_pt_pair {
	uint8_t from; /**< as the other party sends it, 0 to 127 */
	uint8_t to;   /**< as the leg's party is to get it, 0 to 63 or 96 to 127 (RFC 5761 4) */
};

/** Where a session's RTP is relayed. */
enum stw_place {
	STW_PLACE_AUTO,   /**< inside the kernel while it can be, by the worker else */
	STW_PLACE_WORKER, /**< by the worker always */
	STW_PLACE_KERNEL, /**< as AUTO, but the session is refused where no leg can be inside the kernel */
};

/** Description of a session. Begin with STW_SESSION_CONFIG_INIT. */
struct stw_session_config {
	size_t struct_size;   /**< bytes of this struct as compiled; never 0 */
	uint64_t cookie;      /**< the host's own; handed back in events; 0 is fine */
	enum stw_place place; /**< where its RTP is relayed */
};

/** A session with cookie 0, wherever its RTP can be relayed. */
#define STW_SESSION_CONFIG_INIT                                                                    \
	{                                                                                          \
		sizeof(struct stw_session_config), 0, STW_PLACE_AUTO                               \
	}

/** Why a leg's RTP is not relayed inside the kernel: bits of stw_session_place.reasons. */
enum stw_place_reason {
	STW_PLACE_NOT_ASKED = 1 << 0, /**< the session is to be relayed by the worker */
	STW_PLACE_NO_KERNEL = 1 << 1, /**< a port of the leg or of its peer has no such relay */
	STW_PLACE_NO_PEER = 1 << 2, /**< nobody is connected, or one of the two has no party yet */
	STW_PLACE_NO_HOP = 1 << 3,  /**< the peer's next hop is not known */
	STW_PLACE_FORKED = 1 << 4,  /**< the session has a fork */
	STW_PLACE_SECURE = 1 << 5,  /**< one of the two speaks SRTP */
	STW_PLACE_PLAYED = 1 << 6,  /**< the peer hears a playout, tone, digits or a mix */
	STW_PLACE_INSPECTED = 1 << 7, /**< the leg is listened to, suppressed, held or in a mix, or
					     RTCP of one of the two ends here */
	STW_PLACE_JUST_CHANGED =
		1
		<< 8, /**< it waits for its next packet, or what came last was not for the kernel (telephone events,
					     another source, a jump of numbers); a pause follows */
};

/** Where a session's RTP is relayed now. */
struct stw_session_place {
	enum stw_place asked; /**< as configured */
	uint32_t legs;        /**< legs of the session */
	uint32_t legs_kernel; /**< of those, whose RTP is relayed inside the kernel */
	uint32_t reasons;     /**< why the others' is not: bits of enum stw_place_reason */
};

/** Description of a leg. Begin with STW_LEG_CONFIG_INIT. */
struct stw_leg_config {
	size_t struct_size;         /**< bytes of this struct as compiled; never 0 */
	enum stw_side side;         /**< whose side it is on; not changed by an update */
	uint32_t address;           /**< index of the local address; not changed by an update */
	struct stw_endpoint remote; /**< where to send, from the party's SDP, of the local address's
					  version of IP; family 0: not known yet, nothing is sent
					  until a source is latched */
	uint8_t source_any_ip;  /**< 1: latch to any address (a party behind NAT); 0: only to the
					  address of `remote` when that is known */
	enum stw_codec codec;   /**< audio that playout sends, and recordings decode */
	uint8_t audio_pt;       /**< payload type of that audio, 0 to 127 */
	uint8_t event_pt;       /**< payload type of RFC 4733 telephone events, 1 to 127; 0: none */
	uint8_t dscp;           /**< differentiated services code point of what is sent, 0 to 63 */
	uint64_t learning_ns;   /**< learning window from add or update on, nanoseconds; in it the
					  first valid RTP source is latched; 0: until the first comes */
	uint64_t silent_ns;     /**< an STW_MEDIA_EVENT_SILENT is sent after that long without a
					  valid packet, nanoseconds; 0: never */
	enum stw_leg_mode mode; /**< which way RTP flows */
	uint8_t rtcp_mux; /**< 1: RTCP on the port of RTP, both ways (RFC 5761). At the add such
				     a leg takes a single port, even or odd, and then it stays 1;
				     one that was added with 0 may change */
	uint16_t remote_rtcp_port; /**< the party's port of RTCP (RFC 3605), host order; 0: the one
					       after RTP's. One that its RTCP comes from goes before */
	enum stw_relatch relatch;  /**< when another source is taken */
	uint64_t relatch_after_ns; /**< of STW_RELATCH_SILENT: how long, nanoseconds, 1 or more */
	uint32_t packets_per_second_max; /**< of RTP and RTCP from its source, to 1,000,000; what is
					    more is dropped; 0: as many as come */
	uint32_t packets_burst; /**< with that: so many may come at one time, to 65,535; 0: a
					       tenth of a second's, at least 1 */
	uint8_t pt_map_count;   /**< of pt_map, 0 to STW_PT_MAP_MAX */
	struct stw_pt_pair
		pt_map[STW_PT_MAP_MAX];       /**< payload types of what is relayed to the party,
					    before what follows from audio_pt and event_pt; `from`
					    differ; legs share up to 255 different maps */
	const struct stw_srtp_keys *srtp_in;  /**< of what the party sends; copied; NULL: plain */
	const struct stw_srtp_keys *srtp_out; /**< of what is sent to it; copied; NULL: plain */
	enum stw_rtcp rtcp; /**< what becomes of its RTCP. END: what the party sends is read and
				    goes no further, nor does RTCP of legs connected to this one; the
				    party gets sender and receiver reports with a canonical name of
				    its own for each leg, and a goodbye when the leg is removed */
	uint64_t
		silent_audio_ns; /**< an STW_MEDIA_EVENT_QUIET is sent when the party has not spoken
					  for that long, and an STW_MEDIA_EVENT_VOICE when it
					  speaks again, nanoseconds; 0: never */
	uint8_t silent_audio_level; /**< audio of this level or quieter is silence, 1 to 126 in -dBov
					  (RFC 6464); 0: 50 */
};

/** A caller's leg at local address 0: mu law, no events, nothing known of the party. */
#define STW_LEG_CONFIG_INIT                                                                        \
	{                                                                                          \
		sizeof(struct stw_leg_config), STW_SIDE_CALLER, 0, {{0, {0}}, 0}, 0,               \
			STW_CODEC_PCMU, 0, 0, 46, 0, 0, STW_LEG_SEND_RECEIVE                       \
	}

/** Numbers of a leg, at one instant give or take a burst. */
struct stw_leg_stats {
	struct stw_endpoint local; /**< where the party sends to: RTP port; RTCP is the next one, or
					    the same with rtcp_mux */
	struct stw_endpoint remote; /**< where the relay sends to: latched, else configured */
	uint8_t latched;            /**< 1 when a source was latched; 0: not yet */
	uint64_t packets_received;  /**< valid RTP packets from the latched source */
	uint64_t bytes_received;    /**< their RTP payload bytes */
	uint64_t packets_sent;      /**< RTP packets sent to the party, relayed and played out */
	uint64_t packets_foreign;   /**< dropped: from another source than the latched one */
	uint64_t packets_expected;  /**< by sequence numbers, RFC 3550 A.3, over all SSRCs seen */
	int64_t packets_lost;       /**< expected less received; negative with duplicates */
	uint32_t jitter_us;         /**< interarrival jitter, RFC 3550 A.8, microseconds */
	uint64_t digits;            /**< telephone-event digits heard */
	uint64_t packets_capped;    /**< dropped: above packets_per_second_max */
	uint64_t relatches;         /**< other sources taken after silence */
	uint32_t ssrc;              /**< of all RTP sent to the party */
	uint64_t srtp_malformed;    /**< dropped: too short for SRTP, or no RTCP when deciphered */
	uint64_t srtp_auth_failed;  /**< dropped: authentication tag or key identifier wrong */
	uint64_t srtp_replayed;     /**< dropped: received before, or too old to say */
	uint64_t srtp_refused;      /**< dropped: one SSRC too many, or the key's lifetime over */
	uint64_t
		srtp_unsent; /**< not sent to the party, by the same rules of what is sent: a sequence
				 number used before, an SSRC too many, the key's lifetime */
	uint64_t packets_missing;   /**< sequence numbers that never came, over all SSRCs seen */
	uint64_t packets_duplicate; /**< came again, as far as 64 packets back */
	uint64_t packets_late;      /**< came after one with a later sequence number */
	uint32_t gap_max;       /**< most sequence numbers missing in a row as a later one came */
	uint32_t ssrc_received; /**< source of what the party sends; 0 when nothing came */
	uint32_t ssrc_changes;  /**< times that it changed */
	uint32_t rtt_us; /**< round trip between relay and party, from sender reports given to
					 it and its answers, microseconds; 0: not known */
	/**
	 * Mean opinion score times 100, estimated (ITU-T G.107) of what the party sends, at the relay:
	 * G.711 with concealment, its loss and burstiness, half of rtt_us, a packet of 20 ms, a jitter
	 * buffer of twice the jitter and at least 20 ms; 100 to 450; 0: nothing came.
	 */
	uint32_t mos_x100;
	uint32_t told_mos_x100;  /**< the same of what is sent to it, by its last report block about
					 that; 0: there was none */
	uint32_t told_blocks;    /**< report blocks of the party about what is sent to it */
	int32_t told_lost;       /**< by the last of them: packets lost; negative with duplicates */
	uint32_t told_jitter_us; /**< by the last of them: interarrival jitter, microseconds */
	uint8_t told_fraction_lost; /**< by the last of them: lost since the one before, in 256ths */
	uint8_t told_r_factor;      /**< by its VoIP metrics (RFC 3611): 1 to 100; 0: not told */
	uint8_t told_mos_lq_x10;    /**< listening quality, 10 to 50; 0: not told */
	uint8_t told_mos_cq_x10;    /**< conversational quality, 10 to 50; 0: not told */
	uint32_t rtcp_received;     /**< whole RTCP packets from the party */
	uint32_t rtcp_sent;         /**< RTCP packets to the party, passed on and our own */
	uint32_t rtcp_malformed;    /**< dropped: a part is shorter than its counts say */
};

/** Numbers of one source of a leg. */
struct stw_leg_stream {
	uint32_t ssrc;              /**< which */
	uint64_t packets_received;  /**< valid RTP packets, duplicates included */
	uint64_t packets_expected;  /**< by sequence numbers, RFC 3550 A.3 */
	uint64_t packets_duplicate; /**< came again */
	uint64_t packets_late;      /**< came after one with a later sequence number */
	uint32_t jitter_us;         /**< interarrival jitter at its end or now, microseconds */
};

/**
 * Add a session without legs.
 *
 * @param media    borrowed, not NULL
 * @param config   borrowed; copied
 * @param session  set on success only
 * @return 0
 * @return -EINVAL     a field is outside its range
 * @return -ENOTSUP    STW_PLACE_KERNEL, but the packet plane has no relay inside the kernel
 * @return -ENOSPC     sessions_max sessions exist; counted
 * @return -ESHUTDOWN  the packet plane is being drained (stw_media_drain); counted
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for another thread's control call; never for a worker).
 * Order:    the session is seen by every call that starts after the return.
 */
STW_API int stw_session_add(struct stw_media *media, const struct stw_session_config *config,
			    struct stw_session *session);

/**
 * Remove a session with its legs and forks. Its ports rest in quarantine before they are used
 * again; its recordings are closed when what is queued for them is written.
 *
 * @param media    borrowed, not NULL
 * @param session  which
 * @param now_ns   host's clock, nanoseconds
 * @return 0
 * @return -ESTALE  it was removed before
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for another thread's control call; never for a worker).
 * Order:    a packet that arrives after the return meets no leg.
 */
STW_API int stw_session_remove(struct stw_media *media, struct stw_session session,
			       uint64_t now_ns);

/**
 * Say anew where a session's RTP is relayed. Moving loses, doubles and reorders no packet.
 *
 * @param media    borrowed, not NULL
 * @param session  which
 * @param place    where
 * @return 0
 * @return -EINVAL   no such place
 * @return -ENOTSUP  STW_PLACE_KERNEL, but the packet plane has no relay inside the kernel
 * @return -ESTALE   it was removed
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for another thread's control call; never for a worker or the kernel).
 * Order:    STW_PLACE_WORKER: packets that arrive after the return go to the worker.
 */
STW_API int stw_session_place_set(struct stw_media *media, struct stw_session session,
				  enum stw_place place);

/**
 * Ask where a session's RTP is relayed now.
 *
 * @param media    borrowed, not NULL
 * @param session  which
 * @param place    filled on success only
 * @return 0
 * @return -ESTALE  it was removed
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for another thread's control call; never for a worker).
 * Order:    as of a moment within the call; packets may move a leg at any time.
 */
STW_API int stw_session_place(struct stw_media *media, struct stw_session session,
			      struct stw_session_place *place);

/**
 * Add a leg to a session: it gets a pair of local ports (even for RTP, the next for RTCP), or with rtcp_mux
 * a single port. Its party gets one RTP stream for the leg's life: one SSRC, sequence numbers and timestamps
 * that go on whoever is heard.
 *
 * @param media    borrowed, not NULL
 * @param session  whose leg
 * @param config   borrowed; copied
 * @param now_ns   host's clock, nanoseconds; the learning window opens
 * @param leg      set on success only
 * @param local    set on success only: address and RTP port for the SDP
 * @return 0
 * @return -EINVAL  a field is outside its range
 * @return -ESTALE  the session was removed
 * @return -ENOSPC  legs_max legs exist, the session has STW_SESSION_LEGS_MAX, every port of the address
 *                  is taken or in quarantine, 255 other payload-type maps or srtp_max key sets are in
 *                  use; counted
 * @return -ENOTSUP keys, but the packet plane was made with srtp_max 0
 * @return -EIO     the crypto device refused the keys; the log says so
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for another thread's control call; never for a worker).
 * Order:    a packet that arrives after the return is handled.
 * Source:   RFC 3550 11 (port pairs), RFC 5761 (one port), RFC 7362 (latching).
 */
STW_API int stw_leg_add(struct stw_media *media, struct stw_session session,
			const struct stw_leg_config *config, uint64_t now_ns, struct stw_leg *leg,
			struct stw_endpoint *local);

/**
 * Change a leg: its remote endpoint, payload types, direction, limits, times, SRTP keys. A new remote
 * endpoint opens the learning window again and forgets the latched source; an equal one does not. What
 * a change of keys means is told in srtp.h.
 *
 * @param media   borrowed, not NULL
 * @param leg     which
 * @param config  borrowed; copied; side and address must be as at the add
 * @param now_ns  host's clock, nanoseconds
 * @return 0
 * @return -EINVAL  a field is outside its range, side or address differ, or the leg has a single port and
 *                  rtcp_mux is 0
 * @return -ESTALE  the leg was removed
 * @return -ENOSPC  255 other payload-type maps or srtp_max key sets are in use; counted, nothing changed
 * @return -ENOTSUP keys, but the packet plane was made with srtp_max 0
 * @return -EIO     the crypto device refused the keys; the log says so
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for another thread's control call; never for a worker).
 * Order:    packets that arrive after the return are handled by the new description.
 */
STW_API int stw_leg_update(struct stw_media *media, struct stw_leg leg,
			   const struct stw_leg_config *config, uint64_t now_ns);

/**
 * Remove a leg. Legs connected to it lose that connection; its ports rest in quarantine.
 *
 * @param media   borrowed, not NULL
 * @param leg     which
 * @param now_ns  host's clock, nanoseconds
 * @return 0
 * @return -ESTALE  it was removed before
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for another thread's control call; never for a worker).
 * Order:    a packet that arrives after the return meets no leg.
 */
STW_API int stw_leg_remove(struct stw_media *media, struct stw_leg leg, uint64_t now_ns);

/**
 * Relay what one leg receives to another of the same session. Two-way audio is two connects. Of several legs
 * connected to one, the one connected last is heard; who is heard follows on in the same RTP stream.
 *
 * Payload types change on the way where the legs' descriptions differ: telephone events get the event_pt of
 * the leg they are sent to, audio of the same codec its audio_pt; before that, its pt_map is asked.
 *
 * @param media  borrowed, not NULL
 * @param from   what it receives ...
 * @param to     ... is sent to this one; id 0: to nobody (hold)
 * @return 0
 * @return -EINVAL  from and to are the same, or of different sessions
 * @return -ESTALE  one of them was removed
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for another thread's control call; never for a worker).
 * Order:    packets that arrive after the return go the new way.
 */
STW_API int stw_leg_connect(struct stw_media *media, struct stw_leg from, struct stw_leg to);

/** What of a leg goes no further than here, while a card number is entered, say. */
enum stw_suppress {
	STW_SUPPRESS_DIGITS =
		1 << 0, /**< telephone events: told as media events, neither relayed nor
					 copied to forks */
	STW_SUPPRESS_AUDIO =
		1 << 1, /**< audio: silence of the same length is relayed and copied, so
					 that tones in it are heard by nobody; RTP of other payload
					 types goes no further */
};

/**
 * Say what a leg sends is kept from its peer and from forks. A key that was pressed under it stays
 * suppressed to its end, whenever that comes. It outlasts stw_leg_update.
 *
 * @param media  borrowed, not NULL
 * @param leg    whose
 * @param what   bits of enum stw_suppress; 0: nothing is suppressed any more
 * @return 0
 * @return -EINVAL  a bit that enum stw_suppress does not have
 * @return -ESTALE  the leg was removed
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for another thread's control call; never for a worker).
 * Order:    packets that arrive after the return are handled so.
 * Source:   RFC 4733 2.5 (an event's packets share their timestamp); RFC 3551 4.5.14 (G.711).
 */
STW_API int stw_leg_suppress(struct stw_media *media, struct stw_leg leg, uint32_t what);

/**
 * Read a leg's numbers.
 *
 * @param media  borrowed, not NULL
 * @param leg    which
 * @param stats  filled on success only
 * @return 0
 * @return -ESTALE  the leg was removed
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for another thread's control call; never for a worker).
 * Order:    bursts finished before the call are counted.
 */
STW_API int stw_leg_stats(struct stw_media *media, struct stw_leg leg, struct stw_leg_stats *stats);

/**
 * Read the numbers of a leg's sources, each SSRC that its party has used in turn. The last one is the
 * present one; of more than STW_LEG_STREAMS_MAX the first are not known any more.
 *
 * @param media    borrowed, not NULL
 * @param leg      which
 * @param streams  filled with the last `count` of them, oldest first
 * @param count    1 to STW_LEG_STREAMS_MAX
 * @return number of streams filled in, 0 when nothing came
 * @return -EINVAL  count is outside its range
 * @return -ESTALE  the leg was removed
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for another thread's control call; never for a worker).
 * Order:    bursts finished before the call are counted.
 */
STW_API int stw_leg_streams(struct stw_media *media, struct stw_leg leg,
			    struct stw_leg_stream *streams, uint32_t count);

#ifdef __cplusplus
}
#endif

#endif
