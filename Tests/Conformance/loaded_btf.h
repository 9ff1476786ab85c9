/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* bpf(2) without libbpf, and the BTF that a kernel has loaded. */
#ifndef KBTF_LOADED_BTF_H
#define KBTF_LOADED_BTF_H

#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

/* A descriptor of a loaded module's BTF; -1 if it has none. */
static int module_btf(const char *module)
{
	union bpf_attr attr;
	unsigned int id = 0;

	for (;;) {
		struct bpf_btf_info info;
		char name[64] = "";
		int fd;

		memset(&attr, 0, sizeof(attr));
		attr.start_id = id;
		if (bpf(BPF_BTF_GET_NEXT_ID, &attr))
			return -1;
		id = attr.next_id;
		memset(&attr, 0, sizeof(attr));
		attr.btf_id = id;
		fd = bpf(BPF_BTF_GET_FD_BY_ID, &attr);
		if (fd < 0)
			return -1;
		memset(&info, 0, sizeof(info));
		info.name = (unsigned long)name;
		info.name_len = sizeof(name);
		memset(&attr, 0, sizeof(attr));
		attr.info.bpf_fd = fd;
		attr.info.info_len = sizeof(info);
		attr.info.info = (unsigned long)&info;
		if (!bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) && info.kernel_btf && !strcmp(name, module))
			return fd;
		close(fd);
	}
}

#endif
