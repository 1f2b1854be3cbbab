/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory of the big tables. 200,000 legs in random order miss the translation cache on nearly
 * every packet with 4 KiB pages, so tables above 2 MiB are aligned for huge pages and ask for them.
 */
#include "memory.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_BYTES (UINT64_C(2) << 20)

static size_t
mapped_bytes(size_t bytes)
{
	size_t unit = bytes >= HUGE_BYTES ? HUGE_BYTES : 4096;

	return (bytes + unit - 1) / unit * unit;
}

void *
memory_map(size_t bytes)
{
	size_t wanted = mapped_bytes(bytes);
	size_t spare = wanted >= HUGE_BYTES ? HUGE_BYTES : 0;
	uint8_t *memory, *start;
	size_t before, after;

	memory = mmap(NULL, wanted + spare, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	if (memory == MAP_FAILED)
		return NULL;
	if (!spare)
		return memory;
	start = (uint8_t *)(((uintptr_t)memory + HUGE_BYTES - 1) & ~(uintptr_t)(HUGE_BYTES - 1));
	before = (size_t)(start - memory);
	after = spare - before;
	if (before)
		munmap(memory, before);
	if (after)
		munmap(start + wanted, after);
	/* Refused on kernels without huge pages: small ones do as well. */
	(void)madvise(start, wanted, MADV_HUGEPAGE);
	return start;
}

void
memory_unmap(void *memory, size_t bytes)
{
	if (memory)
		munmap(memory, mapped_bytes(bytes));
}

void
memory_clear(void *row, size_t bytes)
{
	const uint8_t *byte = row;

	/* All bytes are as the first, and that is 0. */
	if (byte[0] != 0 || memcmp(byte, byte + 1, bytes - 1) != 0)
		memset(row, 0, bytes);
}
