/* SPDX-License-Identifier: BSD-3-Clause */
/* Who hears whom in a mix, for all roles and sides of three. */
#include <criterion/criterion.h>

#include "media/mix/roles.h"

#define CHOICES (STW_MIX_ROLE_COUNT * STW_SIDE_COUNT)

/* What the header of mixing says, in its words. */
static int
hears(const struct mix_seat *listener, const struct mix_seat *speaker)
{
	if (listener == speaker || listener->role == STW_MIX_HELD)
		return 0;
	if (speaker->role == STW_MIX_PARTY || speaker->role == STW_MIX_BARGE)
		return 1;
	if (speaker->role != STW_MIX_WHISPERER)
		return 0;
	if (speaker->to)
		return speaker->to == listener->leg;
	return listener->role == STW_MIX_PARTY && listener->side == STW_SIDE_AGENT;
}

Test(mix_roles, who_hears_whom_is_what_the_header_says)
{
	struct mix_seat seats[MIX_PLACES] = {0};
	const unsigned places[3] = {0, 3, 7};

	for (unsigned all = 0; all < CHOICES * CHOICES * CHOICES * 2; all++) {
		unsigned rest = all / 2;
		uint64_t matrix, wanted = 0;

		for (unsigned n = 0; n < 3; n++) {
			seats[places[n]] = (struct mix_seat){
				.leg = 100 + n,
				.role = rest % STW_MIX_ROLE_COUNT,
				.side = rest / STW_MIX_ROLE_COUNT % STW_SIDE_COUNT,
				.to = all % 2 && rest % STW_MIX_ROLE_COUNT == STW_MIX_WHISPERER
					      ? 100 + (n + 1) % 3
					      : 0,
			};
			rest /= CHOICES;
		}
		matrix = roles_matrix(seats);
		for (unsigned n = 0; n < 9; n++)
			wanted |= (uint64_t)hears(&seats[places[n / 3]], &seats[places[n % 3]])
				  << (8 * places[n / 3] + places[n % 3]);
		cr_assert_eq(matrix, wanted, "choice %u: %lx, wanted %lx", all, matrix, wanted);
	}
}

Test(mix_roles, an_empty_place_hears_nobody_and_is_heard_by_nobody)
{
	struct mix_seat seats[MIX_PLACES] = {{.leg = 5}};

	cr_assert_eq(roles_matrix(seats), 0);
	seats[6].leg = 6;
	cr_assert_eq(roles_matrix(seats), UINT64_C(1) << 6 | UINT64_C(1) << 48);
}
