// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* fentry, fexit and tp_btf: arguments of a module's function, read by their types. */
#include "common.h"
#include "kbtf_test_types.h"

int mix_entered_line, mix_left_line, moved_line;
int mix_entered_runs, mix_left_runs, moved_runs;

SEC("fentry/kbtf_test_mix")
int BPF_PROG(mix_entered, struct kbtf_test_item *item, u64 a, s32 b, u16 c, bool d)
{
	mix_entered_runs++;
	REQUIRE(mix_entered, item->id == 1000);
	REQUIRE(mix_entered, item->label[0] == 'f' && item->label[4] == 't');
	REQUIRE(mix_entered, item->next->id == 4242);
	REQUIRE(mix_entered, a == 1ULL << 40);
	REQUIRE(mix_entered, b == -3);
	REQUIRE(mix_entered, c == 60000);
	REQUIRE(mix_entered, d);
	PASS(mix_entered);
	return 0;
}

SEC("fexit/kbtf_test_mix")
int BPF_PROG(mix_left, struct kbtf_test_item *item, u64 a, s32 b, u16 c, bool d, u64 sum)
{
	mix_left_runs++;
	REQUIRE(mix_left, item->id == 1000);
	REQUIRE(mix_left, d);
	REQUIRE(mix_left, sum == 1000 + (1ULL << 40) - 3 + 60000 + 1);
	PASS(mix_left);
	return 0;
}

SEC("tp_btf/kbtf_test_moved")
int BPF_PROG(moved, const struct kbtf_test_item *item, u64 sum, short step)
{
	moved_runs++;
	/* Since 6.12 the verifier takes arguments of modules' tracepoints for pointers that may be null. */
	REQUIRE(moved, item);
	REQUIRE(moved, item->id == 1000);
	REQUIRE(moved, item->next->place.y == -12);
	REQUIRE(moved, sum == 1000 + (1ULL << 40) - 3 + 60000 + 1);
	REQUIRE(moved, step == -3);
	PASS(moved);
	return 0;
}
