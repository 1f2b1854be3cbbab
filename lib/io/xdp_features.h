/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a driver can do for XDP, as the kernel says it.
 */
#ifndef STW_IO_XDP_FEATURES_H
#define STW_IO_XDP_FEATURES_H

/**
 * Whether a device sends what a program redirects to it. A veth does only while its other end has a program of its
 * own or generic receive offload ("ethtool -K INTERFACE gro on" there); otherwise it drops and counts nothing.
 *
 * @param ifindex  in the caller's network namespace
 * @return 1, 0
 * @return -ENOTSUP  the kernel does not say (before 6.3)
 *
 * Threads:  any.
 * Progress: blocking (waits for the kernel, 200 ms at most).
 * Order:    none.
 * Source:   Linux, the generic netlink family "netdev" (Documentation/netlink/specs/netdev.yaml).
 */
int xdp_sends_redirected(int ifindex);

#endif
