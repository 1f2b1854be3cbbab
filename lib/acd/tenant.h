/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tenants, inside: what a tenant may have and has.
 */
#ifndef STW_ACD_TENANT_H
#define STW_ACD_TENANT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"

/** Slot of the default tenant. */
#define ACD_TENANT_DEFAULT 0

/** What tenants have a number of, under the configuration lock. */
enum acd_tenant_part {
	ACD_TENANT_AGENTS,
	ACD_TENANT_QUEUES,
	ACD_TENANT_SKILLS,
	ACD_TENANT_PARTS,
};

struct acd_tenant {
	_Atomic uint64_t contacts STW_ALIGNED_LINE; /* known; counted only if there is a limit */
	_Atomic uint64_t refused;
	uint64_t contacts_max; /* 0: none; constant while the tenant has queues */
	/* Under the configuration lock. */
	uint32_t generation; /* of the last definition */
	bool defined;
	uint32_t count[ACD_TENANT_PARTS];
	uint32_t max[ACD_TENANT_PARTS];
};

struct stw_acd;
struct stw_tenant;

/* tenant.c; all but enter and leave under the configuration lock. */
int acd_tenant_slot(struct stw_acd *acd, struct stw_tenant handle, uint32_t *t);
int acd_tenant_take(struct stw_acd *acd, uint32_t t, enum acd_tenant_part part);
void acd_tenant_give(struct stw_acd *acd, uint32_t t, enum acd_tenant_part part);
bool acd_tenant_contact_enter(struct stw_acd *acd, uint32_t t);
void acd_tenant_contact_leave(struct stw_acd *acd, uint32_t t);
void acd_tenants_check(struct stw_acd *acd);

#endif
