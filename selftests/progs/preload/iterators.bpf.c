// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What maps and programs there are, as two files to read. Both names are short
 * enough to be published in bpffs through the kernel's own preload hook.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("iter/bpf_map")
int list_maps(struct bpf_iter__bpf_map *context)
{
	struct seq_file *seq = context->meta->seq;
	struct bpf_map *map = context->map;

	if (!map)
		return 0;
	if (context->meta->seq_num == 0)
		BPF_SEQ_PRINTF(seq, "  id name             max_entries\n");
	BPF_SEQ_PRINTF(seq, "%4u %-16s %11u\n", map->id, map->name, map->max_entries);
	return 0;
}

SEC("iter/bpf_prog")
int list_progs(struct bpf_iter__bpf_prog *context)
{
	struct seq_file *seq = context->meta->seq;
	struct bpf_prog *program = context->prog;
	struct bpf_prog_aux *aux;

	if (!program)
		return 0;
	aux = program->aux;
	if (context->meta->seq_num == 0)
		BPF_SEQ_PRINTF(seq, "  id name             attached to\n");
	BPF_SEQ_PRINTF(seq, "%4u %-16s %s\n", aux->id, aux->name, aux->attach_func_name);
	return 0;
}
