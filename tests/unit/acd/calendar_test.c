/* SPDX-License-Identifier: BSD-3-Clause */
#include "house.h"

#include "acd/hours.h"

#define HOUR 3600
#define DAY  86400

/* 2024-07-01, a Monday, 00:00 in Berlin, in Unix time. */
#define MONDAY INT64_C(1719784800)

static void
calendars_open(void)
{
	struct stw_acd_config config = STW_ACD_CONFIG_INIT;

	config.agents_max = 4;
	config.queues_max = 4;
	config.contacts_max = 20;
	config.tenants_max = 2;
	config.calendars_max = 3;
	house_open_with(&config);
	/* The house opens at midnight, its clock at 1 s. */
	cr_assert_eq(stw_acd_clock_set(house, (MONDAY - 1) * (int64_t)SECOND), 0);
}

/* Called in the middle of an advance, once: another thread sets the clock just then. */
static int64_t clock_meanwhile;

int64_t __real_hours_change(const struct hours *hours, int64_t unix_s);
int64_t __wrap_hours_change(const struct hours *hours, int64_t unix_s);

int64_t
__wrap_hours_change(const struct hours *hours, int64_t unix_s)
{
	int64_t change_s = __real_hours_change(hours, unix_s);

	if (clock_meanwhile)
		cr_assert_eq(stw_acd_clock_set(house, clock_meanwhile), 0);
	clock_meanwhile = 0;
	return change_s;
}

TestSuite(calendar, .init = calendars_open, .fini = house_close);

static const struct stw_opening office[] = {{1, 9 * HOUR, 17 * HOUR}, {2, 9 * HOUR, 17 * HOUR}};

static struct stw_calendar_config
office_hours(const char *name)
{
	struct stw_calendar_config config = STW_CALENDAR_CONFIG_INIT;

	config.name = name;
	config.zone = "Europe/Berlin";
	config.openings = office;
	config.openings_count = 2;
	return config;
}

static struct stw_calendar
calendar_with(struct stw_calendar_config config)
{
	struct stw_calendar calendar = {0};

	cr_assert_eq(stw_calendar_define(house, &config, &calendar), 0);
	cr_assert_neq(calendar.id, 0);
	stw_acd_check(house);
	return calendar;
}

static struct stw_queue
queue_by(struct stw_calendar calendar)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;

	config.calendar = calendar;
	return queue_with(config, "sales", NULL);
}

/* Set the time by the office's clock. */
static void
at(int64_t day, int64_t s)
{
	now = (uint64_t)(day * DAY + s + 1) * SECOND;
}

static uint64_t
next_after_advance(void)
{
	uint64_t next_ns = 0;

	cr_assert_geq(stw_acd_advance(house, now, 100, &next_ns), 0);
	stw_acd_check(house);
	return next_ns;
}

Test(calendar, queue_opens_and_closes_at_the_very_nanosecond)
{
	struct stw_queue queue = queue_by(calendar_with(office_hours("office")));
	struct stw_queue_stats stats;

	for (int advancing = 0; advancing <= 1; advancing++) {
		const int64_t edges[] = {9 * HOUR, 17 * HOUR};

		for (int i = 0; i < 2; i++) {
			at(advancing, edges[i]);
			now--;
			if (advancing)
				cr_assert_eq(next_after_advance(), now + 1);
			cr_assert_eq(enqueue_error(queue), i ? 0 : -ESHUTDOWN);
			cr_assert_eq(stw_queue_door(house, queue, now), i ? 0 : STW_QUEUE_SHUT);
			now++;
			if (advancing)
				cr_assert_gt(next_after_advance(), now);
			cr_assert_eq(enqueue_error(queue), i ? -ESHUTDOWN : 0);
			cr_assert_eq(stw_queue_door(house, queue, now), i ? STW_QUEUE_SHUT : 0);
		}
	}
	cr_assert_eq(stw_queue_stats(house, queue, &stats), 0);
	cr_assert_eq(stats.offered, 8);
	cr_assert_eq(stats.refused, 4);
	cr_assert_eq(stats.waiting, 4);
}

Test(calendar, queue_opens_and_closes_though_nobody_advances_time)
{
	struct stw_queue queue = queue_by(calendar_with(office_hours("office")));

	at(0, 10 * HOUR);
	next_after_advance();
	cr_assert_eq(enqueue_error(queue), 0);
	at(0, 17 * HOUR);
	cr_assert_eq(enqueue_error(queue), -ESHUTDOWN);
	next_after_advance();
	at(1, 9 * HOUR);
	cr_assert_eq(enqueue_error(queue), 0);
}

Test(calendar, who_waits_when_it_closes_is_served)
{
	struct stw_queue queue = queue_by(calendar_with(office_hours("office")));
	struct stw_contact contact;

	at(0, 16 * HOUR);
	contact = enqueue(queue);
	at(0, 18 * HOUR);
	next_after_advance();
	ready_agent("ann", NULL);
	accept_next();
	end(contact);
}

Test(calendar, advance_tells_the_next_change)
{
	struct stw_calendar_status status;
	struct stw_calendar calendar = calendar_with(office_hours("office"));

	cr_assert_eq(next_after_advance(), (9 * HOUR + 1) * SECOND);
	at(0, 10 * HOUR);
	cr_assert_eq(next_after_advance(), (17 * HOUR + 1) * SECOND);
	at(1, 18 * HOUR);
	cr_assert_eq(next_after_advance(), (7 * DAY + 9 * HOUR + 1) * SECOND);
	cr_assert_eq(stw_calendar_status(house, calendar, now, &status), 0);
	cr_assert_eq(status.open, 0);
	cr_assert_eq(status.change_ns, (7 * DAY + 9 * HOUR + 1) * SECOND);
	cr_assert_eq(stw_calendar_status(house, calendar, (10 * HOUR + 1) * SECOND, &status), 0);
	cr_assert_eq(status.open, 1);
	cr_assert_eq(status.change_ns, (17 * HOUR + 1) * SECOND);
	cr_assert_eq(stw_calendar_remove(house, calendar), 0);
	cr_assert_eq(next_after_advance(), UINT64_MAX);
}

Test(calendar, calendar_without_hours_is_never_open)
{
	struct stw_calendar_config config = STW_CALENDAR_CONFIG_INIT;
	struct stw_calendar_status status;
	struct stw_calendar calendar;

	config.name = "never";
	calendar = calendar_with(config);
	cr_assert_eq(stw_calendar_status(house, calendar, now, &status), 0);
	cr_assert_eq(status.open, 0);
	cr_assert_eq(status.change_ns, UINT64_MAX);
	next_after_advance();
	cr_assert_eq(enqueue_error(queue_by(calendar)), -ESHUTDOWN);
	cr_assert_eq(stw_calendar_status(house, (struct stw_calendar){0}, now, &status), 0);
	cr_assert_eq(status.open, 1);
	cr_assert_eq(status.change_ns, UINT64_MAX);
}

Test(calendar, new_hours_hold_at_once)
{
	static const struct stw_opening evening = {1, 18 * HOUR, 20 * HOUR};
	static const struct stw_holiday holiday = {2024, 7, 1, 0, 0};
	struct stw_calendar_config config = office_hours("office");
	struct stw_calendar calendar = calendar_with(config);
	struct stw_queue queue = queue_by(calendar);

	at(0, 19 * HOUR);
	next_after_advance();
	cr_assert_eq(enqueue_error(queue), -ESHUTDOWN);
	config.openings = &evening;
	config.openings_count = 1;
	config.name = NULL;
	cr_assert_eq(stw_calendar_update(house, calendar, &config), 0);
	stw_acd_check(house);
	cr_assert_eq(enqueue_error(queue), 0);
	cr_assert_eq(next_after_advance(), (20 * HOUR + 1) * SECOND);
	cr_assert_eq(enqueue_error(queue), 0);
	config.holidays = &holiday;
	config.holidays_count = 1;
	cr_assert_eq(stw_calendar_update(house, calendar, &config), 0);
	cr_assert_eq(enqueue_error(queue), -ESHUTDOWN);
	next_after_advance();
	cr_assert_eq(enqueue_error(queue), -ESHUTDOWN);
}

Test(calendar, new_time_of_day_holds_at_once)
{
	struct stw_queue queue = queue_by(calendar_with(office_hours("office")));

	at(0, 10 * HOUR);
	next_after_advance();
	cr_assert_eq(enqueue_error(queue), 0);
	/* It is eleven hours later. */
	cr_assert_eq(stw_acd_clock_set(house, (MONDAY - 1 + 11 * HOUR) * (int64_t)SECOND), 0);
	cr_assert_eq(enqueue_error(queue), -ESHUTDOWN);
	cr_assert_eq(next_after_advance(), (DAY - 2 * HOUR + 1) * SECOND);
	cr_assert_eq(stw_acd_clock_set(house, (MONDAY - 1) * (int64_t)SECOND), 0);
	cr_assert_eq(enqueue_error(queue), 0);
	cr_assert_eq(stw_acd_clock_set(house, INT64_C(1) << 62), -EINVAL);
	cr_assert_eq(stw_acd_clock_set(house, -(INT64_C(1) << 62)), -EINVAL);
	cr_assert_eq(enqueue_error(queue), 0);
	cr_assert_eq(stw_acd_clock_set(house, (INT64_C(1) << 62) - 1), 0);
	now = UINT64_C(1) << 62;
	next_after_advance();
	enqueue_error(queue);
	cr_assert_eq(stw_acd_clock_set(house, 1 - (INT64_C(1) << 62)), 0);
	now = 1;
	next_after_advance();
	enqueue_error(queue);
}

Test(calendar, note_of_the_time_before_the_clock_was_set_is_not_written)
{
	struct stw_queue queue = queue_by(calendar_with(office_hours("office")));

	for (int noted = 0; noted <= 1; noted++) {
		at(noted, noted ? 17 * HOUR : 10 * HOUR);
		clock_meanwhile = (MONDAY - 1 + (noted ? -7 : 11) * HOUR) * (int64_t)SECOND;
		next_after_advance();
		cr_assert_eq(enqueue_error(queue), noted ? 0 : -ESHUTDOWN);
		cr_assert_eq(stw_acd_clock_set(house, (MONDAY - 1) * (int64_t)SECOND), 0);
	}
}

Test(calendar, host_clock_is_unix_time_until_told_otherwise)
{
	struct stw_acd_config config = STW_ACD_CONFIG_INIT;
	struct stw_calendar_status status;
	struct stw_calendar calendar;

	house_close();
	config.calendars_max = 1;
	house_open_with(&config);
	calendar = calendar_with(office_hours("office"));
	cr_assert_eq(stw_calendar_status(house, calendar, (MONDAY + 9 * HOUR) * SECOND, &status),
		     0);
	cr_assert_eq(status.open, 1);
	cr_assert_eq(
		stw_calendar_status(house, calendar, (MONDAY + 9 * HOUR) * SECOND - 1, &status), 0);
	cr_assert_eq(status.open, 0);
}

/* A queue for anybody's agents by day, and by a second step, at once, by this calendar. */
static struct stw_queue
queue_of_steps(struct stw_calendar calendar)
{
	struct stw_skill_level levels[2] = {{skill_of("day"), 50}, {skill_of("night"), 50}};
	struct stw_step_config steps[2] = {{.terms = &levels[0], .terms_count = 1},
					   {.terms = &levels[1], .terms_count = 1}};
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_queue queue = {0};

	steps[1].calendar = calendar;
	config.name = "steps";
	config.steps = steps;
	config.steps_count = 2;
	cr_assert_eq(stw_queue_define(house, &config, &queue), 0);
	return queue;
}

Test(calendar, step_that_opens_gives_its_agents_to_who_waits)
{
	struct stw_queue queue = queue_of_steps(calendar_with(office_hours("office")));
	struct stw_agent agent = ready_agent("ann", "night");
	struct stw_contact first, second;

	at(0, 8 * HOUR);
	next_after_advance();
	first = enqueue(queue);
	cr_assert_eq(agent_id_of(first), 0);
	at(0, 9 * HOUR);
	next_after_advance();
	cr_assert_eq(agent_id_of(first), agent.id);
	accept_next();
	at(0, 17 * HOUR);
	next_after_advance();
	second = enqueue(queue);
	end(first);
	cr_assert_eq(state_of(agent), STW_AGENT_READY);
	cr_assert_eq(agent_id_of(second), 0);
	at(1, 9 * HOUR);
	next_after_advance();
	cr_assert_eq(agent_id_of(second), agent.id);
}

Test(calendar, step_asks_its_agents_while_it_is_open_only)
{
	struct stw_calendar calendar = calendar_with(office_hours("office"));
	struct stw_queue queue = queue_of_steps(calendar);
	struct stw_agent night = ready_agent("ann", "night"), day;

	cr_assert_eq(stw_calendar_remove(house, calendar), -EBUSY);
	at(0, 10 * HOUR);
	next_after_advance();
	cr_assert_eq(agent_id_of(enqueue(queue)), night.id);
	accept_next();
	end(await(STW_EVENT_CONNECTED).contact);
	at(0, 18 * HOUR);
	next_after_advance();
	day = ready_agent("bob", "day");
	cr_assert_eq(agent_id_of(enqueue(queue)), day.id);
	cr_assert_eq(agent_id_of(enqueue(queue)), 0);
	cr_assert_eq(state_of(night), STW_AGENT_READY);
}

Test(calendar, calendar_of_a_queue_can_be_changed_and_then_removed)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_calendar calendar = calendar_with(office_hours("office"));
	struct stw_calendar other = calendar_with(office_hours("other"));
	struct stw_queue queue = queue_by(calendar);

	cr_assert_eq(stw_calendar_remove(house, calendar), -EBUSY);
	config.calendar = other;
	cr_assert_eq(stw_queue_update(house, queue, &config, now), 0);
	stw_acd_check(house);
	cr_assert_eq(stw_calendar_remove(house, other), -EBUSY);
	cr_assert_eq(stw_calendar_remove(house, calendar), 0);
	stw_acd_check(house);
	cr_assert_eq(stw_calendar_remove(house, calendar), -ESTALE);
	config.calendar = calendar;
	cr_assert_eq(stw_queue_update(house, queue, &config, now), -ESTALE);
	config.calendar.id = 0;
	cr_assert_eq(stw_queue_update(house, queue, &config, now), 0);
	cr_assert_eq(enqueue_error(queue), 0);
	cr_assert_eq(stw_calendar_remove(house, other), 0);
}

Test(calendar, removed_queue_lets_its_calendar_go)
{
	struct stw_calendar calendar = calendar_with(office_hours("office"));

	cr_assert_eq(stw_queue_remove(house, queue_by(calendar)), 0);
	cr_assert_eq(stw_calendar_remove(house, calendar), 0);
	stw_acd_check(house);
}

Test(calendar, tenants_have_calendars_of_their_own)
{
	struct stw_tenant_config tenant_config = STW_TENANT_CONFIG_INIT;
	struct stw_calendar_config config = office_hours("office");
	struct stw_queue_config queue_config = STW_QUEUE_CONFIG_INIT;
	struct stw_calendar theirs, ours = calendar_with(config), found;
	struct stw_tenant tenant;
	struct stw_queue queue;

	tenant_config.name = "red";
	cr_assert_eq(stw_tenant_define(house, &tenant_config, &tenant), 0);
	config.tenant = tenant;
	theirs = calendar_with(config);
	cr_assert_eq(stw_calendar_find(house, tenant, "office", &found), 0);
	cr_assert_eq(found.id, theirs.id);
	cr_assert_eq(stw_calendar_find(house, STW_TENANT_DEFAULT, "office", &found), 0);
	cr_assert_eq(found.id, ours.id);
	cr_assert_eq(stw_calendar_find(house, tenant, "other", &found), -ENOENT);
	queue_config.name = "q";
	queue_config.calendar = theirs;
	cr_assert_eq(stw_queue_define(house, &queue_config, &queue), -ESTALE);
	cr_assert_eq(stw_calendar_update(house, ours, &config), -EINVAL);
	cr_assert_eq(stw_tenant_remove(house, tenant), -EBUSY);
	cr_assert_eq(stw_calendar_remove(house, theirs), 0);
	cr_assert_eq(stw_tenant_remove(house, tenant), 0);
	cr_assert_eq(stw_calendar_define(house, &config, &found), -ESTALE);
	cr_assert_eq(stw_calendar_find(house, tenant, "office", &found), -ESTALE);
}

Test(calendar, bad_definitions_are_refused)
{
	struct stw_calendar_config config = office_hours("office");
	struct stw_calendar_status status;
	struct stw_calendar calendar = {9}, good;

	config.struct_size = 0;
	cr_assert_eq(stw_calendar_define(house, &config, &calendar), -EINVAL);
	config = office_hours("");
	cr_assert_eq(stw_calendar_define(house, &config, &calendar), -EINVAL);
	config = office_hours("office");
	config.openings = NULL;
	cr_assert_eq(stw_calendar_define(house, &config, &calendar), -EINVAL);
	config = office_hours("office");
	config.zone = "../UTC";
	cr_assert_eq(stw_calendar_define(house, &config, &calendar), -EINVAL);
	config.zone = "Europe/Atlantis";
	cr_assert_eq(stw_calendar_define(house, &config, &calendar), -ENOENT);
	config.zone = "zone.tab";
	cr_assert_eq(stw_calendar_define(house, &config, &calendar), -EBADMSG);
	cr_assert_eq(calendar.id, 9);
	good = calendar_with(office_hours("office"));
	config = office_hours("office");
	cr_assert_eq(stw_calendar_define(house, &config, &calendar), -EEXIST);
	cr_assert_eq(stw_calendar_update(house, calendar, &config), -ESTALE);
	config.zone = "Europe/Atlantis";
	cr_assert_eq(stw_calendar_update(house, good, &config), -ENOENT);
	config = office_hours("another");
	cr_assert_eq(stw_calendar_update(house, good, &config), -EINVAL);
	calendar_with(office_hours("two"));
	calendar_with(office_hours("three"));
	config = office_hours("four");
	cr_assert_eq(stw_calendar_define(house, &config, &calendar), -ENOSPC);
	cr_assert_eq(stw_calendar_status(house, good, (UINT64_C(1) << 62) + 1, &status), -EINVAL);
	cr_assert_eq(stw_calendar_status(house, (struct stw_calendar){3}, now, &status), -ESTALE);
	cr_assert_eq(stw_calendar_status(house, (struct stw_calendar){1}, now, &status), -ESTALE);
	cr_assert_eq(stw_calendar_remove(house, (struct stw_calendar){0}), -ESTALE);
}
