/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tenants: houses that share an engine and do not see each other. Each has names of its own for its
 * skills, agents, queues and calendars, and limits of its own within the engine's. An agent serves queues of his
 * own tenant only, and a definition may name only what is of its own tenant.
 *
 * There is always the default tenant, the handle with id 0, without limits of its own: a host with one
 * house never thinks of tenants. What a tenant uses counts towards the engine's limits; limits of tenants
 * may add up to more than those, and then who comes first has it.
 */
#ifndef STROWGER_TENANT_H
#define STROWGER_TENANT_H

#include <stddef.h>
#include <stdint.h>

#include <strowger/export.h>

#ifdef __cplusplus
extern "C" {
#endif

struct stw_acd;

/** Handle of a tenant: a value, copied freely. An id of 0 names the default tenant. */
struct stw_tenant {
	uint64_t id; /**< slot in the low, generation in the high 32 bits; 0: the default tenant */
};

/** The tenant that every engine has. */
#ifdef __cplusplus
#define STW_TENANT_DEFAULT (stw_tenant{0})
#else
#define STW_TENANT_DEFAULT ((struct stw_tenant){0})
#endif

/** Description of a tenant. Begin with STW_TENANT_CONFIG_INIT. */
struct stw_tenant_config {
	size_t struct_size;    /**< bytes of this struct as compiled; never 0 */
	const char *name;      /**< UTF-8, 1 to STW_NAME_BYTES_MAX bytes; copied */
	uint32_t agents_max;   /**< agents defined; 0: as many as the engine has room for */
	uint32_t queues_max;   /**< queues defined; 0: as many as the engine has room for */
	uint32_t contacts_max; /**< waiting, offered and connected together, over its queues;
				    0: as many as the engine has room for */
	uint32_t skills_max;   /**< skills defined; 0: as many as the engine has room for */
};

/** A tenant without limits of its own. */
#define STW_TENANT_CONFIG_INIT                                                                     \
	{                                                                                          \
		sizeof(struct stw_tenant_config), 0, 0, 0, 0, 0                                    \
	}

/** What a tenant uses at one instant. */
struct stw_tenant_usage {
	uint32_t agents;           /**< agents defined */
	uint32_t queues;           /**< queues defined */
	uint32_t skills;           /**< skills defined */
	uint64_t contacts;         /**< contacts known in its queues */
	uint64_t contacts_refused; /**< enqueues that found its contacts_max reached */
};

/**
 * Define a tenant.
 *
 * @param acd     borrowed, not NULL
 * @param config  borrowed; all of it is copied
 * @param tenant  set on success only
 * @return 0
 * @return -EINVAL  the name is empty, too long or NULL, or struct_size is wrong
 * @return -EEXIST  the name is taken
 * @return -ENOSPC  tenants_max tenants are defined
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: blocking (waits for another thread that configures; never holds up a hot call).
 * Order:    what is defined is seen by every call that starts after the return.
 */
STW_API int stw_tenant_define(struct stw_acd *acd, const struct stw_tenant_config *config,
			      struct stw_tenant *tenant);

/**
 * Find a tenant by its name. The default tenant has none.
 *
 * @param acd     borrowed, not NULL
 * @param name    borrowed until return
 * @param tenant  set on success only
 * @return 0
 * @return -ENOENT  no tenant has that name
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: blocking (waits for another thread that configures).
 * Order:    sees every definition that returned before the call.
 */
STW_API int stw_tenant_find(struct stw_acd *acd, const char *name, struct stw_tenant *tenant);

/**
 * Remove a tenant that has no agent, no queue and no calendar; its skills go with it. The numbers of
 * its queues stay in the engine's sums.
 *
 * @param acd     borrowed, not NULL
 * @param tenant  which
 * @return 0
 * @return -EINVAL  the default tenant cannot be removed
 * @return -ESTALE  the tenant was removed before
 * @return -EBUSY   it has agents, queues or calendars
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: blocking (waits for another thread that configures; never holds up a hot call).
 * Order:    a definition for the tenant that starts after the return fails with -ESTALE.
 */
STW_API int stw_tenant_remove(struct stw_acd *acd, struct stw_tenant tenant);

/**
 * Say what a tenant uses.
 *
 * @param acd     borrowed, not NULL
 * @param tenant  which
 * @param usage   filled on success only
 * @return 0
 * @return -ESTALE  the tenant was removed
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: blocking (waits for another thread that configures; never holds up a hot call).
 * Order:    sees every definition and removal that returned before the call; contacts that come or go
 *           meanwhile may be counted or not.
 */
STW_API int stw_tenant_usage(struct stw_acd *acd, struct stw_tenant tenant,
			     struct stw_tenant_usage *usage);

#ifdef __cplusplus
}
#endif

#endif
