/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tenants: definition, limits, and the count of a limited tenant's contacts.
 *
 * Agents, queues and skills are counted under the configuration lock. Isolation is a matter of configuration,
 * too: config_step_admits lets no agent into a queue of another tenant, so the bits that hot calls look at never
 * join two tenants, and hot calls need not ask.
 *
 * Contacts are counted by hot calls, and only for a tenant with a limit: other tenants do not share a word.
 * A contact is counted after it was counted among the queue's known ones and leaves the count before it leaves those.
 * A queue with known contacts is not removed, and a tenant with queues is not: so the count is 0 when a tenant
 * is removed, and its slot is not another tenant's while somebody still counts in it. A thread stopped for
 * ever in between leaves the count too high by the one contact that it had in its hands, never too low.
 *
 * The count carries no data: its accesses are relaxed, and the order comes from the queue's count (Q1, Q2).
 *
 * Progress: a failed compare-exchange means that another contact of the tenant came or went: lock-free.
 */
#include "engine.h"

#include <errno.h>

int
acd_tenant_slot(struct stw_acd *acd, struct stw_tenant handle, uint32_t *t)
{
	uint32_t slot = (uint32_t)handle.id;

	if (handle.id &&
	    (slot == ACD_TENANT_DEFAULT || slot > acd->config.tenants_max ||
	     !acd->tenants[slot].defined || acd->tenants[slot].generation != handle.id >> 32))
		return -ESTALE;
	*t = slot;
	return 0;
}

/* Count one more of a part; -ENOSPC: the tenant's limit is reached. */
int
acd_tenant_take(struct stw_acd *acd, uint32_t t, enum acd_tenant_part part)
{
	struct acd_tenant *tenant = &acd->tenants[t];

	if (tenant->max[part] && tenant->count[part] >= tenant->max[part])
		return -ENOSPC;
	tenant->count[part]++;
	return 0;
}

void
acd_tenant_give(struct stw_acd *acd, uint32_t t, enum acd_tenant_part part)
{
	acd->tenants[t].count[part]--;
}

/* Count a contact in; false: the tenant has as many as it may have. */
bool
acd_tenant_contact_enter(struct stw_acd *acd, uint32_t t)
{
	struct acd_tenant *tenant = &acd->tenants[t];
	uint64_t contacts;

	if (!tenant->contacts_max)
		return true;
	contacts = atomic_load_explicit(&tenant->contacts, memory_order_relaxed);
	do {
		if (contacts >= tenant->contacts_max) {
			atomic_fetch_add_explicit(&tenant->refused, 1, memory_order_relaxed);
			return false;
		}
	} while (!atomic_compare_exchange_weak_explicit(&tenant->contacts, &contacts, contacts + 1,
							memory_order_relaxed,
							memory_order_relaxed));
	return true;
}

void
acd_tenant_contact_leave(struct stw_acd *acd, uint32_t t)
{
	if (acd->tenants[t].contacts_max)
		atomic_fetch_sub_explicit(&acd->tenants[t].contacts, 1, memory_order_relaxed);
}

static int
tenant_define(struct stw_acd *acd, const struct stw_tenant_config *config,
	      struct stw_tenant *handle)
{
	struct acd_tenant *tenant;
	uint32_t t = ACD_TENANT_DEFAULT + 1;

	if (names_find(&acd->tenant_names, ACD_TENANT_DEFAULT, config->name) != NAMES_NONE)
		return -EEXIST;
	while (t <= acd->config.tenants_max && acd->tenants[t].defined)
		t++;
	if (t > acd->config.tenants_max)
		return -ENOSPC;
	tenant = &acd->tenants[t];
	tenant->generation += 1 + (tenant->generation == UINT32_MAX);
	tenant->defined = true;
	tenant->contacts_max = config->contacts_max;
	tenant->max[ACD_TENANT_AGENTS] = config->agents_max;
	tenant->max[ACD_TENANT_QUEUES] = config->queues_max;
	tenant->max[ACD_TENANT_SKILLS] = config->skills_max;
	atomic_store_explicit(&tenant->refused, 0, memory_order_relaxed);
	names_add(&acd->tenant_names, ACD_TENANT_DEFAULT, t, config->name);
	handle->id = acd_handle(t, tenant->generation);
	return 0;
}

int
stw_tenant_define(struct stw_acd *acd, const struct stw_tenant_config *config,
		  struct stw_tenant *tenant)
{
	int error;

	if (config->struct_size < sizeof(*config) || !names_valid(config->name))
		return -EINVAL;
	control_lock_take(&acd->lock);
	error = tenant_define(acd, config, tenant);
	control_lock_leave(&acd->lock);
	return error;
}

int
stw_tenant_find(struct stw_acd *acd, const char *name, struct stw_tenant *tenant)
{
	uint32_t t;

	control_lock_take(&acd->lock);
	t = names_find(&acd->tenant_names, ACD_TENANT_DEFAULT, name);
	if (t != NAMES_NONE)
		tenant->id = acd_handle(t, acd->tenants[t].generation);
	control_lock_leave(&acd->lock);
	return t == NAMES_NONE ? -ENOENT : 0;
}

/* Slots below end that a tenant has named. */
static uint32_t
names_count(const struct names *names, uint32_t end, uint32_t t)
{
	uint32_t count = 0;

	for (uint32_t slot = 0; slot < end; slot++)
		count += names_owner(names, slot) == t;
	return count;
}

static int
tenant_remove(struct stw_acd *acd, uint32_t t)
{
	struct acd_tenant *tenant = &acd->tenants[t];

	if (t == ACD_TENANT_DEFAULT)
		return -EINVAL;
	if (tenant->count[ACD_TENANT_AGENTS] || tenant->count[ACD_TENANT_QUEUES] ||
	    names_count(&acd->calendar_names, acd->config.calendars_max, t))
		return -EBUSY;
	STW_ASSERT(!atomic_load_explicit(&tenant->contacts, memory_order_relaxed));
	for (uint32_t s = 0; s < acd->config.skills_max; s++) {
		if (names_owner(&acd->skill_names, s) != t)
			continue;
		names_remove(&acd->skill_names, s);
		slot_pool_give(&acd->skill_slots, s);
	}
	acd_tenant_numbers_end(acd, t);
	tenant->count[ACD_TENANT_SKILLS] = 0;
	tenant->defined = false;
	names_remove(&acd->tenant_names, t);
	return 0;
}

int
stw_tenant_remove(struct stw_acd *acd, struct stw_tenant tenant)
{
	uint32_t t;
	int error;

	control_lock_take(&acd->lock);
	error = acd_tenant_slot(acd, tenant, &t);
	if (!error)
		error = tenant_remove(acd, t);
	control_lock_leave(&acd->lock);
	return error;
}

/* Contacts known in a tenant's queues. */
static uint64_t
contacts_known(struct stw_acd *acd, uint32_t t)
{
	uint64_t contacts = 0;

	for (uint32_t q = 0; q < acd->queues_end; q++)
		if (names_owner(&acd->queue_names, q) == t)
			contacts +=
				atomic_load_explicit(&acd->queues[q].known, memory_order_relaxed) &
				~ACD_QUEUE_FLAGS;
	return contacts;
}

int
stw_tenant_usage(struct stw_acd *acd, struct stw_tenant tenant, struct stw_tenant_usage *usage)
{
	uint32_t t;
	int error;

	control_lock_take(&acd->lock);
	error = acd_tenant_slot(acd, tenant, &t);
	if (!error) {
		const struct acd_tenant *seen = &acd->tenants[t];

		usage->agents = seen->count[ACD_TENANT_AGENTS];
		usage->queues = seen->count[ACD_TENANT_QUEUES];
		usage->skills = seen->count[ACD_TENANT_SKILLS];
		usage->contacts = contacts_known(acd, t);
		usage->contacts_refused =
			atomic_load_explicit(&seen->refused, memory_order_relaxed);
	}
	control_lock_leave(&acd->lock);
	return error;
}

/* A tenant's counts are what it has, and its agents hold contacts of its own queues. */
void
acd_tenants_check(struct stw_acd *acd)
{
	for (uint32_t t = 0; t <= acd->config.tenants_max; t++) {
		struct acd_tenant *tenant = &acd->tenants[t];
		uint64_t contacts = atomic_load_explicit(&tenant->contacts, memory_order_relaxed);

		STW_ASSERT(tenant->count[ACD_TENANT_AGENTS] ==
			   names_count(&acd->agent_names, acd->agents_end, t));
		STW_ASSERT(tenant->count[ACD_TENANT_QUEUES] ==
			   names_count(&acd->queue_names, acd->queues_end, t));
		STW_ASSERT(tenant->count[ACD_TENANT_SKILLS] ==
			   names_count(&acd->skill_names, acd->config.skills_max, t));
		STW_ASSERT(contacts == (tenant->contacts_max ? contacts_known(acd, t) : 0));
	}
	for (uint32_t a = 0; a < acd->agents_end; a++) {
		uint64_t hold = acd_word_read(&acd->agents[a].word);
		uint32_t c = word_slot(hold);

		if (word_state(hold) != ACD_AGENT_HOLD)
			continue;
		STW_ASSERT(acd_agent_description(acd, a)->tenant ==
			   acd->queues[acd_contact_queue(acd, c,
							 acd_word_read(&acd->contacts[c].word))]
				   .tenant);
	}
}
