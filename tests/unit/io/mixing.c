/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A session in a mix.
 */
#include "mixing.h"

#include <criterion/criterion.h>

#include "wire_suite.h"

struct wire wire;
struct parties parties;
struct stw_mix mix;

void
mixing_open(void)
{
	struct stw_media_config config;

	wire_eal_start();
	config = wire_config();
	config.mixes_max = 3;
	config.mix_legs_max = 9;
	wire_open(&wire, &config);
	parties_open(&parties, &wire, 4);
}

void
mixing_close(void)
{
	wire_drop_sent(&wire);
	wire_end(&wire);
}

struct stw_mix_leg_config
mixing_leg(unsigned n, enum stw_mix_role role)
{
	struct stw_mix_leg_config config = STW_MIX_LEG_CONFIG_INIT;

	config.leg = parties.talkers[n].leg;
	config.role = role;
	return config;
}

/* A mix of the first `count` parties in these roles. */
int
mixing_make(unsigned count, const enum stw_mix_role *roles)
{
	struct stw_mix_leg_config legs[PARTIES_MAX];
	struct stw_mix_config config = STW_MIX_CONFIG_INIT;

	for (unsigned n = 0; n < count; n++)
		legs[n] = mixing_leg(n, roles[n]);
	config.legs = legs;
	config.legs_count = count;
	return stw_mix_add(wire.media, parties.session, &config, wire.now_ns, &mix);
}

int
mixing_role(unsigned n, enum stw_mix_role role)
{
	struct stw_mix_leg_config config = mixing_leg(n, role);

	return stw_mix_leg(wire.media, mix, &config);
}

/* Who hears whom after the change has come through. */
void
mixing_expect(unsigned caller, unsigned agent, unsigned third, unsigned fourth)
{
	parties_talk(&parties, 16);
	cr_assert_eq(parties_heard(&parties, CALLER), caller, "the caller hears %x",
		     parties_heard(&parties, CALLER));
	cr_assert_eq(parties_heard(&parties, AGENT), agent, "the agent hears %x",
		     parties_heard(&parties, AGENT));
	cr_assert_eq(parties_heard(&parties, THIRD), third, "the third hears %x",
		     parties_heard(&parties, THIRD));
	cr_assert_eq(parties_heard(&parties, FOURTH), fourth, "the fourth hears %x",
		     parties_heard(&parties, FOURTH));
}

struct stw_mix_stats
mixing_stats(void)
{
	struct stw_mix_stats stats;

	cr_assert_eq(stw_mix_stats(wire.media, mix, &stats), 0);
	return stats;
}
