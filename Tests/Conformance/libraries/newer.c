// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A guest test for Linux 7.3: light skeletons with what libbpf 1.1 does not know load, attach where that needs no more
 * than a target, and run. PERCPU: also variables of each CPU.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <arpa/inet.h>
#include "newer.lskel.h"
#ifdef PERCPU
#include "percpu.lskel.h"
#endif

static int failed, count;

static void point(int holds, const char *name)
{
	printf("%sok %d %s\n", holds ? "" : "not ", ++count, name);
	failed += !holds;
}

static int run_syscall_program(int fd)
{
	union bpf_attr attr;
	int err;

	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = fd;
	err = skel_sys_bpf(BPF_PROG_RUN, &attr, sizeof(attr));
	return err < 0 ? err : (int)attr.test.retval;
}

static void traffic(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	struct sockaddr_un local = { .sun_family = AF_UNIX, .sun_path = "/tmp/none" };
	int sender = socket(AF_INET, SOCK_DGRAM, 0), peer = socket(AF_UNIX, SOCK_STREAM, 0);

	ioctl(sender, SIOCSIFFLAGS, &request);
	sendto(sender, "word", 4, 0, (struct sockaddr *)&to, sizeof(to));
	connect(peer, (struct sockaddr *)&local, sizeof(local));
	close(sender);
	close(peer);
}

static void newer(void)
{
	static char log[1 << 20];
	struct newer *skel = newer__open();
	int result;

	if (!skel)
		return;
	skel->ctx.log_level = 1;
	skel->ctx.log_size = sizeof(log);
	skel->ctx.log_buf = (unsigned long)log;
	result = newer__load(skel);
	point(result == 0, "loads");
	if (result) {
		printf("# %d\n", result);
		for (char *line = strtok(log, "\n"); line; line = strtok(NULL, "\n"))
			printf("# %s\n", line);
		return;
	}
	skel->targets.on_ingress_ifindex = if_nametoindex("lo");
	skel->targets.on_connect_cgroup_fd = open("/sys/fs/cgroup", O_RDONLY | O_DIRECTORY);
	result = newer__attach(skel);
	point(result == 0, "attaches");
	if (result)
		printf("# %d, errno %d\n", result, errno);
	for (int i = 0; i < 100; i++)
		syscall(SYS_getpgid, 0);
	traffic();
	point(skel->bss->entered == 100 && skel->bss->left == 100, "fsession runs before and after");
	point(skel->bss->packets > 0, "tcx runs");
	point(skel->bss->connects > 0, "cgroup/connect_unix runs");
	point(run_syscall_program(skel->progs.on_arena.prog_fd) == 0 && skel->bss->pages == 1 && skel->bss->value == 42,
	      "a page of the arena");
	point(!skel->links.on_entries_fd && !skel->links.on_probes_fd && !skel->links.on_netkit_fd,
	      "what has no target stays away");
	newer__destroy(skel);
	syscall(SYS_getpgid, 0);
}

#ifdef PERCPU
struct values {
	long a, b;
	int runs;
};

static void percpu(void)
{
	struct percpu *skel = percpu__open();
	struct values values[64] = { 0 };
	union bpf_attr attr;
	int key = 0, cpus = sysconf(_SC_NPROCESSORS_CONF), ran = 0, kept = 0;

	point(!!skel, "per-CPU variables open");
	if (!skel)
		return;
	skel->percpu->pair.a = 77;
	if (percpu__load(skel) || percpu__attach(skel)) {
		point(0, "per-CPU variables load");
		return;
	}
	for (int i = 0; i < 100; i++)
		syscall(SYS_getppid);
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = skel->maps.percpu.map_fd;
	attr.key = (unsigned long)&key;
	attr.value = (unsigned long)values;
	point(skel_sys_bpf(BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr)) == 0, "per-CPU variables can be read");
	for (int cpu = 0; cpu < cpus && cpu < 64; cpu++) {
		ran += values[cpu].runs - 1000;
		kept += values[cpu].a == 77 && values[cpu].b == -5 - (values[cpu].runs - 1000);
	}
	printf("# %d runs on %d CPUs\n", ran, cpus);
	point(ran >= 100 && kept == cpus, "each CPU began with the same, and counted for itself");
	point(skel->percpu->pair.a == 77 && skel->percpu->runs == 1000, "initial values stay");
	percpu__destroy(skel);
}
#endif

int main(void)
{
	printf("KTAP version 1\n");
#ifdef PERCPU
	printf("1..11\n");
	newer();
	percpu();
#else
	printf("1..7\n");
	newer();
#endif
	return failed > 0;
}
