/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pictures of the day, drawn by gnuplot from day.csv, so that anybody can draw them anew.
 */
#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

struct picture {
	const char *name;
	const char *title;
	const char *unit;
	const char *curves; /* of gnuplot's plot command */
};

#define STEPS(column, title)                                                                       \
	"'day.csv' using 'middle_h':'" column "' with histeps lw 2 title '" title "'"

static const struct picture pictures[] = {
	{"arrivals.png", "Contacts by interval", "contacts",
	 STEPS("offered", "offered") ", " STEPS("answered", "answered") ", " STEPS("abandoned",
										   "gave up")},
	{"waiting.png", "Contacts waiting, mean of the interval", "contacts",
	 STEPS("waiting_mean", "waiting")},
	{"occupancy.png", "Agents", "agents",
	 STEPS("agents_mean", "at work") ", " STEPS(
		 "talking_mean",
		 "talking") ", 'day.csv' using "
			    "'middle_h':'occupancy' axes x1y2 with histeps lw 2 title 'occupancy'"},
	{"service_level.png", "Service level", "share of the contacts offered",
	 STEPS("service_level", "in time") ", " STEPS("abandonment", "gave up")},
};

static void
draw(FILE *gnuplot, const struct picture *picture)
{
	fprintf(gnuplot,
		"reset\n"
		"set terminal pngcairo size 1000,500 noenhanced font 'sans,11'\n"
		"set output '%s'\n"
		"set datafile separator ','\n"
		"set title '%s'\n"
		"set xlabel 'hour of the day'\n"
		"set ylabel '%s'\n"
		"set yrange [0:*]\n"
		"set grid\n"
		"set key outside top right\n",
		picture->name, picture->title, picture->unit);
	if (strstr(picture->curves, "x1y2"))
		fprintf(gnuplot, "set y2range [0:1]\nset y2tics\nset y2label 'occupancy'\n");
	fprintf(gnuplot, "plot %s\nset output\n", picture->curves);
}

int
report_plot(const struct report *report, const char *directory)
{
	FILE *gnuplot = popen("gnuplot", "w");
	int status;

	if (!gnuplot)
		return -errno;
	fprintf(gnuplot, "cd '");
	for (const char *at = directory; *at; at++)
		fprintf(gnuplot, *at == '\'' ? "''" : "%c", *at);
	fprintf(gnuplot, "'\n");
	for (unsigned i = 0; i < sizeof(pictures) / sizeof(pictures[0]); i++)
		draw(gnuplot, &pictures[i]);
	status = pclose(gnuplot);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ENOEXEC;
}
