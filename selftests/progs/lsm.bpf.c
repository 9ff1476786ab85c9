// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A BPF program at a hook of the security layer that reads what the kernel's structs hold. */
#include "common.h"

#define EPERM	1

int opened_line;
int opened_runs, denied;
int my_pid;
u64 my_inode;

SEC("lsm/file_open")
int BPF_PROG(opened, struct file *file)
{
	struct task_struct *task = bpf_get_current_task_btf();
	const unsigned char *name;
	char text[8] = {};

	if (task->tgid != my_pid || file->f_inode->i_ino != my_inode)
		return 0;
	opened_runs++;
	name = file->f_path.dentry->d_name.name;
	REQUIRE(opened, bpf_probe_read_kernel_str(text, sizeof(text), name) == 7);
	REQUIRE(opened, text[0] == 's' && text[5] == 't' && text[6] == 0);
	REQUIRE(opened, file->f_path.dentry->d_inode == file->f_inode);
	REQUIRE(opened, file->f_inode->i_size == 11);
	REQUIRE(opened, task->cred->uid.val == 0);
	PASS(opened);
	denied++;
	return -EPERM;
}
