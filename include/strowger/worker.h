/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Workers of the packet plane: what one does when it finds nothing, what it leaves out when it finds
 * too much, and what it has been doing.
 *
 * Idle. A busy-polling worker looks at its ports all the time. An adaptive one backs off in steps when
 * it has found nothing for a while, and is back at the first step with the first packet:
 *
 *   poll   for pause_ns: it looks on, with pauses of the CPU between two looks. No system call
 *   sleep  for sleep_for_ns: it sleeps sleep_ns between two looks. What arrives meanwhile is handled
 *          in one burst, at most sleep_ns late (and what the kernel's timer adds), and so are playout
 *          packets and other things that are due
 *   wait   then it waits for its ports' descriptors, at most wait_ns, and not beyond what is due next.
 *          A packet or a control call that concerns it wakes it at once. Where a port of its has no
 *          descriptor (net_ring, most devices that DPDK owns), it looks at that port each doze_ns
 *
 * A worker that sleeps or waits holds up no control call. What arrives in sleep_ns has to fit into the
 * receive queue: 1,024 packets, 10 million a second with the default. stw_media_poll never idles.
 *
 * Overload. A worker is behind when overload_bursts bursts of one port in succession were full. What is
 * left out then is, in this order, each level with those before it:
 *
 *   level 1  what is no established audio: packets that would make a leg latch (not again), ICMP echo
 *   level 2  (twice as many bursts) RTCP, and copies for listeners at once (UDP and consumer forks)
 *   level 3  (four times as many) copies for recordings
 *
 * Packets that are left out have the verdict STW_DROP_OVERLOAD, copies are counted by their fork and in
 * `copies_shed`. RTP of latched legs, ARP and playout are never left out by a worker. If that is still
 * more than it can do, the device's receive queue is full and the device drops what arrives, whoever's
 * it is, and counts it (port_missed). With the first bursts that are not full, the level falls.
 */
#ifndef STROWGER_WORKER_H
#define STROWGER_WORKER_H

#include <stddef.h>
#include <stdint.h>

#include <strowger/export.h>

#ifdef __cplusplus
extern "C" {
#endif

struct stw_media;

/** What a worker does when it finds nothing. */
enum stw_idle_mode {
	STW_IDLE_POLL,     /**< looks again at once: busy polling */
	STW_IDLE_ADAPTIVE, /**< backs off in steps; see above */
};

/** overload_bursts: never. For generators that always have a full burst ready, as benches do. */
#define STW_OVERLOAD_NEVER UINT32_MAX

/** How a worker idles, and when it is behind. Begin with STW_WORKER_CONFIG_INIT. */
struct stw_worker_config {
	size_t struct_size;      /**< bytes of this struct as compiled; never 0 */
	enum stw_idle_mode idle; /**< default: busy polling */
	uint32_t pause_ns;       /**< nanoseconds of the first step; 0: 2,000 */
	uint32_t sleep_ns;       /**< one sleep, nanoseconds, 1,000 to 10,000,000; 0: 100,000 */
	uint32_t sleep_for_ns;   /**< nanoseconds of the second step; 0: 2,000,000 */
	uint32_t doze_ns;        /**< between two looks at a port without a descriptor in the third
					 step, nanoseconds, sleep_ns to 100,000,000; 0: 1,000,000 */
	uint32_t wait_ns; /**< longest wait, nanoseconds, doze_ns to 1,000,000,000; 0: 10,000,000 */
	uint32_t overload_bursts; /**< full bursts until it is behind; 0: 128; STW_OVERLOAD_NEVER */
};

/** Busy polling, behind after 128 full bursts. */
#define STW_WORKER_CONFIG_INIT                                                                     \
	{                                                                                          \
		sizeof(struct stw_worker_config), STW_IDLE_POLL, 0, 0, 0, 0, 0, 0                  \
	}

/** What a worker is doing. */
enum stw_worker_state {
	STW_WORKER_STOPPED,  /**< not started: stw_media_poll runs its turns */
	STW_WORKER_WORKING,  /**< its last turn had something to do, or it is in one */
	STW_WORKER_POLLING,  /**< it looks, and finds nothing */
	STW_WORKER_SLEEPING, /**< between two looks */
	STW_WORKER_WAITING,  /**< for a descriptor or a control call */
};

/** Numbers of one worker. Times are of started workers, by their own clock. */
struct stw_worker_stats {
	size_t struct_size;          /**< in: bytes of this struct as compiled; never 0 */
	enum stw_worker_state state; /**< now */
	uint32_t lcore;              /**< DPDK's, once started; else UINT32_MAX */
	uint32_t cpu;                /**< of that lcore; UINT32_MAX: none, or several */
	uint32_t overload_level;     /**< 0: it keeps up, to 3 */
	uint64_t packets_received;   /**< that the ports gave to it */
	uint64_t packets_sent;       /**< that it gave to the ports */
	uint64_t turns;              /**< looks at all its ports */
	uint64_t turns_idle;         /**< those with nothing to do */
	uint64_t sleeps;             /**< sleeps of the second step */
	uint64_t waits;              /**< waits of the third */
	uint64_t wakes;              /**< waits ended by a packet */
	uint64_t wakes_asked;        /**< waits ended by a control call */
	uint64_t working_ns;         /**< time in turns that had something to do */
	uint64_t polling_ns;         /**< time in turns without */
	uint64_t sleeping_ns;        /**< time between turns, asleep */
	uint64_t waiting_ns;         /**< time between turns, waiting */
	uint64_t turn_ns_max; /**< longest time between two looks at the clock but for sleeps and
				 waits: a turn, and whatever kept the worker off its CPU in it */
	uint64_t turn_age_ns; /**< since its last look at the clock, by now_ns; more than wait_ns
				 and a turn: something has stopped it */
	uint64_t overloads;   /**< times that it fell behind */
	uint64_t turns_overloaded; /**< turns with an overload level above 0 */
	uint64_t copies_shed; /**< copies left out for overload; also in their forks' numbers */
	uint64_t port_missed; /**< packets that its own receive queues dropped, where the device
				     counts by queue (AF_XDP, many NICs) */
};

/**
 * Read a worker's numbers.
 *
 * @param media   borrowed, not NULL
 * @param worker  0 to workers - 1
 * @param now_ns  host's clock, nanoseconds
 * @param stats   struct_size set; filled
 * @return 0
 * @return -EINVAL  no such worker, or struct_size is less than this struct's
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for the devices' counters; never for a worker, however it was stopped).
 * Order:    the counters are of one instant between two of its turns.
 */
STW_API int stw_media_worker_stats(struct stw_media *media, uint32_t worker, uint64_t now_ns,
				   struct stw_worker_stats *stats);

/**
 * Packets that a port's devices dropped because no worker took them in time, or for want of
 * buffers.
 *
 * @param media  borrowed, not NULL
 * @param port   index of the port
 * @return number of packets; 0 without such a port
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for the device's counters).
 * Order:    none.
 */
STW_API uint64_t stw_media_port_missed(struct stw_media *media, uint32_t port);

#ifdef __cplusplus
}
#endif

#endif
