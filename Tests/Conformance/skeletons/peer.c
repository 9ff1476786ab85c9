// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What peer/bpf/skel_internal.h declares, done by libbpf's. */
#define skel_alloc system_skel_alloc
#define skel_free system_skel_free
#define skel_prep_map_data system_skel_prep_map_data
#define skel_finalize_map_data system_skel_finalize_map_data
#define skel_free_map_data system_skel_free_map_data
#define skel_closenz system_skel_closenz
#define skel_raw_tracepoint_open system_skel_raw_tracepoint_open
#define skel_link_create system_skel_link_create
#define bpf_load_and_run system_bpf_load_and_run
#include <errno.h>
#include <string.h>
#include <bpf/skel_internal.h>
#undef skel_alloc
#undef skel_free
#undef skel_prep_map_data
#undef skel_finalize_map_data
#undef skel_free_map_data
#undef skel_closenz
#undef skel_raw_tracepoint_open
#undef skel_link_create
#undef bpf_load_and_run
#include "pair.h"

void *skel_alloc(unsigned long size);
void skel_free(void *memory);
void *skel_prep_map_data(const void *value, unsigned long mapped, unsigned long size);
void *skel_finalize_map_data(unsigned long long *value, unsigned long mapped, int protection, int fd);
void skel_free_map_data(void *value, unsigned long long address, unsigned long mapped);
int skel_closenz(int fd);
int skel_raw_tracepoint_open(const char *name, int prog_fd);
int skel_link_create(int prog_fd, int target_fd, int attach_type);
int bpf_load_and_run(struct bpf_load_and_run_opts *opts);

void *skel_alloc(unsigned long size)
{
	return system_skel_alloc(size);
}

void skel_free(void *memory)
{
	system_skel_free(memory);
}

void *skel_prep_map_data(const void *value, unsigned long mapped, unsigned long size)
{
	return system_skel_prep_map_data(value, mapped, size);
}

void *skel_finalize_map_data(unsigned long long *value, unsigned long mapped, int protection, int fd)
{
	return system_skel_finalize_map_data((__u64 *)value, mapped, protection, fd);
}

void skel_free_map_data(void *value, unsigned long long address, unsigned long mapped)
{
	system_skel_free_map_data(value, address, mapped);
}

int skel_closenz(int fd)
{
	return system_skel_closenz(fd);
}

int skel_raw_tracepoint_open(const char *name, int prog_fd)
{
	return system_skel_raw_tracepoint_open(name, prog_fd);
}

int skel_link_create(int prog_fd, int target_fd, int attach_type)
{
	return system_skel_link_create(prog_fd, target_fd, attach_type);
}

int bpf_load_and_run(struct bpf_load_and_run_opts *opts)
{
	if (record) {
		record(opts->data, opts->data_sz, opts->insns, opts->insns_sz);
		return -1;
	}
	return system_bpf_load_and_run(opts);
}
