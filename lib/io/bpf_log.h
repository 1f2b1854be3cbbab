/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Directs what libbpf and libxdp say while BPF objects are loaded to the host's log, and keeps the
 * verifier's words of a refused program. Both libraries have one printer in a process: it is put
 * back afterwards.
 */
#ifndef STW_IO_BPF_LOG_H
#define STW_IO_BPF_LOG_H

#include <bpf/libbpf.h>
#include <xdp/libxdp.h>

/** Between bpf_log_begin and bpf_log_end. */
struct bpf_log {
	struct bpf_object_open_opts options; /**< open the object with these */
	char *verifier;                      /**< what the verifier says; NULL without memory */
	libbpf_print_fn_t bpf_printer;
	libxdp_print_fn_t xdp_printer;
};

/** Take the printers. Control thread; never nested. */
void bpf_log_begin(struct bpf_log *log);

/** Give the printers back and log why `what` failed: the verifier's last lines. 0: it did not. */
void bpf_log_end(struct bpf_log *log, const char *what, int error);

#endif
