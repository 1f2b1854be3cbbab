/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Four parties, some of them in a mix: the fixture of tests about mixing.
 */
#ifndef TEST_MIXING_H
#define TEST_MIXING_H

#include "parties.h"

enum { CALLER, AGENT, THIRD, FOURTH };

#define BIT(n) (1u << (n))

extern struct wire wire;
extern struct parties parties;
extern struct stw_mix mix;

/* Before and after each test. */
void mixing_open(void);
void mixing_close(void);

struct stw_mix_leg_config mixing_leg(unsigned n, enum stw_mix_role role);
/* A mix of the first `count` parties in these roles. */
int mixing_make(unsigned count, const enum stw_mix_role *roles);
int mixing_role(unsigned n, enum stw_mix_role role);
struct stw_mix_stats mixing_stats(void);
/* Who hears whom after 320 ms, when a change has come through. */
void mixing_expect(unsigned caller, unsigned agent, unsigned third, unsigned fourth);

#endif
