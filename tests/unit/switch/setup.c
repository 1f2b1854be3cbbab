/* SPDX-License-Identifier: BSD-3-Clause */
#include "sip.h"

/* Each test is a process that ends as every process with sofia and liburcu does, see sip_prepare. */
__attribute__((constructor)) static void
prepare(void)
{
	sip_prepare();
}
