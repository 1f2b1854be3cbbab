/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How good a call sounds, estimated from what the network does to it: the E-model of ITU-T G.107, its
 * parameters but delay and loss at their defaults (a quiet room, a handset, no echo canceller's faults).
 */
#ifndef STW_RTP_MOS_H
#define STW_RTP_MOS_H

#include <stdbool.h>
#include <stdint.h>

/** What the network does to G.711. */
struct rtp_path {
	double delay_ms;   /**< one way, mouth to ear, 0 or more */
	double loss;       /**< share of packets lost or come too late, 0 to 1 */
	double burstiness; /**< BurstR: mean length of gaps over that of random loss; 1: random */
	bool concealed;    /**< lost packets are concealed (G.711 appendix I), as phones do */
};

/**
 * Transmission rating R.
 *
 * @return 0 to 93.2
 *
 * Threads: any. Progress: wait-free (bound 1). Order: none needed.
 * Source:  ITU-T G.107 (06/2015) 7; G.113 appendix I (G.711: Ie 0, Bpl 4.3, with concealment 25.1).
 */
double rtp_rating(const struct rtp_path *path);

/**
 * Mean opinion score of a rating.
 *
 * @return 1.0 to 4.5
 *
 * Threads: any. Progress: wait-free (bound 1). Order: none needed.
 * Source:  ITU-T G.107 (06/2015) annex B.
 */
double rtp_mos(double rating);

/**
 * Burstiness of loss: mean length of its gaps over the mean if packets were lost independently.
 *
 * @param expected  packets expected
 * @param missing   of those never came
 * @param gaps      in how many gaps
 * @return 1 to 10; 1 when there is nothing to tell from
 *
 * Threads: any. Progress: wait-free (bound 1). Order: none needed.
 * Source:  ITU-T G.107 (06/2015) 7.5 (definition of BurstR).
 */
double rtp_burstiness(uint64_t expected, uint64_t missing, uint64_t gaps);

#endif
