/* SPDX-License-Identifier: BSD-3-Clause */
#include "house.h"

TestSuite(requirement, .init = house_open, .fini = house_close);

static struct stw_attribute
attribute_of(const char *name)
{
	struct stw_attribute attribute = {0};

	if (stw_attribute_find(house, name, &attribute))
		cr_assert_eq(stw_attribute_define(house, name, &attribute), 0);
	return attribute;
}

static struct stw_queue
queue_asking(const char *name, const struct stw_term *terms, uint32_t count)
{
	struct stw_step_config step = {.requirement = terms, .requirement_count = count};
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_queue queue = {0};

	config.name = name;
	config.steps = &step;
	config.steps_count = 1;
	cr_assert_eq(stw_queue_define(house, &config, &queue), 0);
	return queue;
}

/* An agent, ready, with skill levels and at a site. */
static struct stw_agent
agent_at(const char *name, uint8_t level_a, uint8_t level_b, const char *site)
{
	struct stw_skill_level levels[2];
	struct stw_attribute_value value = {attribute_of("site"), site};
	struct stw_agent_config config = STW_AGENT_CONFIG_INIT;
	struct stw_agent agent = {0};

	config.name = name;
	config.skills = levels;
	if (level_a)
		levels[config.skills_count++] = (struct stw_skill_level){skill_of("a"), level_a};
	if (level_b)
		levels[config.skills_count++] = (struct stw_skill_level){skill_of("b"), level_b};
	config.attributes = &value;
	config.attributes_count = site ? 1 : 0;
	cr_assert_eq(stw_agent_define(house, &config, &agent), 0);
	make_ready(agent);
	return agent;
}

/* Whether the only agent is offered a contact that asks for this. */
static bool
is_met(const struct stw_term *terms, uint32_t count)
{
	static unsigned queues;
	struct stw_contact contact;
	char name[16];
	bool met;

	snprintf(name, sizeof(name), "queue-%u", queues++);
	contact = enqueue(queue_asking(name, terms, count));
	met = agent_id_of(contact) != 0;
	cr_assert_eq(stw_contact_cancel(house, contact, now), 0);
	return met;
}

Test(requirement, skill_is_met_at_its_level_and_above)
{
	struct stw_term terms[1];

	agent_at("ann", 50, 0, NULL);
	terms[0] = stw_term_skill(skill_of("a"), 50);
	cr_assert(is_met(terms, 1));
	terms[0].level = 51;
	cr_assert_not(is_met(terms, 1));
	terms[0] = stw_term_skill(skill_of("b"), 1);
	cr_assert_not(is_met(terms, 1));
}

Test(requirement, attribute_is_compared_by_its_whole_text)
{
	struct stw_term terms[1];

	agent_at("ann", 1, 0, "berlin");
	terms[0] = stw_term_is(attribute_of("site"), "berlin");
	cr_assert(is_met(terms, 1));
	terms[0] = stw_term_is_not(attribute_of("site"), "berlin");
	cr_assert_not(is_met(terms, 1));
	terms[0] = stw_term_is(attribute_of("site"), "berlin-mitte");
	cr_assert_not(is_met(terms, 1));
	terms[0] = stw_term_is_not(attribute_of("site"), "berlin-mitte");
	cr_assert(is_met(terms, 1));
	terms[0] = stw_term_is(attribute_of("grade"), "");
	cr_assert_not(is_met(terms, 1), "an attribute that he has not is no empty one");
	terms[0] = stw_term_is_not(attribute_of("grade"), "senior");
	cr_assert(is_met(terms, 1));
}

Test(requirement, and_or_and_not_follow_their_truth_tables)
{
	agent_at("ann", 10, 0, NULL);
	for (unsigned x = 0; x <= 1; x++) {
		struct stw_term negated[2] = {stw_term_skill(skill_of("a"), x ? 10 : 11),
					      stw_term_not()};

		cr_assert_eq(is_met(negated, 2), !x);
		for (unsigned y = 0; y <= 1; y++) {
			struct stw_term terms[3] = {stw_term_skill(skill_of("a"), x ? 10 : 11),
						    stw_term_skill(skill_of("a"), y ? 10 : 11),
						    stw_term_and()};

			cr_assert_eq(is_met(terms, 3), x && y);
			terms[2] = stw_term_or();
			cr_assert_eq(is_met(terms, 3), x || y);
		}
	}
}

/* (a >= 5 AND NOT site == "home") OR (b >= 5 AND ...), on and on: operands in order, deep stacks. */
Test(requirement, expression_of_32_terms_is_evaluated_whole)
{
	struct stw_term terms[STW_REQUIREMENT_TERMS_MAX];
	uint32_t count = 0;

	agent_at("ann", 10, 0, "home");
	for (unsigned i = 0; i < 16; i++)
		terms[count++] = i == 9 ? stw_term_is_not(attribute_of("site"), "home")
					: stw_term_is(attribute_of("site"), "home");
	for (unsigned i = 0; i < 15; i++)
		terms[count++] = stw_term_and();
	cr_assert_not(is_met(terms, count), "one of sixteen does not hold");
	terms[count++] = stw_term_not();
	cr_assert_eq(count, STW_REQUIREMENT_TERMS_MAX);
	cr_assert(is_met(terms, count));
}

Test(requirement, and_the_simple_terms_and_the_pool_all_hold)
{
	struct stw_skill_level level = {skill_of("b"), 20};
	struct stw_term term = stw_term_is(attribute_of("site"), "berlin");
	struct stw_step_config step = {
		.terms = &level, .terms_count = 1, .requirement = &term, .requirement_count = 1};
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_agent_config change = STW_AGENT_CONFIG_INIT;
	struct stw_attribute_value value = {attribute_of("site"), "berlin"};
	struct stw_agent ann = agent_at("ann", 0, 20, "paris");
	struct stw_contact contact;
	struct stw_queue queue;

	cr_assert_eq(stw_pool_define(house, "north", &step.pool), 0);
	config.name = "sales";
	config.steps = &step;
	config.steps_count = 1;
	cr_assert_eq(stw_queue_define(house, &config, &queue), 0);
	contact = enqueue(queue);
	cr_assert_eq(agent_id_of(contact), 0);
	change.attributes = &value;
	change.attributes_count = 1;
	change.pool = step.pool;
	cr_assert_eq(stw_agent_update(house, ann, &change, now), 0);
	cr_assert_eq(agent_id_of(contact), 0, "the skill lacks");
	change.skills = &level;
	change.skills_count = 1;
	change.pool.id = 0;
	cr_assert_eq(stw_agent_update(house, ann, &change, now), 0);
	cr_assert_eq(agent_id_of(contact), 0, "the pool lacks");
	change.pool = step.pool;
	cr_assert_eq(stw_agent_update(house, ann, &change, now), 0);
	stw_acd_check(house);
	cr_assert_eq(agent_id_of(contact), ann.id);
}

Test(requirement, pools_overflow_from_one_to_the_next)
{
	struct stw_step_config steps[2] = {{.after_ns = 0}, {.after_ns = SECOND}};
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_agent_config agent = STW_AGENT_CONFIG_INIT;
	struct stw_agent here, partner;
	struct stw_contact contact;
	struct stw_queue queue;

	cr_assert_eq(stw_pool_define(house, "here", &steps[0].pool), 0);
	cr_assert_eq(stw_pool_define(house, "partner", &steps[1].pool), 0);
	config.name = "sales";
	config.steps = steps;
	config.steps_count = 2;
	cr_assert_eq(stw_queue_define(house, &config, &queue), 0);
	agent.pool = steps[0].pool;
	here = agent_with(agent, "here", NULL);
	agent.pool = steps[1].pool;
	partner = agent_with(agent, "partner", NULL);
	make_ready(partner);
	contact = enqueue(queue);
	cr_assert_eq(agent_id_of(contact), 0);
	now += SECOND;
	cr_assert_eq(stw_acd_advance(house, now, 10, NULL), 1);
	cr_assert_eq(agent_id_of(contact), partner.id);
	contact = enqueue(queue);
	make_ready(here);
	cr_assert_eq(agent_id_of(contact), here.id);
}

Test(requirement, malformed_expressions_are_refused)
{
	struct stw_term terms[STW_REQUIREMENT_TERMS_MAX + 1];
	struct stw_step_config step = {.requirement = terms};
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	char longer[STW_VALUE_BYTES_MAX + 2];
	struct stw_queue queue = {9};

	for (uint32_t i = 0; i <= STW_REQUIREMENT_TERMS_MAX; i++)
		terms[i] = i ? stw_term_not() : stw_term_skill(skill_of("a"), 1);
	config.name = "sales";
	config.steps = &step;
	config.steps_count = 1;
	step.requirement_count = STW_REQUIREMENT_TERMS_MAX + 1;
	cr_assert_eq(stw_queue_define(house, &config, &queue), -EINVAL, "too many");
	step.requirement_count = 2;
	step.requirement = NULL;
	cr_assert_eq(stw_queue_define(house, &config, &queue), -EINVAL);
	step.requirement = terms;
	terms[1] = terms[0];
	cr_assert_eq(stw_queue_define(house, &config, &queue), -EINVAL, "two results");
	terms[1] = stw_term_and();
	cr_assert_eq(stw_queue_define(house, &config, &queue), -EINVAL, "one operand for two");
	terms[1].kind = (enum stw_term_kind)77;
	cr_assert_eq(stw_queue_define(house, &config, &queue), -EINVAL);
	step.requirement_count = 1;
	terms[0].level = STW_SKILL_LEVEL_MAX + 1;
	cr_assert_eq(stw_queue_define(house, &config, &queue), -EINVAL);
	terms[0] = stw_term_skill((struct stw_skill){0}, 1);
	cr_assert_eq(stw_queue_define(house, &config, &queue), -ESTALE);
	terms[0] = stw_term_is((struct stw_attribute){0}, "x");
	cr_assert_eq(stw_queue_define(house, &config, &queue), -ESTALE);
	terms[0] = stw_term_is(attribute_of("site"), NULL);
	cr_assert_eq(stw_queue_define(house, &config, &queue), -EINVAL);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	terms[0].value = longer;
	cr_assert_eq(stw_queue_define(house, &config, &queue), -EINVAL);
	longer[sizeof(longer) - 2] = 0;
	step.pool.id = UINT64_C(1) << 32;
	cr_assert_eq(stw_queue_define(house, &config, &queue), -ESTALE, "no such pool");
	step.pool.id = 0;
	cr_assert_eq(queue.id, 9);
	cr_assert_eq(stw_queue_define(house, &config, &queue), 0);
}

Test(requirement, agents_with_wrong_attributes_are_refused)
{
	struct stw_attribute_value values[2] = {{attribute_of("site"), "berlin"},
						{attribute_of("site"), "paris"}};
	struct stw_agent_config config = STW_AGENT_CONFIG_INIT;
	struct stw_agent agent = {9};

	config.name = "ann";
	config.attributes = values;
	config.attributes_count = 2;
	cr_assert_eq(stw_agent_define(house, &config, &agent), -EINVAL, "one twice");
	values[1].attribute.id = 0;
	cr_assert_eq(stw_agent_define(house, &config, &agent), -ESTALE);
	config.attributes_count = 1;
	values[0].value = NULL;
	cr_assert_eq(stw_agent_define(house, &config, &agent), -EINVAL);
	values[0].value = "";
	config.pool.id = 7;
	cr_assert_eq(stw_agent_define(house, &config, &agent), -ESTALE);
	config.pool.id = 0;
	config.attributes_count = STW_AGENT_ATTRIBUTES_MAX + 1;
	cr_assert_eq(stw_agent_define(house, &config, &agent), -EINVAL);
	cr_assert_eq(agent.id, 9);
	config.attributes_count = 1;
	cr_assert_eq(stw_agent_define(house, &config, &agent), 0);
}

Test(requirement, names_of_attributes_and_pools_are_unique_and_found)
{
	struct stw_acd_config small = STW_ACD_CONFIG_INIT;
	struct stw_attribute attribute = {0}, found_attribute = {9};
	struct stw_pool pool = {0}, found_pool = {9};

	house_close();
	small.attributes_max = 1;
	small.pools_max = 1;
	house_open_with(&small);
	cr_assert_eq(stw_attribute_define(house, "", &attribute), -EINVAL);
	cr_assert_eq(stw_pool_define(house, NULL, &pool), -EINVAL);
	cr_assert_eq(stw_attribute_find(house, "site", &found_attribute), -ENOENT);
	cr_assert_eq(stw_pool_find(house, "north", &found_pool), -ENOENT);
	cr_assert_eq(stw_attribute_define(house, "site", &attribute), 0);
	cr_assert_eq(stw_pool_define(house, "north", &pool), 0);
	cr_assert_eq(stw_attribute_define(house, "site", &attribute), -EEXIST);
	cr_assert_eq(stw_pool_define(house, "north", &pool), -EEXIST);
	cr_assert_eq(stw_attribute_define(house, "grade", &attribute), -ENOSPC);
	cr_assert_eq(stw_pool_define(house, "south", &pool), -ENOSPC);
	cr_assert_eq(stw_attribute_find(house, "site", &found_attribute), 0);
	cr_assert_eq(stw_pool_find(house, "north", &found_pool), 0);
	cr_assert_eq(found_attribute.id, attribute.id);
	cr_assert_eq(found_pool.id, pool.id);
}
