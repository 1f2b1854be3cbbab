/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names of slots: a chained hash table in memory given at creation, for the configuration only. A name
 * is unique among its owner's; the owner is a tenant's slot.
 */
#ifndef STW_ACD_NAMES_H
#define STW_ACD_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strowger/skill.h>

#define NAMES_NONE UINT32_MAX

struct names {
	uint32_t *heads;  /* per bucket */
	uint32_t *next;   /* per slot */
	uint32_t *owners; /* per slot: whose name it is; NAMES_NONE: no name */
	char (*texts)[STW_NAME_BYTES_MAX + 1];
	uint32_t buckets; /* a power of two */
};

size_t names_bytes(uint32_t slots);
void names_init(struct names *names, void *memory, uint32_t slots);
bool names_valid(const char *name);
uint32_t names_find(const struct names *names, uint32_t owner, const char *name);
void names_add(struct names *names, uint32_t owner, uint32_t slot, const char *name);
void names_remove(struct names *names, uint32_t slot);
uint32_t names_owner(const struct names *names, uint32_t slot);

#endif
