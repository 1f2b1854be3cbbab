/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Words that a BPF program and threads of a process both read and write, in memory that both have mapped. One
 * declaration serves both: the compiler for BPF has no atomic loads and stores, and needs none, as
 * an aligned load or store of up to 8 bytes is one instruction there. None of these accesses orders others.
 */
#ifndef STW_BASE_SHARED_H
#define STW_BASE_SHARED_H

#include <stdint.h>

#ifdef __bpf__

/* tidy: allow atomics, as the compiler for BPF has none */
#define SHARED_U32 volatile uint32_t
/* tidy: allow atomics, the same */
#define SHARED_U64 volatile uint64_t

#define shared_load(address)         (*(address))
#define shared_store(address, value) (*(address) = (value))

#else

#include <stdatomic.h>

/** Words. */
#define SHARED_U32                   _Atomic uint32_t
#define SHARED_U64                   _Atomic uint64_t

/** Read one, write one: relaxed. */
#define shared_load(address)         atomic_load_explicit(address, memory_order_relaxed)
#define shared_store(address, value) atomic_store_explicit(address, value, memory_order_relaxed)

#endif

/** Of a function that both use; inlined, as the verifier wants to see where each pointer comes from. */
#define STW_SHARED_INLINE static inline __attribute__((always_inline))

#endif
