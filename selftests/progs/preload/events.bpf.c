// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Programs that start and end, as records in a ring buffer, and an iterator that
 * shows how many there were and how many found no room.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

enum event_kind {
	EVENT_STARTED = 1,
	EVENT_ENDED = 2,
};

struct event {
	__u32 kind;	/* enum event_kind */
	__u32 process;
	__u64 time;	/* nanoseconds since boot */
	char command[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} events SEC(".maps");

__u64 started, ended, lost;

static __always_inline void report(enum event_kind kind)
{
	struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event) {
		__sync_fetch_and_add(&lost, 1);
		return;
	}
	event->kind = kind;
	event->process = bpf_get_current_pid_tgid() >> 32;
	event->time = bpf_ktime_get_boot_ns();
	bpf_get_current_comm(event->command, sizeof(event->command));
	bpf_ringbuf_submit(event, 0);
}

SEC("lsm/bprm_committed_creds")
int BPF_PROG(report_start, struct linux_binprm *bprm)
{
	__sync_fetch_and_add(&started, 1);
	report(EVENT_STARTED);
	return 0;
}

/* A tracepoint, which has one argument more since 7.0: only the first is read. */
SEC("raw_tp/sched_process_exit")
int report_end(struct bpf_raw_tracepoint_args *context)
{
	struct task_struct *task = (struct task_struct *)context->args[0];

	if (BPF_CORE_READ(task, pid) != BPF_CORE_READ(task, tgid))
		return 0;
	__sync_fetch_and_add(&ended, 1);
	report(EVENT_ENDED);
	return 0;
}

/* The kernel calls it for each map, and once more, with none, when all were shown. */
SEC("iter/bpf_map")
int show_events(struct bpf_iter__bpf_map *context)
{
	struct seq_file *seq = context->meta->seq;

	if (context->map)
		return 0;
	BPF_SEQ_PRINTF(seq, "started %llu\nended %llu\nlost %llu\n", started, ended, lost);
	BPF_SEQ_PRINTF(seq, "waiting %llu bytes\n",
		       bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA));
	return 0;
}
