/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses as text.
 */
#include <strowger/address.h>

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/base.h"

static_assert(STW_ADDRESS_TEXT_BYTES >= INET6_ADDRSTRLEN, "any address fits");

int
stw_ip_parse(const char *text, struct stw_ip *ip)
{
	struct stw_ip read = {0};

	if (inet_pton(AF_INET, text, read.bytes) == 1)
		read.family = 4;
	else if (inet_pton(AF_INET6, text, read.bytes) == 1)
		read.family = 6;
	else
		return -EINVAL;
	*ip = read;
	return 0;
}

const char *
stw_ip_text(const struct stw_ip *ip, char text[STW_ADDRESS_TEXT_BYTES])
{
	int family = ip->family == 6 ? AF_INET6 : AF_INET;

	if ((ip->family != 4 && ip->family != 6) ||
	    !inet_ntop(family, ip->bytes, text, STW_ADDRESS_TEXT_BYTES))
		memcpy(text, "-", 2);
	return text;
}
