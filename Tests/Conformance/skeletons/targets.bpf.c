// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs that attach to what the user names; each counts its runs. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

int packets, sent, lookups, probed, traced, ticks, elements, groups, binds, not_named;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 3);
	__type(key, int);
	__type(value, int);
} table SEC(".maps");

SEC("xdp")
int on_packet(struct xdp_md *ctx)
{
	packets++;
	return XDP_PASS;
}

SEC("cgroup_skb/egress")
int on_send(struct __sk_buff *skb)
{
	sent++;
	return 1;
}

SEC("sk_lookup")
int on_lookup(struct bpf_sk_lookup *ctx)
{
	lookups++;
	return SK_PASS;
}

SEC("kprobe/__x64_sys_getpid")
int on_probe(struct pt_regs *ctx)
{
	probed++;
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_getuid")
int on_trace(void *ctx)
{
	traced++;
	return 0;
}

SEC("perf_event")
int on_tick(void *ctx)
{
	ticks++;
	return 0;
}

SEC("iter/bpf_map_elem")
int on_element(struct bpf_iter__bpf_map_elem *ctx)
{
	if (ctx->key)
		elements++;
	return 0;
}

SEC("iter/cgroup")
int on_group(struct bpf_iter__cgroup *ctx)
{
	if (ctx->cgroup)
		groups++;
	return 0;
}

SEC("lsm_cgroup/socket_bind")
int BPF_PROG(on_bind, struct socket *sock, struct sockaddr *address, int length)
{
	binds++;
	return 1;
}

/* Nobody names its target. */
SEC("cgroup/sock_create")
int on_nothing(struct bpf_sock *ctx)
{
	not_named++;
	return 1;
}

char LICENSE[] SEC("license") = "GPL";
