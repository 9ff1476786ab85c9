// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Guards one bpffs instance: the next one that the process `mounter` mounts gets
 * a mark, and as long as these programs are attached nobody, root included,
 * removes, replaces or adds a file in a marked instance, or unmounts it, remounts
 * it, moves it, or mounts something on top of it. Only the process that mounted it
 * may add files, until it seals it: from then on nobody opens the guard's own maps,
 * programs and links by id, with which all this could be undone. Other instances
 * stay as they are.
 *
 * Not a wall: root may unload what attached the programs, let the mount namespace
 * end that the instance is in, or open by path what maps of the guard are pinned.
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

/* Commands of bpf() that open something by its id, with the ids of the guard's own. */
struct opening {
	__u32 command;
	__u32 id;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, struct opening);
	__type(value, __u8);
} own SEC(".maps");

/* A process, as the first namespace counts; 0: none. */
__u32 mounter;
/* What is in `own` is only for this process; 0: for all; the loader's SEALED_FOR_ALL is none. */
__u32 sealed;
__u64 marked, denied;

/* The instance is marked at the inode of its root. */
static __always_inline struct mark *mark_of(struct super_block *instance, __u64 flags)
{
	return bpf_inode_storage_get(&marks, instance->s_root->d_inode, NULL, flags);
}

static __always_inline __u32 this_process(void)
{
	return bpf_get_current_pid_tgid() >> 32;
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

/* The same for what adds a file: the loader pins its links. */
static __always_inline int answer_addition(struct super_block *instance)
{
	struct mark *mark;

	if (instance->s_magic != BPF_FS_MAGIC)
		return 0;
	mark = mark_of(instance, 0);
	if (!mark || (!sealed && mark->mounter == this_process()))
		return 0;
	return answer(instance);
}

/* Of all hooks of a mount this one comes when the root is there. */
SEC("lsm/sb_set_mnt_opts")
int BPF_PROG(guard_mount, struct super_block *instance)
{
	__u32 process = this_process();
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

SEC("lsm/sb_remount")
int BPF_PROG(guard_remount, struct super_block *instance)
{
	return answer(instance);
}

/* mount() on something in the instance: other options of the mount, or a mount that hides it. */
SEC("lsm/sb_mount")
int BPF_PROG(guard_mount_on, const char *device, const struct path *place)
{
	return answer(place->dentry->d_sb);
}

/* From there, or to there. */
SEC("lsm/move_mount")
int BPF_PROG(guard_move, const struct path *from, const struct path *to)
{
	int result = answer(from->dentry->d_sb);

	return result ? result : answer(to->dentry->d_sb);
}

SEC("lsm/inode_create")
int BPF_PROG(guard_create, struct inode *folder)
{
	return answer_addition(folder->i_sb);
}

SEC("lsm/inode_mkdir")
int BPF_PROG(guard_mkdir, struct inode *folder)
{
	return answer_addition(folder->i_sb);
}

SEC("lsm/inode_symlink")
int BPF_PROG(guard_symlink, struct inode *folder)
{
	return answer_addition(folder->i_sb);
}

SEC("lsm/inode_link")
int BPF_PROG(guard_link, struct dentry *old, struct inode *folder)
{
	return answer_addition(folder->i_sb);
}

SEC("lsm/inode_rmdir")
int BPF_PROG(guard_rmdir, struct inode *folder)
{
	return answer(folder->i_sb);
}

/* All ids of bpf() that are opened are the first word of what it is given. */
SEC("lsm/bpf")
int BPF_PROG(guard_bpf, int command, union bpf_attr *what)
{
	struct opening opening = { .command = command };

	if (!sealed || sealed == this_process())
		return 0;
	switch (command) {
	case BPF_PROG_GET_FD_BY_ID:
	case BPF_MAP_GET_FD_BY_ID:
	case BPF_LINK_GET_FD_BY_ID:
		break;
	default:
		return 0;
	}
	opening.id = what->prog_id;
	if (!bpf_map_lookup_elem(&own, &opening))
		return 0;
	__sync_fetch_and_add(&denied, 1);
	return -EPERM;
}

/* A file that takes the name of another removes it. */
SEC("lsm/inode_rename")
int BPF_PROG(guard_rename, struct inode *old_folder)
{
	return answer(old_folder->i_sb);
}
