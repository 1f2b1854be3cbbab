/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names of slots. All under the configuration lock.
 */
#include "names.h"

#include <string.h>

static uint32_t
buckets_for(uint32_t slots)
{
	uint32_t buckets = 16;

	while (buckets < slots)
		buckets *= 2;
	return buckets;
}

size_t
names_bytes(uint32_t slots)
{
	return (buckets_for(slots) + 2 * (size_t)slots) * sizeof(uint32_t) +
	       (size_t)slots * (STW_NAME_BYTES_MAX + 1);
}

void
names_init(struct names *names, void *memory, uint32_t slots)
{
	names->buckets = buckets_for(slots);
	names->heads = memory;
	names->next = names->heads + names->buckets;
	names->owners = names->next + slots;
	names->texts = (void *)(names->owners + slots);
	for (uint32_t i = 0; i < names->buckets; i++)
		names->heads[i] = NAMES_NONE;
	for (uint32_t i = 0; i < slots; i++)
		names->owners[i] = NAMES_NONE;
}

bool
names_valid(const char *name)
{
	size_t length = name ? strnlen(name, STW_NAME_BYTES_MAX + 1) : 0;

	return length >= 1 && length <= STW_NAME_BYTES_MAX;
}

static uint32_t *
names_bucket(const struct names *names, uint32_t owner, const char *name)
{
	uint32_t hash = 2166136261u ^ owner * 2654435769u;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	return &names->heads[hash & (names->buckets - 1)];
}

uint32_t
names_find(const struct names *names, uint32_t owner, const char *name)
{
	uint32_t slot;

	if (!names_valid(name))
		return NAMES_NONE;
	for (slot = *names_bucket(names, owner, name); slot != NAMES_NONE; slot = names->next[slot])
		if (names->owners[slot] == owner && !strcmp(names->texts[slot], name))
			return slot;
	return NAMES_NONE;
}

void
names_add(struct names *names, uint32_t owner, uint32_t slot, const char *name)
{
	uint32_t *head = names_bucket(names, owner, name);

	names->owners[slot] = owner;
	memcpy(names->texts[slot], name, strlen(name) + 1);
	names->next[slot] = *head;
	*head = slot;
}

void
names_remove(struct names *names, uint32_t slot)
{
	uint32_t *link = names_bucket(names, names->owners[slot], names->texts[slot]);

	while (*link != slot)
		link = &names->next[*link];
	*link = names->next[slot];
	names->owners[slot] = NAMES_NONE;
}

/* Whose a slot is; NAMES_NONE: nobody's. */
uint32_t
names_owner(const struct names *names, uint32_t slot)
{
	return names->owners[slot];
}
