/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What bpftool's light skeletons call, without any header of the system: the
 * types of an object stand before its skeleton, and would clash with those.
 */
#ifndef PEER_SKEL_INTERNAL_H
#define PEER_SKEL_INTERNAL_H

#define PEER_U32	unsigned int
#define PEER_U64	unsigned long long
#undef NULL
#define NULL		((void *)0)
#undef __u32
#undef __u64
#define __u32		PEER_U32
#define __u64		PEER_U64
#undef BPF_TRACE_ITER
#define BPF_TRACE_ITER	28
#undef ENOMEM
#define ENOMEM		12
#undef PROT_READ
#undef PROT_WRITE
#define PROT_READ	1
#define PROT_WRITE	2

struct bpf_map_desc {
	int map_fd;
	PEER_U32 max_entries;
	PEER_U64 initial_value __attribute__((aligned(8)));
};

struct bpf_prog_desc {
	int prog_fd;
};

struct bpf_loader_ctx {
	PEER_U32 sz, flags, log_level, log_size;
	PEER_U64 log_buf;
};

struct bpf_load_and_run_opts {
	struct bpf_loader_ctx *ctx;
	const void *data, *insns;
	PEER_U32 data_sz, insns_sz;
	const char *errstr;
};

/* In peer.c, which is made with the system's headers. */
void *skel_alloc(unsigned long size);
void skel_free(void *memory);
void *skel_prep_map_data(const void *value, unsigned long mapped, unsigned long size);
void *skel_finalize_map_data(PEER_U64 *value, unsigned long mapped, int protection, int fd);
void skel_free_map_data(void *value, PEER_U64 address, unsigned long mapped);
int skel_closenz(int fd);
int skel_raw_tracepoint_open(const char *name, int prog_fd);
int skel_link_create(int prog_fd, int target_fd, int attach_type);
int bpf_load_and_run(struct bpf_load_and_run_opts *opts);

#endif
