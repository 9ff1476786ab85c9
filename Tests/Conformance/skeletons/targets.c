// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A guest test: programs of targets.bpf.c attach to the targets given to the light skeleton, run, and stop. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include "targets.lskel.h"

static int number(const char *path)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return -1;
	close(fd);
	return atoi(text);
}

static int perf_event(__u32 type, __u64 config, const char *function)
{
	struct perf_event_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.size = sizeof(attr);
	attr.type = type;
	attr.config = config;
	attr.kprobe_func = (unsigned long)function;
	if (type == PERF_TYPE_SOFTWARE) {
		attr.freq = 1;
		attr.sample_freq = 1000;
	}
	/* Of this process; a clock only ticks for one that runs. */
	return syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

/* A datagram to ourselves, by a socket that has to be bound. */
static void traffic(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	socklen_t length = sizeof(to);
	int sender = socket(AF_INET, SOCK_DGRAM, 0), receiver = socket(AF_INET, SOCK_DGRAM, 0);
	char word[4];

	ioctl(sender, SIOCSIFFLAGS, &request);
	if (bind(receiver, (struct sockaddr *)&to, sizeof(to)) || getsockname(receiver, (struct sockaddr *)&to, &length))
		perror("bind");
	/* A connected receiver is found without a lookup; this one is not. */
	if (sendto(sender, "word", 4, 0, (struct sockaddr *)&to, sizeof(to)) != 4 ||
	    recv(receiver, word, sizeof(word), 0) != 4)
		perror("datagram");
	close(sender);
	close(receiver);
}

static void read_all(int link)
{
	union bpf_attr attr;
	char text[64];
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.iter_create.link_fd = link;
	fd = skel_sys_bpf(BPF_ITER_CREATE, &attr, sizeof(attr));
	while (fd >= 0 && read(fd, text, sizeof(text)) > 0)
		;
	close(fd);
}

static void run(struct targets *skel)
{
	traffic();
	for (int i = 0; i < 100; i++) {
		syscall(SYS_getpid);
		syscall(SYS_getuid);
	}
	for (volatile long i = 0; i < 100000000 && !skel->bss->ticks; i++)
		;
	read_all(skel->links.on_element_fd);
	read_all(skel->links.on_group_fd);
}

static int failed, count;

static void point(int holds, const char *name)
{
	printf("%sok %d %s\n", holds ? "" : "not ", ++count, name);
	failed += !holds;
}

int main(void)
{
	struct targets *skel = targets__open_and_load();
	struct targets__bss before;
	int result;

	printf("KTAP version 1\n1..16\n");
	point(!!skel, "loads");
	if (!skel)
		return 1;
	result = targets__attach(skel);
	point(result == 0 && skel->links.on_packet_fd == 0 && skel->links.on_element_fd == 0,
	      "attaches nothing before targets are named");

	skel->targets.on_packet_ifindex = if_nametoindex("lo");
	skel->targets.on_send_cgroup_fd = open("/sys/fs/cgroup", O_RDONLY | O_DIRECTORY);
	skel->targets.on_bind_cgroup_fd = skel->targets.on_send_cgroup_fd;
	skel->targets.on_group_cgroup_fd = skel->targets.on_send_cgroup_fd;
	skel->targets.on_lookup_netns_fd = open("/proc/self/ns/net", O_RDONLY);
	skel->targets.on_probe_perf_event_fd =
		perf_event(number("/sys/bus/event_source/devices/kprobe/type"), 0, "__x64_sys_getpid");
	skel->targets.on_trace_perf_event_fd = perf_event(
		PERF_TYPE_TRACEPOINT, number("/sys/kernel/tracing/events/syscalls/sys_enter_getuid/id"), NULL);
	skel->targets.on_tick_perf_event_fd = perf_event(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK, NULL);
	skel->targets.on_element_map_fd = skel->maps.table.map_fd;
	errno = 0;
	result = targets__attach(skel);
	point(result == 0, "attaches to the targets");
	if (result)
		printf("# errno %d\n", errno);
	run(skel);
	point(skel->bss->packets > 0, "xdp runs");
	point(skel->bss->sent > 0, "cgroup_skb runs");
	point(skel->bss->lookups > 0, "sk_lookup runs");
	point(skel->bss->probed == 100, "kprobe runs");
	point(skel->bss->traced == 100, "tracepoint runs");
	point(skel->bss->ticks > 0, "perf_event runs");
	point(skel->bss->elements == 3, "iter/bpf_map_elem runs");
	point(skel->bss->groups > 0, "iter/cgroup runs");
	point(skel->bss->binds > 0, "lsm_cgroup runs");
	point(skel->bss->not_named == 0 && skel->links.on_nothing_fd == 0, "what has no target stays away");

	targets__detach(skel);
	/* Events of perf outlive the links that use them, and the programs go with the links. */
	before = *skel->bss;
	before.ticks = skel->bss->ticks = 1;
	result = skel->links.on_packet_fd | skel->links.on_bind_fd;
	point(result == 0, "detaching twice closes nothing foreign");
	run(skel);
	point(!memcmp(&before, skel->bss, sizeof(before)), "all stop when they are detached");
	if (memcmp(&before, skel->bss, sizeof(before)))
		printf("# %d %d %d %d %d %d %d %d %d\n", skel->bss->packets, skel->bss->sent, skel->bss->lookups,
		       skel->bss->probed, skel->bss->traced, skel->bss->ticks, skel->bss->elements, skel->bss->groups,
		       skel->bss->binds);
	result = skel->maps.table.map_fd;
	targets__destroy(skel);
	point(fcntl(result, F_GETFD) < 0 && errno == EBADF, "nothing stays open");
	return failed > 0;
}
