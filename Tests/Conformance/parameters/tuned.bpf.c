// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// Shows in a map what its constants are.

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "shown.h"

const volatile unsigned int limit = 5;
const volatile long long offset = -7;
const volatile _Bool strict;
const volatile signed char step = -1;
const volatile char tag[16] = "none";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, unsigned int);
	__type(value, struct shown);
	__uint(max_entries, 1);
} tuned_shown SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, unsigned int);
	__type(value, unsigned int);
	__uint(max_entries, 16);
} tuned_flows SEC(".maps");

SEC("raw_tp/sys_enter")
int show(void *ctx)
{
	unsigned int key = 0;
	struct shown *shown = bpf_map_lookup_elem(&tuned_shown, &key);

	if (!shown)
		return 0;
	shown->limit = limit;
	shown->strict = strict;
	shown->offset = offset;
	shown->step = step;
	for (int i = 0; i < 16; i++)
		shown->tag[i] = tag[i];
	bpf_map_update_elem(&tuned_flows, &key, &key, BPF_ANY);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
