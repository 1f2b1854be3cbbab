/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is remembered of customers: who served them last, when, and the place of a contact that they gave up. A
 * fixed table, four entries to a place; a new customer takes that of the four that was written longest ago.
 *
 * An entry's stamp is even while it stands and odd while it is written. A writer makes it odd by a
 * compare-exchange, so there is one at a time; a reader takes the fields only if the stamp was even before and the same
 * after. Nobody waits: who meets an entry that is being written passes over it. So what is remembered may be lost when
 * two write of one customer at a time, and a writer that is stopped for ever takes one entry with him.
 *
 * Progress: wait-free, four entries are looked at.
 *
 *  label  where             order    pairs with  without it
 *  H1     write: begin      acquire  H2          fields are written before the entry is owned
 *  H2     write: end        release  H1, H3      a reader takes half-written fields
 *  H3     read: stamp       acquire  H2          same, seen from the reader
 *  H4     fields: write     release  H5          new fields are read between two old stamps
 *  H5     fields: read      acquire  H4          same, seen from the reader
 */
#include "engine.h"

#define TENANT_STEP UINT64_C(0x9e3779b97f4a7c15)

#define HISTORY_WAYS 4

/* Customers are their tenant's: the key by which one of a queue's is known here, from what the host calls
 * him; 0: nobody. */
uint64_t
acd_customer_key(const struct stw_acd *acd, uint32_t q, uint64_t name)
{
	return name ? name + acd->queues[q].tenant * TENANT_STEP : 0;
}

/* What the host calls him. */
uint64_t
acd_customer_name(const struct stw_acd *acd, uint32_t q, uint64_t key)
{
	return key ? key - acd->queues[q].tenant * TENANT_STEP : 0;
}

uint32_t
acd_history_entries(uint32_t customers_max)
{
	return (customers_max + HISTORY_WAYS - 1) / HISTORY_WAYS * HISTORY_WAYS;
}

/* The entries where a key may be. */
static struct acd_history_entry *
ways_of(const struct stw_acd *acd, uint64_t key)
{
	uint64_t places = acd_history_entries(acd->config.customers_max) / HISTORY_WAYS;
	uint64_t mixed = key * UINT64_C(0x9e3779b97f4a7c15);

	mixed ^= mixed >> 29;
	return &acd->history[mixed % places * HISTORY_WAYS];
}

/* Read an entry; false: it is being written. */
static bool
entry_read(const struct acd_history_entry *entry, uint64_t *stamp, struct acd_customer *customer)
{
	/* H3, pairs with H2 */
	*stamp = atomic_load_explicit(&entry->stamp, memory_order_acquire);
	for (uint32_t i = 0; i < ACD_CUSTOMER_WORDS; i++)
		/* H5, pairs with H4 */
		customer->words[i] = atomic_load_explicit(&entry->words[i], memory_order_acquire);
	return !(*stamp & 1) && atomic_load_explicit(&entry->stamp, memory_order_relaxed) == *stamp;
}

/* What is remembered of a customer; false: nothing. */
bool
acd_history_read(const struct stw_acd *acd, uint64_t key, struct acd_customer *customer)
{
	const struct acd_history_entry *ways;
	uint64_t stamp;

	if (!key || !acd->config.customers_max)
		return false;
	ways = ways_of(acd, key);
	for (uint32_t i = 0; i < HISTORY_WAYS; i++)
		if (entry_read(&ways[i], &stamp, customer) && customer->key == key)
			return true;
	return false;
}

/* Remember something of a customer: everything of `customer` that is not 0; `forgets`: the place is taken back. */
void
acd_history_write(struct stw_acd *acd, const struct acd_customer *customer, bool forgets)
{
	struct acd_customer seen, best = {.words = {0}};
	struct acd_history_entry *ways, *entry = NULL;
	uint64_t stamp, best_stamp = 0;

	if (!customer->key || !acd->config.customers_max)
		return;
	ways = ways_of(acd, customer->key);
	for (uint32_t i = 0; i < HISTORY_WAYS; i++) {
		if (!entry_read(&ways[i], &stamp, &seen))
			continue;
		if (entry && seen.key != customer->key && seen.written_ns >= best.written_ns)
			continue;
		entry = &ways[i];
		best = seen;
		best_stamp = stamp;
		if (seen.key == customer->key)
			break;
	}
	/* H1, pairs with H2 */
	if (!entry ||
	    !atomic_compare_exchange_strong_explicit(&entry->stamp, &best_stamp, best_stamp + 1,
						     memory_order_acquire, memory_order_relaxed))
		return;
	if (best.key != customer->key)
		best = (struct acd_customer){.words = {0}};
	if (forgets)
		best.gave_up_ns = best.place_ns = 0;
	for (uint32_t i = 0; i < ACD_CUSTOMER_WORDS; i++)
		/* H4, pairs with H5 */
		atomic_store_explicit(&entry->words[i],
				      customer->words[i] ? customer->words[i] : best.words[i],
				      memory_order_release);
	/* H2, pairs with H1, H3 */
	atomic_store_explicit(&entry->stamp, best_stamp + 2, memory_order_release);
}

/* What a customer's earlier contacts mean for a new one in this queue: its place, its agent, whether it repeats. */
void
acd_history_apply(struct stw_acd *acd, const struct acd_queue_description *queue, uint32_t q,
		  struct stw_contact_request *request, struct acd_origin *origin, uint64_t now_ns)
{
	struct acd_customer customer;

	if (!acd_history_read(acd, request->customer_key, &customer))
		return;
	if (customer.ended_ns && acd_elapsed(customer.ended_ns, now_ns) < queue->repeat_window_ns)
		acd_count(acd, q, ACD_COUNT_REPEATS, 1);
	if (request->last_agent && !request->preferred.id)
		request->preferred.id = customer.agent;
	if (!customer.gave_up_ns || customer.place_ns > origin->enqueue_ns ||
	    acd_elapsed(customer.gave_up_ns, now_ns) >= queue->resume_window_ns)
		return;
	origin->enqueue_ns = customer.place_ns;
	acd_count(acd, q, ACD_COUNT_RESUMED, 1);
	customer = (struct acd_customer){.key = request->customer_key, .written_ns = now_ns};
	acd_history_write(acd, &customer, true);
}
