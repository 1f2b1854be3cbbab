/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The packet plane: ports, local addresses, workers, events, numbers. Workers run bursts to
 * completion; control calls come from any host thread while packets flow, publish by RCU and never
 * stop a worker. Files are written by the host's recording thread, time-outs handled by the host's
 * stw_media_advance: the library makes no thread but the workers that stw_media_start launches.
 *
 * Clock: workers that were started read CLOCK_MONOTONIC, in nanoseconds. A host that starts them passes
 * the same clock wherever a call takes now_ns or a time; one that polls them may pass any steady clock.
 *
 *   stw_eal_start -> stw_media_create -> stw_media_start -> sessions ... -> stw_media_destroy -> stw_eal_stop
 */
#ifndef STROWGER_MEDIA_H
#define STROWGER_MEDIA_H

#include <stddef.h>
#include <stdint.h>

#include <strowger/address.h>
#include <strowger/consumer.h>
#include <strowger/digits.h>
#include <strowger/export.h>
#include <strowger/fork.h>
#include <strowger/limit.h>
#include <strowger/mix.h>
#include <strowger/playout.h>
#include <strowger/session.h>
#include <strowger/srtp.h>
#include <strowger/tone.h>
#include <strowger/verdict.h>
#include <strowger/worker.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Most ports, local addresses and workers of a packet plane. */
#define STW_MEDIA_PORTS_MAX     16
#define STW_MEDIA_ADDRESSES_MAX 64
#define STW_MEDIA_WORKERS_MAX   64

/** How DPDK's environment is brought up. Begin with STW_EAL_CONFIG_INIT. */
struct stw_eal_config {
	size_t struct_size;  /**< bytes of this struct as compiled; never 0 */
	uint32_t memory_mib; /**< memory of DPDK, MiB, 32 or more */
	uint8_t huge_pages;  /**< 1: use them if they are there, do without if not; 0: do not */
	const uint32_t *worker_cpus;  /**< CPU of each worker; copied; NULL when count is 0 */
	uint32_t worker_cpus_count;   /**< 0 (polled by the host only) to STW_MEDIA_WORKERS_MAX */
	const char *const *arguments; /**< further EAL arguments, borrowed; NULL when count is 0 */
	uint32_t arguments_count;     /**< 0 to 32 */
};

/** 256 MiB, huge pages if they are there, no workers, no device found by itself. */
#define STW_EAL_CONFIG_INIT                                                                        \
	{                                                                                          \
		sizeof(struct stw_eal_config), 256, 1, 0, 0, 0, 0                                  \
	}

/**
 * Bring DPDK's environment up, once in a process. A host that runs DPDK itself does not call it.
 * The PCI bus is looked at only when `arguments` name a device of it ("-a", "-b").
 *
 * @param config  borrowed until return
 * @return 0
 * @return -EINVAL    a field is outside its range; or EAL refused an argument, after which it
 *                    cannot be started in this process any more
 * @return -EALREADY  it is up, by this call or by the host; use it as it is
 * @return -ENOMEM    the memory cannot be had
 * @return -EIO       EAL failed otherwise, or was stopped before; the log says how
 *
 * Threads:  one; the caller becomes EAL's main thread but keeps its CPU affinity.
 * Progress: blocking (waits for the kernel).
 * Order:    the caller starts other threads after it.
 */
STW_API int stw_eal_start(const struct stw_eal_config *config);

/**
 * Take DPDK's environment down, when stw_eal_start brought it up; otherwise nothing. It cannot be
 * brought up again in the same process.
 *
 * Threads:  the one that called stw_eal_start, after every packet plane is destroyed.
 * Progress: blocking (waits for the kernel).
 * Order:    the caller has joined the others.
 */
STW_API void stw_eal_stop(void);

/** How a port shares its interface with the kernel. */
enum stw_port_kind {
	STW_PORT_DEVICE, /**< a DPDK device string: DPDK owns it, ARP and ICMP are answered here */
	STW_PORT_TAKEN,  /**< a DPDK port that the host has made and not started; as DEVICE */
	STW_PORT_AF_XDP, /**< a kernel interface: XDP takes the owned UDP ports, the kernel the rest;
			    it has as many receive queues as there are workers */
	STW_PORT_AF_PACKET, /**< a kernel interface without XDP: slower, the kernel sees all packets too */
};

/** XDP's way into an interface. */
enum stw_xdp_mode {
	STW_XDP_NONE,    /**< no XDP program */
	STW_XDP_AUTO,    /**< native where the driver has it, generic otherwise */
	STW_XDP_NATIVE,  /**< in the driver, or fail */
	STW_XDP_GENERIC, /**< in the kernel's receive path */
};

/** One port. */
struct stw_port_config {
	enum stw_port_kind kind; /**< what it is made of */
	const char *device; /**< DEVICE: "net_ring0", "0000:01:00.0,..."; AF_XDP, AF_PACKET: the
					 interface's name; TAKEN: NULL; borrowed */
	uint16_t port_id;   /**< TAKEN: DPDK's port id; else 0 */
	enum stw_xdp_mode xdp_mode; /**< AF_XDP: AUTO, NATIVE or GENERIC; else NONE */
	/**
	 * DEVICE, TAKEN: name of the tap interface, at most 15 characters, by which the kernel gets what is not
	 * ours, with the port's link address; copied; NULL: such packets are dropped. The interface is made, or a
	 * persistent one taken, and brought up; the host gives it addresses, and calls stw_media_exceptions.
	 * AF_XDP, AF_PACKET: NULL, as the kernel has them anyway.
	 */
	const char *exception;
	/**
	 * AF_XDP: how long stw_media_create waits until another process of this library, which has the interface,
	 * gives it up or ends, milliseconds; 0: not at all, as for foreign XDP programs. All is prepared before,
	 * and logged with XDP-WAIT. Packets to owned ports are dropped from the predecessor's end until
	 * the kernel has freed its receive queues, but not answered by the kernel, unless xdp_mode is another than
	 * the predecessor's; then they wait in the receive queues, 1,024 in each, for sessions and
	 * stw_media_start. Needs CAP_SYS_ADMIN. Other kinds: 0.
	 */
	uint32_t takeover_ms;
};

/** One local address with the UDP ports that belong to the packet plane. */
struct stw_address_config {
	uint32_t port;           /**< index of the port it lives on */
	struct stw_ip ip;        /**< IPv4 or IPv6; its legs speak that to their parties */
	uint8_t prefix_bits;     /**< of its network, 1 to 32, IPv6 to 128 */
	struct stw_ip gateway;   /**< next hop outside that network, of the same family; IPv6: in
				      that network or link-local; family 0: none */
	uint16_t udp_port_first; /**< first owned UDP port, 1024 or more, even */
	uint16_t udp_port_last;  /**< last owned UDP port, odd, above udp_port_first */
	uint16_t vlan;           /**< VLAN that it is in, 1 to 4094: frames carry that tag in both
				      directions; 0: frames carry none */
};

/**
 * Whether plain sessions may be relayed inside the kernel, by the XDP program that steers packets: on ports of
 * STW_PORT_AF_XDP. Needs a kernel and rights to load a BPF program of that size, maps of 400 bytes a leg, and a
 * driver that sends what a program redirects: a veth only while its other end has generic receive offload
 * ("ethtool -K INTERFACE gro on" there). A kernel before 6.3 does not say; then a veth is taken for one
 * that does not, unless the relay is required.
 */
enum stw_kernel_relay {
	STW_KERNEL_RELAY_NEVER, /**< no */
	STW_KERNEL_RELAY_AUTO, /**< if it can be had; the log says once why not, and all sessions are
				     relayed by workers */
	STW_KERNEL_RELAY_REQUIRED, /**< yes, or the packet plane is not made */
};

/** Description of a packet plane. Begin with STW_MEDIA_CONFIG_INIT. */
struct stw_media_config {
	size_t struct_size;                  /**< bytes of this struct as compiled; never 0 */
	const struct stw_port_config *ports; /**< copied */
	uint32_t ports_count;                /**< 1 to STW_MEDIA_PORTS_MAX */
	const struct stw_address_config *addresses; /**< copied */
	uint32_t addresses_count;                   /**< 1 to STW_MEDIA_ADDRESSES_MAX */
	uint32_t workers;                           /**< 1 to STW_MEDIA_WORKERS_MAX */
	uint32_t sessions_max;                      /**< 1 to 1,000,000 */
	uint32_t legs_max;                          /**< 1 to 2,000,000 */
	uint32_t forks_max;                         /**< 1 to 1,000,000 */
	uint32_t playouts_max;                      /**< 1 to 65,536 */
	uint32_t playout_packets_max; /**< packets of all playouts, per codec; 1 or more */
	uint32_t packets_max;         /**< packet buffers per port, shared out to the workers, 512
						     or more for each; 1,024 or more */
	uint32_t fork_packets_max;    /**< copies queued for files; a power of 2, 64 or more */
	uint32_t events_max;          /**< events not yet taken; 64 to 16,777,216 */
	uint64_t quarantine_ns;       /**< rest of a released port, nanoseconds; 0: none */
	uint32_t srtp_max; /**< SRTP key sets of one direction of a leg, 0 to 4,000,000; an
					 SRTP call to SRTP has 4; 0: none, legs with keys are refused */
	enum stw_srtp_driver srtp_driver; /**< crypto devices to use; 0: whichever there is */
	uint32_t mixes_max;               /**< mixes, 0 to 1,000,000; 0: none */
	uint32_t
		mix_legs_max; /**< legs in mixes, up to 4,000,000, 7 KiB each while in use; 0: four times
				    mixes_max */
	const struct stw_worker_config *worker_configs; /**< copied; NULL when the count is 0 */
	uint32_t worker_configs_count;      /**< 0: STW_WORKER_CONFIG_INIT for all; 1: one for all;
					      `workers`: one for each */
	enum stw_kernel_relay kernel_relay; /**< relay inside the kernel */
};

/** One worker, 1,000 sessions, 16,384 buffers; ports and addresses to be filled in. */
#define STW_MEDIA_CONFIG_INIT                                                                      \
	{                                                                                          \
		sizeof(struct stw_media_config), 0, 0, 0, 0, 1, 1000, 2000, 2000, 64, 65536,       \
			16384, 8192, 16384, UINT64_C(2000000000), 0, STW_SRTP_DRIVER_AUTO          \
	}

/** Kinds of media events. */
enum stw_media_event_type {
	STW_MEDIA_EVENT_NONE,    /**< never sent */
	STW_MEDIA_EVENT_DIGIT,   /**< the party pressed a key; once per press */
	STW_MEDIA_EVENT_LATCHED, /**< the leg's source is known */
	STW_MEDIA_EVENT_SILENT,  /**< silent_ns without a valid packet; once, until one comes */
	STW_MEDIA_EVENT_PLAYOUT_ENDED, /**< an announcement is over */
	STW_MEDIA_EVENT_FORK_CLOSED,   /**< a recording's file is complete and closed */
	STW_MEDIA_EVENT_FORK_FAILED, /**< a recording's file cannot be written; `error` says why */
	STW_MEDIA_EVENT_LOST,        /**< `lost` events before this one found the queue full */
	STW_MEDIA_EVENT_DIGITS_SENT, /**< the last of the digits for the leg was sent, or stopped */
	STW_MEDIA_EVENT_QUIET, /**< the party has not spoken for silent_audio_ns; once, until it does */
	STW_MEDIA_EVENT_VOICE, /**< the party speaks again, after QUIET */
};

/** One media event. Fields that do not apply are 0. */
struct stw_media_event {
	enum stw_media_event_type type; /**< what happened */
	uint64_t time_ns;               /**< when, by the clock given to the worker */
	struct stw_session session;     /**< whose */
	uint64_t session_cookie;        /**< as given at the add */
	struct stw_leg leg;         /**< of DIGIT, LATCHED, SILENT, PLAYOUT_ENDED, QUIET, VOICE */
	struct stw_fork fork;       /**< of FORK_CLOSED, FORK_FAILED */
	char digit;                 /**< of DIGIT: '0'-'9', '*', '#', 'A'-'D', or '!' (flash) */
	uint32_t duration_ms;       /**< of DIGIT: how long the key was down, as far as known */
	struct stw_endpoint remote; /**< of LATCHED: the source */
	struct stw_playout playout; /**< of PLAYOUT_ENDED: which */
	struct stw_fork_stats fork_stats; /**< of FORK_CLOSED, FORK_FAILED: the last numbers */
	int error;                        /**< of FORK_FAILED: negative errno */
	uint64_t lost;                    /**< of LOST: how many */
};

/** Numbers of the packet plane. */
struct stw_media_stats {
	uint64_t packets_received;            /**< packets that the ports gave to the workers */
	uint64_t verdicts[STW_VERDICT_COUNT]; /**< what became of them; adds up to packets_received
						     between bursts */
	uint64_t packets_sent;         /**< packets given to the ports: relayed, answers, playout */
	uint64_t packets_played;       /**< playout packets sent */
	uint64_t packets_play_dropped; /**< playout packets not sent: no next hop, buffer or room */
	uint64_t fork_dropped;         /**< copies lost over all forks, ended ones included */
	uint64_t events_lost;          /**< events that found the queue full */
	uint64_t refused;              /**< adds that found a limit reached */
	uint64_t port_missed;          /**< packets that the devices say they dropped */
	uint32_t sessions;             /**< sessions now */
	uint32_t legs;                 /**< legs now */
	uint32_t forks;                /**< forks now, those not yet closed included */
	uint32_t playouts;             /**< playouts now */
	uint32_t udp_ports;            /**< UDP port pairs and single ports in use now */
	uint32_t udp_ports_resting;    /**< UDP port pairs and single ports in quarantine now */
	uint32_t packets_in_use; /**< packet buffers not in their pools now; a port's driver keeps
						     some while it is started */
	uint64_t reports_sent;   /**< RTCP reports of our own sent */
	uint64_t
		reports_dropped; /**< RTCP reports of our own not sent: no next hop, buffer or room */
	uint64_t udp_ports_exhausted; /**< adds of legs that found no UDP port */
	uint64_t packets_mixed;       /**< packets that mixes sent to parties */
	uint64_t packets_mix_dropped; /**< packets of mixes not sent: no next hop, buffer or room */
	uint32_t mixes;               /**< mixes now */
	uint64_t refusals[STW_LIMIT_COUNT]; /**< `refused`, by what was full */
	uint8_t draining;                   /**< 1: stw_media_drain: no new sessions */
	uint64_t packets_exception_sent; /**< packets of exception interfaces sent by their ports */
	uint64_t
		packets_exception_dropped; /**< packets lost between exception interfaces and ports: the
					       kernel did not take them, or no buffer or room to send */
	/* Relay inside the kernel. What it received, sent and dropped is in the numbers above, too. */
	uint8_t kernel_relay;            /**< 1: there is one */
	uint32_t kernel_legs;            /**< legs whose RTP it relays now */
	uint64_t packets_kernel;         /**< RTP packets relayed there */
	uint64_t packets_kernel_dropped; /**< packets dropped there: STW_DROP_SOURCE, STW_DROP_RATE,
					     STW_DROP_NO_BUFFER */
	uint64_t kernel_entered;         /**< times that a leg was given to it */
	uint64_t kernel_left;            /**< times that a leg was taken back or given back */
	uint64_t kernel_map_bytes;       /**< memory of its BPF maps, which the process shares */
	uint64_t steer_map_bytes;        /**< memory of the BPF maps beside those */
};

/**
 * Make a packet plane: ports are configured and started, nothing is received yet.
 *
 * @param out     given: set on success only; free with stw_media_destroy
 * @param config  borrowed; copied
 * @return 0
 * @return -EINVAL   a field is outside its range
 * @return -ENODEV   a device is not there or refused, or the kernel has no taps; the log names it
 * @return -ENOTSUP  XDP cannot be had in the mode asked for; no crypto device for SRTP; or a relay inside
 *                    the kernel is required and cannot be had; the log says which
 * @return -EBUSY    another XDP program is on the interface, or still is after takeover_ms; or somebody
 *                    has the exception interface; the log names it
 * @return -EPERM    the process may not do that
 * @return -EIO      the kernel refused the exception interface; the log names it
 * @return -ENOMEM   memory cannot be had
 *
 * Threads:  one, which is registered with EAL.
 * Progress: blocking (waits for the kernel, the devices and, up to takeover_ms, for a predecessor).
 * Order:    the caller hands the packet plane to other threads.
 */
STW_API int stw_media_create(struct stw_media **out, const struct stw_media_config *config);

/**
 * Stop the workers, close recordings and ports, detach XDP, free everything.
 *
 * @param media  taken; NULL is fine
 *
 * Threads:  one, after all others have stopped using the packet plane.
 * Progress: blocking (waits for workers, files, devices).
 * Order:    the caller has joined or otherwise synchronised with the other users.
 */
STW_API void stw_media_destroy(struct stw_media *media);

/**
 * Launch the workers, each on its EAL worker lcore; worker_configs says how they idle. Their clock is
 * CLOCK_MONOTONIC, nanoseconds; what the host passes as now_ns to other calls is to be that clock.
 * Addresses on ports that DPDK owns are announced, see stw_media_announce.
 *
 * @param media  borrowed, not NULL
 * @return 0
 * @return -EALREADY  they run
 * @return -ENODEV    EAL has fewer free worker lcores than `workers`
 *
 * Threads:  one at a time.
 * Progress: blocking (waits for the lcores to take the work).
 * Order:    what was configured before is seen by the workers.
 */
STW_API int stw_media_start(struct stw_media *media);

/**
 * Announce a local address on a port that DPDK owns, after a take-over from another host: neighbours and
 * switches forget where it was. IPv4: an ARP announcement; IPv6: an unsolicited neighbour
 * advertisement; in the address's VLAN, three times, a second apart, the first one in worker 0's next turn.
 * Asked again meanwhile, it begins anew. stw_media_start announces all addresses by itself; a host that polls
 * asks for it.
 *
 * @param media    borrowed, not NULL
 * @param address  index of the address; UINT32_MAX: all that can be
 * @return 0
 * @return -EINVAL   no such address
 * @return -ENOTSUP  the port is a kernel interface, or all are: its kernel has the address, and whoever gives
 *                   it to the kernel has it announced
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: wait-free (bound STW_MEDIA_ADDRESSES_MAX).
 * Order:    none.
 *
 * Source: RFC 5227 2.3, 3; RFC 4861 7.2.6.
 */
STW_API int stw_media_announce(struct stw_media *media, uint32_t address);

/**
 * Run one turn of a worker that was not started: receive a burst from each of its ports, all
 * stages, send, playout that is due. For tests, and for hosts with loops of their own.
 *
 * @param media   borrowed, not NULL
 * @param worker  0 to workers - 1
 * @param now_ns  clock, nanoseconds
 * @return number of packets received
 * @return -EINVAL  no such worker
 * @return -EBUSY   the workers were started
 *
 * Threads:  one at a time for each worker, registered with EAL.
 * Progress: wait-free (bound: a burst per port and the legs that play out).
 * Order:    sees every control call that returned before.
 */
STW_API int stw_media_poll(struct stw_media *media, uint32_t worker, uint64_t now_ns);

/**
 * Housekeeping, at least ten times a second: end quarantines, free what no worker sees any more,
 * look up link addresses of next hops.
 *
 * @param media   borrowed, not NULL
 * @param now_ns  clock, nanoseconds
 *
 * Threads:  one at a time; at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for another thread's control call and for netlink; never for a worker).
 * Order:    none.
 */
STW_API void stw_media_advance(struct stw_media *media, uint64_t now_ns);

/**
 * Write what the forks have queued to their files, and close files of removed forks. Call it
 * often (each millisecond under load) from a thread that may wait for a disk.
 *
 * @param media   borrowed, not NULL
 * @param budget  most packets to write, 1 or more
 * @return number of packets written
 * @return -EINVAL  budget is 0
 * @return -EBUSY   another thread is in this call
 *
 * Threads:  one at a time; at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for the file system; never holds up a worker).
 * Order:    packets of one leg are written in the order of arrival.
 */
STW_API int stw_media_record(struct stw_media *media, uint32_t budget);

/**
 * Carry packets between ports that DPDK owns and their exception interfaces: to the kernel what is not ours
 * (other protocols, addresses and UDP ports, fragments, ARP and neighbour discovery that is not about our
 * addresses, and the answers to questions), from the kernel what it sends. Call it often (each millisecond) from a
 * thread that may wait for the kernel. Between two calls a worker keeps 256 packets for a port's
 * interface at most, and passes on 32 in one turn at most; others are dropped as
 * STW_DROP_SEND_FULL, so that a flood to the kernel holds up no media.
 *
 * ARP, neighbour discovery and echo for the local addresses are answered by the packet plane, whether
 * the kernel has those addresses, too, or not. Frames of 2,048 bytes or more are not carried.
 *
 * @param media   borrowed, not NULL
 * @param budget  most packets in each direction, 1 to 1,000,000
 * @return number of packets carried; 0 without exception interfaces
 * @return -EINVAL  budget is outside its range
 * @return -EBUSY   another thread is in this call
 *
 * Threads:  one at a time; at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for the kernel; never holds up a worker).
 * Order:    packets of one worker reach the kernel in the order of arrival.
 */
STW_API int stw_media_exceptions(struct stw_media *media, uint32_t budget);

/**
 * Take media events, oldest first.
 *
 * @param media   borrowed, not NULL
 * @param events  filled with up to count events
 * @param count   1 to 65536
 * @return number of events taken, 0 when there are none
 * @return -EINVAL  count is outside its range
 * @return -EBUSY   another thread is taking events
 *
 * Threads:  one at a time; at the same time as every function but stw_media_destroy.
 * Progress: lock-free; a retry means another thread's event arrived.
 * Order:    events of one leg come in the order of its packets.
 */
STW_API int stw_media_events_take(struct stw_media *media, struct stw_media_event *events,
				  uint32_t count);

/**
 * Read the packet plane's numbers.
 *
 * @param media  borrowed, not NULL
 * @param stats  filled
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for another thread's control call; never for a worker).
 * Order:    each worker's counters are of one instant between two of its bursts.
 */
STW_API void stw_media_stats(struct stw_media *media, struct stw_media_stats *stats);

/**
 * Say how XDP is in use on a port.
 *
 * @param media  borrowed, not NULL
 * @param port   index of the port
 * @return STW_XDP_NATIVE, STW_XDP_GENERIC, or STW_XDP_NONE without XDP or without such a port
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: wait-free (bound 1).
 * Order:    none needed; it is constant from stw_media_create on.
 */
STW_API enum stw_xdp_mode stw_media_xdp_mode(const struct stw_media *media, uint32_t port);

#ifdef __cplusplus
}
#endif

#endif
