/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Relay inside the kernel, from control's and the workers' side: which legs may be there, moving them in and
 * out. What is shared with the program, and why moving loses, doubles and reorders nothing: row.h.
 *
 * A leg goes in only by control, in stw_media_advance, after a worker that has relayed a packet of it has
 * asked for that: then its party is there, and whoever is connected to it. It goes out at once, by
 * control before anything is changed that a row is made of, by a worker when a party's address
 * changes, by the program when a packet comes that is not for it.
 */
#ifndef STW_MEDIA_KERNEL_H
#define STW_MEDIA_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include <strowger/media.h>

#include "media/packet.h"
#include "media/session/leg.h"
#include "row.h"

struct session;
struct worker;

/**
 * Memory that a program of lib/io/xdp_steer.bpf.c has as BPF maps, mapped here, all bytes 0 at first. Owned by
 * lib/io, which gives it to plane_init and frees it after plane_destroy.
 */
struct kernel_memory {
	struct kernel_row
		*rows; /**< legs_slots of them, as the next three; NULL: there is no relay */
	struct leg_intake *intakes;
	struct leg_egress *egresses;
	struct leg_options *options;
	struct kernel_entries *entries; /**< of each local address in turn, each from a line on */
	struct kernel_queue *queues;    /**< KERNEL_QUEUES */
	uint32_t
		ifindex[STW_MEDIA_PORTS_MAX]; /**< of each port with such a relay; 0: it has none */
	uint32_t hop_ifindex[STW_MEDIA_ADDRESSES_MAX]; /**< of each local address: interface whose
							    neighbours its next hops are */
};

/** A leg that asks to be relayed inside the kernel. */
struct kernel_mark {
	_Atomic uint64_t ask_ns; /**< not before that */
	_Atomic uint32_t next;   /**< in the list of those that ask; 0: last */
	_Atomic uint32_t queued; /**< 1: it is in the list */
	uint64_t entered_ns;     /**< control: when it was given to the kernel last */
	uint64_t left_seen_ns;   /**< control: row's left_ns that `pause_ns` is about */
	uint64_t pause_ns;       /**< control: so long after that it stays out */
	uint64_t unused;
};
static_assert(sizeof(struct kernel_mark) == 48, "small: each leg has one");

/** Of one queue, its worker's: whether packets that were given to the socket never came. */
struct kernel_watch {
	uint64_t since_ns; /**< 0: nothing is missing */
	uint64_t missing;  /**< least number seen missing since then */
	uint32_t looks;
} STW_ALIGNED_LINE;

/** Part of a packet plane. */
struct kernel {
	struct kernel_memory *memory; /**< NULL: there is no such relay, and nothing else is used */
	struct kernel_mark *marks;    /**< by slot of leg */
	struct kernel_watch *watches; /**< by queue */
	_Atomic uint32_t asked;       /**< list of legs that ask, newest first */
	_Atomic uint64_t left;        /**< times that control or a worker took a leg back */
	uint32_t rest;                /**< control: rest of the list taken from `asked`; 0: none */
	uint32_t sweep; /**< control: leg whose next hop is looked at next; 0: none has changed */
	_Atomic uint64_t entered; /**< times that control gave a leg to the kernel */
};

/** Lines of kernel_entries that a local address of this description has. Threads: any. */
uint32_t kernel_entries_lines(const struct stw_address_config *address);

/** Index of the first entry of a local address, of all addresses' entries. Threads: any. */
uint32_t kernel_entries_first(const struct stw_media_config *config, uint32_t address);

/** Make the tables; memory NULL: nothing is needed. 0 or -ENOMEM. Threads: one. */
int kernel_init(struct stw_media *media, struct kernel_memory *memory);

/** Free them. Threads: one, the last. */
void kernel_destroy(struct stw_media *media);

/** Empty the row of a new leg that no worker and no program sees. Threads: control, under the mutex. */
void kernel_leg_init(struct stw_media *media, uint32_t leg);

/**
 * Take a leg back to its worker, at once: packets that arrive after the return go there.
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 */
void kernel_leave(struct stw_media *media, uint32_t leg);

/** The same for all legs that are connected to this one. Threads: control, under the mutex. */
void kernel_leave_speakers(struct stw_media *media, uint32_t leg);

/** The same for all legs of a session. Threads: control, under the mutex. */
void kernel_leave_session(struct stw_media *media, const struct session *of);

/**
 * After a change of a leg, of what it is connected to or of who is: take it and who is connected to it back,
 * and say anew which of them ask (LEG_KERNEL). Threads: control, under the mutex.
 */
void kernel_leg_follow(struct stw_media *media, uint32_t leg);

/** A worker has latched a leg's party elsewhere. Threads: workers. Progress: wait-free (bound 1). */
void kernel_source_changed(struct stw_media *media, uint32_t leg);

/** Ask for legs whose packets were relayed. Threads: the worker. Progress: wait-free (bound: count). */
void kernel_stage(struct worker *worker, const struct packet *packets, unsigned count);

/**
 * Say that a worker has finished packets of its queue of a port: those relayed are at their devices.
 *
 * @param count  how many it took from the port at one time; 0: there were none
 *
 * Threads: the worker. Progress: wait-free (bound 1).
 */
void kernel_handled(struct worker *worker, uint32_t port, unsigned count);

/** Give legs that ask to the kernel; a bounded part. Threads: control, under the mutex. */
void kernel_advance(struct stw_media *media, uint64_t now_ns);

/**
 * A next hop has another link address: rows that have the old one are found in the next calls of
 * kernel_advance. Threads: that of kernel_advance.
 */
void kernel_hops_changed(struct stw_media *media);

/** Whether a leg's slot may still be in use by a program: it was inside the kernel. Threads: control. */
bool kernel_leg_was_inside(const struct stw_media *media, uint32_t leg);

/** Whether a leg's RTP is relayed inside the kernel now. Threads: any. */
bool kernel_leg_is_inside(const struct stw_media *media, uint32_t leg);

/**
 * Why a leg cannot be given to the kernel now: bits of enum stw_place_reason; 0: it can.
 *
 * Threads: control, under the mutex.
 */
uint32_t kernel_reasons(const struct stw_media *media, uint32_t leg);

/** Of these, what follows from descriptions alone: no packet changes it. Threads: as kernel_reasons. */
#define KERNEL_REASONS_LASTING                                                                     \
	(STW_PLACE_NOT_ASKED | STW_PLACE_NO_KERNEL | STW_PLACE_SECURE | STW_PLACE_INSPECTED)

/** Whether any port has such a relay. Threads: any. */
bool kernel_is_there(const struct stw_media *media);

/** 0, or why a session may not be there: -EINVAL, -ENOTSUP. Threads: any. */
int kernel_place_check(const struct stw_media *media, enum stw_place place);

/** Write the link address of a row's next hop anew, if it has another. Threads: as kernel_row_fill. */
void kernel_row_hop(const struct stw_media *media, struct kernel_row *row);

/** Fill a row of a leg that has no reason. Threads: control, under the mutex; its state is WORKER. */
void kernel_row_fill(struct stw_media *media, uint32_t leg, struct kernel_row *row);

#endif
