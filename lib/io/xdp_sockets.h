/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The AF_XDP sockets behind net_af_xdp's queues. The driver shows them to nobody, and 22.11's closes
 * a queue without closing its socket (it counts the memory's users one too far), so that the queue
 * stays taken until the process ends. Here the socket of a queue is found when the queue is set up,
 * read for its numbers, and closed after the driver.
 */
#ifndef STW_IO_XDP_SOCKETS_H
#define STW_IO_XDP_SOCKETS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** Most AF_XDP sockets of a process that are told apart. */
#define XDP_SOCKETS_MAX 128

/** An open AF_XDP socket. */
struct xdp_socket {
	int fd;      /**< descriptor; -1: none */
	ino_t inode; /**< tells a later socket on the same descriptor from this */
};

/** All AF_XDP sockets of the process at one instant. */
struct xdp_sockets {
	size_t count;
	struct xdp_socket socket[XDP_SOCKETS_MAX];
};

/**
 * List the process's sockets of a domain, AF_XDP or AF_PACKET, by descriptor. Control thread; blocking
 * (waits for the kernel).
 */
void xdp_sockets_list(struct xdp_sockets *sockets, int domain);

/** Those that were opened after `before` was listed, by descriptor. Control thread; blocking. */
void xdp_sockets_list_new(struct xdp_sockets *opened, const struct xdp_sockets *before, int domain);

/** The socket that was opened after `before` was listed; fd -1 when there is none. */
struct xdp_socket xdp_sockets_new(const struct xdp_sockets *before);

/** Packets that the kernel dropped for want of room in the socket's rings. */
uint64_t xdp_socket_missed(const struct xdp_socket *socket);

/** Close a socket if it is still the same one. */
void xdp_socket_close(const struct xdp_socket *socket);

#endif
