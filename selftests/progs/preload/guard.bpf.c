// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Guards one bpffs instance: the next one that the process `mounter` mounts gets
 * a mark, and as long as these programs are attached nobody, root included,
 * removes or replaces a file in a marked instance, or unmounts it. Others stay
 * as they are.
 *
 * Not a wall: root may unload what attached the programs, detach their links, or
 * let the mount namespace end that the instance is in.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define EPERM		1
#define BPF_FS_MAGIC	0xcafe4a11

char LICENSE[] SEC("license") = "GPL";

struct mark {
	__u32 mounter;
	__u32 reserved;
	__u64 denials;
};

struct {
	__uint(type, BPF_MAP_TYPE_INODE_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct mark);
} marks SEC(".maps");

/* A process, as the first namespace counts; 0: none. */
__u32 mounter;
__u64 marked, denied;

/* The instance is marked at the inode of its root. */
static __always_inline struct mark *mark_of(struct super_block *instance, __u64 flags)
{
	return bpf_inode_storage_get(&marks, instance->s_root->d_inode, NULL, flags);
}

static __always_inline int answer(struct super_block *instance)
{
	struct mark *mark;

	if (instance->s_magic != BPF_FS_MAGIC)
		return 0;
	mark = mark_of(instance, 0);
	if (!mark)
		return 0;
	__sync_fetch_and_add(&mark->denials, 1);
	__sync_fetch_and_add(&denied, 1);
	return -EPERM;
}

/* Of all hooks of a mount this one comes when the root is there. */
SEC("lsm/sb_set_mnt_opts")
int BPF_PROG(guard_mount, struct super_block *instance)
{
	__u32 process = bpf_get_current_pid_tgid() >> 32;
	struct mark *mark;

	if (instance->s_magic != BPF_FS_MAGIC || process != mounter)
		return 0;
	mark = mark_of(instance, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!mark)
		return -EPERM;
	mark->mounter = process;
	mounter = 0;
	__sync_fetch_and_add(&marked, 1);
	return 0;
}

SEC("lsm/sb_umount")
int BPF_PROG(guard_umount, struct vfsmount *mount)
{
	return answer(mount->mnt_sb);
}

SEC("lsm/inode_unlink")
int BPF_PROG(guard_unlink, struct inode *folder)
{
	return answer(folder->i_sb);
}

/* A file that takes the name of another removes it. */
SEC("lsm/inode_rename")
int BPF_PROG(guard_rename, struct inode *old_folder)
{
	return answer(old_folder->i_sb);
}
