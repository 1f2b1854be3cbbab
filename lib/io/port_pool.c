/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packet buffers of a port.
 *
 * net_af_xdp gives the pool's memory to the kernel as it is, one chunk for each buffer at equal
 * distances from the first on. So the pool must be one piece of memory without gaps. DPDK leaves a
 * gap before the end of each page when a buffer would not fit, lest it lie on two pages that are far
 * from each other for a device; without huge pages that is nearly half of the memory. A pool flag
 * says that it need not, and where devices use virtual addresses that holds for every port.
 *
 * The kernel keeps XDP_PACKET_HEADROOM before each packet, beside DPDK's headroom.
 *
 * A worker's pool is its own, but on net_ring, net_memif and the like who takes what was sent frees it on
 * another thread. DPDK's default pool is a ring whose users wait for one that was stopped in it; the
 * lock-free stack has no such wait. The worker itself nearly always finds buffers in its cache.
 */
#include "port_device.h"

#include <errno.h>
#include <linux/bpf.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>

#include "base/base.h"

#define CACHED_PACKETS 256

#define LOCK_FREE_OPS "lf_stack"

static unsigned int
pool_flags(bool xdp)
{
	return xdp || rte_eal_iova_mode() == RTE_IOVA_VA ? RTE_MEMPOOL_F_NO_IOVA_CONTIG : 0;
}

/* Where DPDK's stack driver is not there the default does, and it's told. */
static int
set_ops(struct rte_mempool *pool)
{
	if (rte_mempool_set_ops_byname(pool, LOCK_FREE_OPS, NULL) == 0)
		return 0;
	stw_log(STW_LOG_WARN, "POOL-NOT-LOCK-FREE pool=%s wanted=" LOCK_FREE_OPS, pool->name);
	return rte_mempool_set_ops_byname(pool, rte_mbuf_best_mempool_ops(), NULL);
}

int
port_pool_make(struct rte_mempool **out, const char *name, uint32_t packets, bool xdp)
{
	struct rte_pktmbuf_pool_private layout = {0};
	struct rte_mempool *pool;

	layout.mbuf_data_room_size = RTE_MBUF_DEFAULT_BUF_SIZE + (xdp ? XDP_PACKET_HEADROOM : 0);
	pool = rte_mempool_create_empty(
		name, packets, sizeof(struct rte_mbuf) + layout.mbuf_data_room_size, CACHED_PACKETS,
		sizeof(layout), (int)rte_socket_id(), pool_flags(xdp));
	if (!pool) {
		stw_log(STW_LOG_ERROR, "POOL-NO-MEMORY pool=%s packets=%u errno=%d", name, packets,
			rte_errno);
		return -ENOMEM;
	}
	if (set_ops(pool) != 0)
		goto fail;
	rte_pktmbuf_pool_init(pool, &layout);
	if (rte_mempool_populate_default(pool) < 0)
		goto fail;
	if (xdp && pool->nb_mem_chunks != 1)
		goto fail;
	rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
	*out = pool;
	return 0;
fail:
	stw_log(STW_LOG_ERROR, "POOL-NO-MEMORY pool=%s packets=%u pieces=%u", name, packets,
		pool->nb_mem_chunks);
	rte_mempool_free(pool);
	return -ENOMEM;
}
