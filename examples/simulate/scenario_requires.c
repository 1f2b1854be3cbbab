/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a step requires beside plain skills: an expression, nested in the file and in postfix order
 * in the plan.
 */
#include "scenario_parts.h"

#include "document_fields.h"

/* An expression deeper than this has too many terms, or contains itself. */
#define DEPTH_MAX 64

/* One node of an expression: one of these is given. */
struct expression {
	struct document_text skill;
	uint32_t level;
	struct document_text attribute;
	struct document_text is;
	struct document_text is_not;
	yaml_node_t *all;
	yaml_node_t *any;
	yaml_node_t * not ;
};

static void
keep_node(struct document *document, yaml_node_t *node, void *target)
{
	(void)document;
	*(yaml_node_t **)target = node;
}

static void
emit(struct document *document, const yaml_node_t *node, struct scenario_step *step,
     const struct scenario_term *term)
{
	if (step->requires_count < STW_REQUIREMENT_TERMS_MAX)
	step->requires[step->requires_count] = *term;
	else if (step->requires_count == STW_REQUIREMENT_TERMS_MAX) document_error(
		document, document_line(node), "'requires' has more than %d parts, joints counted",
		STW_REQUIREMENT_TERMS_MAX);
	step->requires_count++;
}

static void
emit_leaf(struct document *document, const yaml_node_t *node, struct scenario_step *step,
	  const struct expression *expression)
{
	struct scenario_term term = {
		.kind = STW_TERM_SKILL, .name = expression->skill, .level = expression->level};

	if (expression->attribute.text) {
		term = (struct scenario_term){
			.kind = expression->is.text ? STW_TERM_ATTRIBUTE_IS
						    : STW_TERM_ATTRIBUTE_IS_NOT,
			.name = expression->attribute,
			.value = expression->is.text ? expression->is : expression->is_not};
		if (!expression->is.text == !expression->is_not.text)
			document_error(document, document_line(node),
				       "'attribute' goes with 'is' or 'is_not'");
	} else if (expression->is.text || expression->is_not.text) {
		document_error(document, document_line(node), "'is' goes with 'attribute'");
	}
	emit(document, node, step, &term);
}

static void read_expression(struct document *document, yaml_node_t *node,
			    struct scenario_step *step, unsigned depth);

static void
read_parts(struct document *document, yaml_node_t *node, struct scenario_step *step, bool all,
	   unsigned depth)
{
	struct scenario_term join = {.kind = all ? STW_TERM_AND : STW_TERM_OR};
	yaml_node_item_t *first, *item;

	if (node->type != YAML_SEQUENCE_NODE ||
	    node->data.sequence.items.start == node->data.sequence.items.top) {
		document_error(document, document_line(node), "'%s' is a list of parts",
			       all ? "all" : "any");
		return;
	}
	first = node->data.sequence.items.start;
	for (item = first; item < node->data.sequence.items.top; item++) {
		read_expression(document, yaml_document_get_node(&document->yaml, *item), step,
				depth);
		if (item > first)
			emit(document, node, step, &join);
	}
}

static void
read_expression(struct document *document, yaml_node_t *node, struct scenario_step *step,
		unsigned depth)
{
	static const struct document_field fields[] = {
		TEXT("skill", struct expression, skill, false),
		NUMBER("level", struct expression, level, false, 1, STW_SKILL_LEVEL_MAX),
		TEXT("attribute", struct expression, attribute, false),
		TEXT("is", struct expression, is, false),
		TEXT("is_not", struct expression, is_not, false),
		NODE("all", struct expression, all, false, keep_node),
		NODE("any", struct expression, any, false, keep_node),
		NODE("not", struct expression, not, false, keep_node),
		{NULL},
	};
	struct expression expression = {.level = 1};
	struct scenario_term negation = {.kind = STW_TERM_NOT};

	if (depth == DEPTH_MAX || step->requires_count > STW_REQUIREMENT_TERMS_MAX) {
		document_error(document, document_line(node), "'requires' is nested too deeply");
		return;
	}
	document_mapping(document, node, fields, &expression);
	if (!!expression.skill.text + !!expression.attribute.text + !!expression.all +
		    !!expression.any + !!expression.not !=
	    1)
		document_error(document, document_line(node),
			       "here belongs one of: skill, attribute, all, any, not");
	else if (expression.all || expression.any)
		read_parts(document, expression.all ? expression.all : expression.any, step,
			   expression.all, depth + 1);
	else if (expression.not )
		read_expression(document, expression.not, step, depth + 1);
	else
		emit_leaf(document, node, step, &expression);
	if (expression.not )
		emit(document, node, step, &negation);
}

void
scenario_read_requires(struct document *document, yaml_node_t *node, void *target)
{
	read_expression(document, node, target, 0);
}

void
scenario_make_requires(struct scenario *scenario, const struct scenario_step *step,
		       struct stw_step_config *made)
{
	struct stw_term *terms = scenario_array(scenario, step->requires_count, sizeof(*terms));

	for (uint32_t i = 0; terms && i < step->requires_count; i++) {
		const struct scenario_term *term = &step->requires[i];

		terms[i].kind = term->kind;
		if (term->kind == STW_TERM_SKILL) {
			terms[i].skill.id = scenario_find_skill(scenario, &term->name);
			terms[i].level = (uint8_t)term->level;
		} else if (term->name.text) {
			terms[i].attribute.id = scenario_find_attribute(scenario, &term->name);
			terms[i].value = term->value.text;
		}
	}
	made->requirement = terms;
	made->requirement_count = step->requires_count;
}
