// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* CO-RE: a module's types, declared here in another way, found by its BTF. */
#include "common.h"
#include "kbtf_test_types.h"

/* Three underscores: the part behind them is not part of the name. */
struct kbtf_test_item___future {
	u32	id;
	u64	not_yet;
} __attribute__((preserve_access_index));

struct kbtf_test_nothing {
	int	member;
} __attribute__((preserve_access_index));

int fields_line, facts_line;

SEC("fentry/kbtf_test_mix")
int BPF_PROG(fields, struct kbtf_test_item *item)
{
	const struct kbtf_test_item *next = item->next;
	char label[12] = {};

	REQUIRE(fields, item->place.x == -7 && item->place.y == 8);
	REQUIRE(fields, BPF_CORE_READ(item, next, place.x) == 11);
	REQUIRE(fields, BPF_CORE_READ_BITFIELD_PROBED(item, colour) == 21);
	REQUIRE(fields, BPF_CORE_READ_BITFIELD_PROBED(item, weight) == 500);
	REQUIRE(fields, BPF_CORE_READ_BITFIELD_PROBED(next, weight) == 300);
	REQUIRE(fields, bpf_core_read_str(label, sizeof(label), &next->label) == 5);
	REQUIRE(fields, label[0] == 'n' && label[3] == 't' && label[4] == 0);
	PASS(fields);
	return 0;
}

SEC("fentry/kbtf_test_mix")
int BPF_PROG(facts, struct kbtf_test_item *item)
{
	struct kbtf_test_item___future *future = (void *)item;

	REQUIRE(facts, bpf_core_field_exists(item->colour));
	REQUIRE(facts, !bpf_core_field_exists(future->not_yet));
	REQUIRE(facts, bpf_core_type_exists(struct kbtf_test_item));
	REQUIRE(facts, !bpf_core_type_exists(struct kbtf_test_nothing));
	REQUIRE(facts, bpf_core_type_size(struct kbtf_test_item) == 40);
	REQUIRE(facts, bpf_core_field_offset(item->id) == 12);
	REQUIRE(facts, bpf_core_field_size(item->label) == 12);
	REQUIRE(facts, bpf_core_enum_value_exists(enum kbtf_test_state, KBTF_TEST_BUSY));
	REQUIRE(facts, bpf_core_enum_value(enum kbtf_test_state, KBTF_TEST_IDLE) == 3);
	REQUIRE(facts, item->state == bpf_core_enum_value(enum kbtf_test_state, KBTF_TEST_IDLE));
	REQUIRE(facts, item->next->state ==
		       bpf_core_enum_value(enum kbtf_test_state, KBTF_TEST_BUSY));
	PASS(facts);
	return 0;
}
