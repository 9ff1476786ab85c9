// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs that libbpf 1.1 does not know; libbpf 1.8 knows all of them. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

int entered, left, packets, connects, pages, value;

struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 16);
	__ulong(map_extra, 0x1ull << 44);
} memory SEC(".maps");

/* Twice for each call: before and after. */
SEC("fsession/__x64_sys_getpgid")
int BPF_PROG(on_call)
{
	if (bpf_session_is_return(ctx))
		left++;
	else
		entered++;
	return 0;
}

SEC("fentry.multi/__x64_sys_get*")
int BPF_PROG(on_entries)
{
	return 0;
}

SEC("fexit.multi")
int BPF_PROG(on_exits)
{
	return 0;
}

SEC("kprobe.session/__x64_sys_get*")
int on_probes(struct pt_regs *ctx)
{
	return 0;
}

SEC("uprobe.multi//proc/self/exe:main")
int on_places(struct pt_regs *ctx)
{
	return 0;
}

SEC("uprobe.session//proc/self/exe:main")
int on_visits(struct pt_regs *ctx)
{
	return 0;
}

SEC("tcx/ingress")
int on_ingress(struct __sk_buff *skb)
{
	packets++;
	return -1;
}

SEC("netkit/primary")
int on_netkit(struct __sk_buff *skb)
{
	return 0;
}

SEC("cgroup/connect_unix")
int on_connect(struct bpf_sock_addr *ctx)
{
	connects++;
	return 1;
}

SEC("syscall")
int on_arena(void *ctx)
{
	int *page = (int *)(unsigned long)bpf_arena_alloc_pages(&memory, NULL, 1, -1, 0);

	if (!page)
		return 1;
	/* What clang 19 does by itself: r1 = addr_space_cast(r1, 0, 1). */
	asm volatile("r1 = %0\n.byte 0xbf, 0x11\n.short 1\n.long 1\n%0 = r1" : "+r"(page) : : "r1");
	pages++;
	page[7] = 42;
	value = page[7];
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
