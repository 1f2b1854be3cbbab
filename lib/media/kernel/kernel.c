/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Moving legs between workers and the kernel. What the labels from K1 to K6 are for is in row.h.
 *
 *  label  where                              order    pairs with  without it
 *  K1     row filled, state: KERNEL          seq_cst  K2          (row.h) a program uses a row half filled
 *  K3     handled: added                     release  K4          (row.h) a packet overtakes one of a worker's
 *  K5     state: KERNEL, then remote again   seq_cst  K6          a leg is sent to where its party was
 *  K6     remote changed, then state: WORKER seq_cst  K5          same
 *  K7     asked: leg put                     release  K8          the list is taken without the link
 *  K8     asked: list taken                  acquire  K7          same
 *  K9     queued: taken off, before the look acq_rel  K10         a leg that asks meanwhile is forgotten
 *  K10    queued: set                        acq_rel  K9          same
 */
#include "kernel.h"

#include <errno.h>

#include "media/memory.h"
#include "media/plane.h"

/** Legs that ask looked at in one call: a bound for who holds the mutex. */
#define KERNEL_ADVANCE_BURST 4096

/** A leg that could not be given to the kernel asks again after that. */
#define KERNEL_ASK_NS UINT64_C(100000000)

/** So long a leg stays out that the program has left: at first, and at most if it does so again soon. */
#define KERNEL_PAUSE_NS     UINT64_C(1000000000)
#define KERNEL_PAUSE_NS_MAX UINT64_C(64000000000)

/** Packets that never came are given up after so many empty looks and so much time. */
#define KERNEL_MISSING_LOOKS 8
#define KERNEL_MISSING_NS    UINT64_C(10000000)

uint32_t
kernel_entries_lines(const struct stw_address_config *address)
{
	uint32_t ports = (uint32_t)address->udp_port_last - address->udp_port_first + 1;

	return (ports + KERNEL_ENTRIES_A_LINE - 1) / KERNEL_ENTRIES_A_LINE;
}

uint32_t
kernel_entries_first(const struct stw_media_config *config, uint32_t address)
{
	uint32_t lines = 0;

	for (uint32_t i = 0; i < address; i++)
		lines += kernel_entries_lines(&config->addresses[i]);
	return lines * KERNEL_ENTRIES_A_LINE;
}

bool
kernel_is_there(const struct stw_media *media)
{
	for (uint32_t i = 0; media->kernel.memory && i < media->ports_count; i++) {
		if (media->kernel.memory->ifindex[i])
			return true;
	}
	return false;
}

int
kernel_init(struct stw_media *media, struct kernel_memory *memory)
{
	struct kernel *kernel = &media->kernel;

	kernel->memory = memory;
	if (!memory)
		return 0;
	kernel->marks = memory_map(sizeof(*kernel->marks) * media->legs_slots);
	kernel->watches = memory_map(sizeof(*kernel->watches) * KERNEL_QUEUES);
	return kernel->marks && kernel->watches ? 0 : -ENOMEM;
}

void
kernel_destroy(struct stw_media *media)
{
	memory_unmap(media->kernel.marks, sizeof(*media->kernel.marks) * media->legs_slots);
	memory_unmap(media->kernel.watches, sizeof(*media->kernel.watches) * KERNEL_QUEUES);
}

void
kernel_leg_init(struct stw_media *media, uint32_t leg)
{
	struct kernel_mark *mark;

	if (!media->kernel.memory)
		return;
	memory_clear(&media->kernel.memory->rows[leg], sizeof(struct kernel_row));
	/* Its place in the list of those that ask stays. */
	mark = &media->kernel.marks[leg];
	atomic_store_explicit(&mark->ask_ns, 0, memory_order_relaxed);
	mark->entered_ns = 0;
	mark->left_seen_ns = 0;
	mark->pause_ns = 0;
}

bool
kernel_leg_was_inside(const struct stw_media *media, uint32_t leg)
{
	return media->kernel.memory && media->kernel.memory->rows[leg].peer != 0;
}

bool
kernel_leg_is_inside(const struct stw_media *media, uint32_t leg)
{
	return media->kernel.memory &&
	       shared_load(&media->kernel.memory->rows[leg].state) == KERNEL_KERNEL;
}

void
kernel_leave(struct stw_media *media, uint32_t leg)
{
	struct kernel *kernel = &media->kernel;

	/* Most legs are not there: a look costs less than an exchange. */
	if (!kernel_leg_is_inside(media, leg))
		return;
	/* K6, pairs with K5: who gives it to the kernel meanwhile sees what changed before. */
	if (atomic_exchange_explicit(&kernel->memory->rows[leg].state, KERNEL_WORKER,
				     memory_order_seq_cst) == KERNEL_KERNEL)
		atomic_fetch_add_explicit(&kernel->left, 1, memory_order_relaxed);
}

void
kernel_leave_session(struct stw_media *media, const struct session *of)
{
	for (unsigned i = 0; media->kernel.memory && i < STW_SESSION_LEGS_MAX; i++) {
		if (of->legs[i])
			kernel_leave(media, of->legs[i]);
	}
}

/** Whether a leg's packets are sent to another. */
static bool
is_connected(const struct stw_media *media, uint32_t from, uint32_t to)
{
	return atomic_load_explicit(&media->routes[from].peer, memory_order_relaxed) == to;
}

void
kernel_leave_speakers(struct stw_media *media, uint32_t leg)
{
	const struct session *of = &media->sessions[handle_slot(media->cards[leg].session)];

	for (unsigned i = 0; media->kernel.memory && i < STW_SESSION_LEGS_MAX; i++) {
		if (of->legs[i] && is_connected(media, of->legs[i], leg))
			kernel_leave(media, of->legs[i]);
	}
}

/** Take a leg back, and set LEG_KERNEL by what is lasting of it. */
static void
leg_follow(struct stw_media *media, uint32_t leg)
{
	struct leg_route *route = &media->routes[leg];
	union leg_traits traits = {atomic_load_explicit(&route->traits, memory_order_relaxed)};
	uint32_t reasons = kernel_reasons(media, leg);

	kernel_leave(media, leg);
	traits.features &= (uint16_t)~LEG_KERNEL;
	if (!(reasons & KERNEL_REASONS_LASTING))
		traits.features |= LEG_KERNEL;
	atomic_store_explicit(&route->traits, traits.word, memory_order_relaxed);
}

void
kernel_leg_follow(struct stw_media *media, uint32_t leg)
{
	const struct session *of = &media->sessions[handle_slot(media->cards[leg].session)];

	if (!media->kernel.memory)
		return;
	leg_follow(media, leg);
	for (unsigned i = 0; i < STW_SESSION_LEGS_MAX; i++) {
		if (of->legs[i] && is_connected(media, of->legs[i], leg))
			leg_follow(media, of->legs[i]);
	}
}

void
kernel_source_changed(struct stw_media *media, uint32_t leg)
{
	uint32_t speaker;

	if (!media->kernel.memory)
		return;
	/* K6, pairs with K5: either this sees the leg inside, or control sees the new party. */
	atomic_thread_fence(memory_order_seq_cst);
	kernel_leave(media, leg);
	speaker = atomic_load_explicit(&media->routes[leg].speaker, memory_order_relaxed);
	if (speaker)
		kernel_leave(media, speaker);
}

/** Put a leg into the list of those that ask. */
static void
leg_ask(struct worker *worker, uint32_t leg)
{
	struct kernel *kernel = &worker->media->kernel;
	struct kernel_mark *mark = &kernel->marks[leg];
	uint32_t first;

	if (worker->now_ns < atomic_load_explicit(&mark->ask_ns, memory_order_relaxed) ||
	    atomic_load_explicit(&mark->queued, memory_order_relaxed))
		return;
	/* K10, pairs with K9. */
	if (atomic_exchange_explicit(&mark->queued, 1, memory_order_acq_rel))
		return;
	first = atomic_load_explicit(&kernel->asked, memory_order_relaxed);
	do {
		atomic_store_explicit(&mark->next, first, memory_order_relaxed);
		/* K7, pairs with K8: the link is seen by who takes the list. */
	} while (!atomic_compare_exchange_weak_explicit(
		&kernel->asked, &first, leg, memory_order_release, memory_order_relaxed));
}

void
kernel_stage(struct worker *worker, const struct packet *packets, unsigned count)
{
	if (!(worker->burst_features & LEG_KERNEL))
		return;
	for (unsigned i = 0; i < count; i++) {
		const struct packet *packet = &packets[i];

		if (packet->verdict == STW_PASS_RELAYED && packet->features & LEG_KERNEL &&
		    !packet->fork_first && !packet->event)
			leg_ask(worker, packet->leg);
	}
}

/** Whether the program has left a leg a short time ago; how long that counts grows if it does so again. */
static bool
rests(struct kernel_mark *mark, const struct kernel_row *row, uint64_t now_ns)
{
	uint64_t left_ns = shared_load(&row->left_ns);

	if (left_ns != mark->left_seen_ns) {
		bool soon = left_ns < mark->entered_ns + 2 * KERNEL_PAUSE_NS;
		uint64_t longer_ns = 2 * mark->pause_ns;

		mark->left_seen_ns = left_ns;
		if (!soon || !mark->pause_ns)
			mark->pause_ns = KERNEL_PAUSE_NS;
		else
			mark->pause_ns =
				longer_ns < KERNEL_PAUSE_NS_MAX ? longer_ns : KERNEL_PAUSE_NS_MAX;
	}
	return left_ns && now_ns < left_ns + mark->pause_ns;
}

/** Give a leg to the kernel if it can be. */
static void
leg_enter(struct stw_media *media, uint32_t leg, uint64_t now_ns)
{
	struct kernel *kernel = &media->kernel;
	struct kernel_mark *mark = &kernel->marks[leg];
	struct kernel_row *row = &kernel->memory->rows[leg];
	uint32_t peer = atomic_load_explicit(&media->routes[leg].peer, memory_order_relaxed);
	uint64_t remote, remote_peer;

	if (!atomic_load_explicit(&media->cards[leg].handle, memory_order_relaxed) ||
	    kernel_leg_is_inside(media, leg))
		return;
	atomic_store_explicit(&mark->ask_ns, now_ns + KERNEL_ASK_NS, memory_order_relaxed);
	remote = atomic_load_explicit(&media->routes[leg].remote, memory_order_relaxed);
	remote_peer = atomic_load_explicit(&media->routes[peer].remote, memory_order_relaxed);
	if (kernel_reasons(media, leg) || rests(mark, row, now_ns))
		return;
	kernel_row_fill(media, leg, row);
	atomic_store_explicit(&mark->ask_ns, 0, memory_order_relaxed);
	mark->entered_ns = now_ns;
	atomic_fetch_add_explicit(&kernel->entered, 1, memory_order_relaxed);
	/* K1, pairs with K2: a program that sees the state sees the row; and K5. */
	atomic_store_explicit(&row->state, KERNEL_KERNEL, memory_order_seq_cst);
	/* K5, pairs with K6: a party that latched elsewhere meanwhile is seen here, or its worker sees the
	 * leg inside. */
	if (atomic_load_explicit(&media->routes[leg].remote, memory_order_seq_cst) != remote ||
	    atomic_load_explicit(&media->routes[peer].remote, memory_order_seq_cst) != remote_peer)
		kernel_leave(media, leg);
}

void
kernel_hops_changed(struct stw_media *media)
{
	media->kernel.sweep = 1;
}

/** Look at legs for next hops that have other link addresses. */
static void
sweep_hops(struct stw_media *media)
{
	struct kernel *kernel = &media->kernel;
	uint32_t top = atomic_load_explicit(&media->legs_top, memory_order_relaxed);

	for (unsigned i = 0; kernel->sweep && i < KERNEL_ADVANCE_BURST; i++) {
		if (kernel_leg_is_inside(media, kernel->sweep))
			kernel_row_hop(media, &kernel->memory->rows[kernel->sweep]);
		kernel->sweep = kernel->sweep < top ? kernel->sweep + 1 : 0;
	}
}

void
kernel_advance(struct stw_media *media, uint64_t now_ns)
{
	struct kernel *kernel = &media->kernel;

	if (!kernel->memory)
		return;
	sweep_hops(media);
	for (unsigned i = 0; i < KERNEL_ADVANCE_BURST; i++) {
		uint32_t leg = kernel->rest;

		if (!leg) {
			/* K8, pairs with K7. */
			kernel->rest =
				atomic_exchange_explicit(&kernel->asked, 0, memory_order_acquire);
			leg = kernel->rest;
		}
		if (!leg)
			return;
		kernel->rest = atomic_load_explicit(&kernel->marks[leg].next, memory_order_relaxed);
		/* K9, pairs with K10: who asks from here on is looked at again. */
		atomic_exchange_explicit(&kernel->marks[leg].queued, 0, memory_order_acq_rel);
		leg_enter(media, leg, now_ns);
	}
}

/** An empty look at a queue: if the same packets are missing all the time, the device has dropped them. */
static STW_COLD void
queue_watch(const struct worker *worker, struct kernel_queue *queue, struct kernel_watch *watch,
	    uint64_t missing)
{
	uint64_t handled = shared_load(&queue->handled);

	if (!watch->since_ns) {
		*watch = (struct kernel_watch){.since_ns = worker->now_ns, .missing = missing};
		return;
	}
	if (missing < watch->missing)
		watch->missing = missing;
	if (++watch->looks < KERNEL_MISSING_LOOKS ||
	    worker->now_ns - watch->since_ns < KERNEL_MISSING_NS)
		return;
	/* K3, pairs with K4. */
	atomic_store_explicit(&queue->handled, handled + watch->missing, memory_order_release);
	watch->since_ns = 0;
}

void
kernel_handled(struct worker *worker, uint32_t port, unsigned count)
{
	struct kernel *kernel = &worker->media->kernel;
	uint32_t index = port * KERNEL_QUEUES_A_PORT + worker->index;
	struct kernel_queue *queue;
	uint64_t handled, missing;

	if (!kernel->memory || !kernel->memory->ifindex[port])
		return;
	queue = &kernel->memory->queues[index];
	handled = shared_load(&queue->handled);
	if (count) {
		/* K3, pairs with K4: what was relayed is at its device before it counts. */
		atomic_store_explicit(&queue->handled, handled + count, memory_order_release);
		return;
	}
	missing = shared_load(&queue->steered) - handled;
	if (missing >> 63)
		/* K3, pairs with K4: packets that were given up did come, later than any should. */
		atomic_store_explicit(&queue->handled, handled + missing, memory_order_release);
	else if (missing)
		queue_watch(worker, queue, &kernel->watches[index], missing);
	else
		kernel->watches[index].since_ns = 0;
}
