// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A policy of rules in a map: what nobody may do to a file, and what nobody may
 * do to a process. Twelve hooks of the security layer ask for it. Without rules
 * everything is allowed.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "policy.h"

#define EPERM		1
#define FMODE_WRITE	2
#define PROT_EXEC	4

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct subject);
	__type(value, struct rule);
} rules SEC(".maps");

/* Count, and let everything pass. */
const volatile bool permissive = false;
__u64 asked, denied;

static __noinline int answer(const struct subject *subject, __u32 operation)
{
	struct rule *rule;

	__sync_fetch_and_add(&asked, 1);
	rule = bpf_map_lookup_elem(&rules, subject);
	if (!rule || !(rule->denied & operation))
		return 0;
	__sync_fetch_and_add(&rule->denials, 1);
	__sync_fetch_and_add(&denied, 1);
	return permissive ? 0 : -EPERM;
}

/* A dentry may have no inode. */
static __always_inline int ask_inode(struct inode *inode, __u32 operation)
{
	struct subject subject = {};

	if (!inode)
		return 0;
	subject.inode = inode->i_ino;
	subject.device = inode->i_sb->s_dev;
	return answer(&subject, operation);
}

static __always_inline int ask_process(struct task_struct *task, __u32 operation)
{
	struct subject subject = { .process = task->tgid };

	return answer(&subject, operation);
}

SEC("lsm/file_open")
int BPF_PROG(policy_open, struct file *file)
{
	__u32 operation = OPERATION_READ;

	if (file->f_mode & FMODE_WRITE)
		operation |= OPERATION_WRITE;
	return ask_inode(file->f_inode, operation);
}

SEC("lsm/mmap_file")
int BPF_PROG(policy_mmap, struct file *file, unsigned long wanted, unsigned long protection)
{
	if (!file || !(protection & PROT_EXEC))
		return 0;
	return ask_inode(file->f_inode, OPERATION_EXECUTE);
}

SEC("lsm/bprm_check_security")
int BPF_PROG(policy_exec, struct linux_binprm *bprm)
{
	return ask_inode(bprm->file->f_inode, OPERATION_EXECUTE);
}

SEC("lsm/inode_unlink")
int BPF_PROG(policy_unlink, struct inode *folder, struct dentry *dentry)
{
	return ask_inode(dentry->d_inode, OPERATION_REMOVE);
}

SEC("lsm/inode_rmdir")
int BPF_PROG(policy_rmdir, struct inode *folder, struct dentry *dentry)
{
	return ask_inode(dentry->d_inode, OPERATION_REMOVE);
}

SEC("lsm/inode_rename")
int BPF_PROG(policy_rename, struct inode *old_folder, struct dentry *old,
	     struct inode *new_folder, struct dentry *new)
{
	int verdict = ask_inode(old->d_inode, OPERATION_RENAME);

	/* What has the new name is removed. */
	if (verdict)
		return verdict;
	return ask_inode(new->d_inode, OPERATION_REMOVE);
}

SEC("lsm/inode_link")
int BPF_PROG(policy_link, struct dentry *old, struct inode *folder, struct dentry *new)
{
	return ask_inode(old->d_inode, OPERATION_LINK);
}

/* Since 6.3 the first argument of the hook is a mapping of ids, which is not in it before. */
struct mnt_idmap___since_6_3 {
} __attribute__((preserve_access_index));

/* The verifier wants each offset as a number, where the compiler would choose one and load once. */
#define ARGUMENT(context, offset)							\
	({										\
		struct dentry *argument;						\
		asm volatile("%0 = *(u64 *)(%1 + " #offset ")"				\
			     : "=r"(argument)						\
			     : "r"(context));						\
		argument;								\
	})

SEC("lsm/inode_setattr")
int policy_setattr(unsigned long long *context)
{
	struct dentry *dentry;

	if (bpf_core_type_exists(struct mnt_idmap___since_6_3))
		dentry = ARGUMENT(context, 8);
	else
		dentry = ARGUMENT(context, 0);
	return ask_inode(dentry->d_inode, OPERATION_CHANGE);
}

SEC("lsm/inode_setxattr")
int BPF_PROG(policy_setxattr, void *mapping, struct dentry *dentry)
{
	return ask_inode(dentry->d_inode, OPERATION_CHANGE);
}

SEC("lsm/task_kill")
int BPF_PROG(policy_kill, struct task_struct *task, struct kernel_siginfo *info, int signal)
{
	/* Signal 0 only asks whether the process is there. */
	return signal ? ask_process(task, OPERATION_SIGNAL) : 0;
}

SEC("lsm/ptrace_access_check")
int BPF_PROG(policy_ptrace, struct task_struct *child)
{
	return ask_process(child, OPERATION_TRACE);
}

SEC("lsm/task_setnice")
int BPF_PROG(policy_setnice, struct task_struct *task)
{
	return ask_process(task, OPERATION_PRIORITY);
}
