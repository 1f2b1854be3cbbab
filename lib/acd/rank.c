/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rank: a virtual deadline. The smallest of all waiting contacts is served first.
 *
 * Enqueue times are 1 to 2^62, targets -2^61 to 2^61, credits to 2^61, so ordinary ranks lie from
 * 1 - 2^62 to 2^62 + 2^61. The red channel takes the enqueue time down by 2^63: -2^63 + 1 to -2^62,
 * below every ordinary rank, among themselves by arrival.
 *
 * Source: L. Kleinrock, "A delay dependent queue discipline", Naval Research Logistics Quarterly 11,
 * 1964, for priorities that grow with waiting; here each class has the same slope and a head start.
 */
#include "engine.h"

int64_t
acd_rank(uint64_t enqueue_ns, int64_t target_ns, uint64_t credit_ns)
{
	if (credit_ns == UINT64_MAX)
		return INT64_MIN + (int64_t)enqueue_ns;
	return (int64_t)enqueue_ns + target_ns - (int64_t)credit_ns;
}
