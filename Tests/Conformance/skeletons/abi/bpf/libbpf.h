/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What skeletons use of libbpf, by its ABI since 1.0, for code that has the kernel's types: its own header includes those
 * of the C library, which define some of them in another way.
 */
#ifndef PEER_LIBBPF_H
#define PEER_LIBBPF_H

#ifndef NULL
#define NULL ((void *)0)
#endif

/* The same as the kernel's, if that is known already. */
typedef __SIZE_TYPE__ size_t;

#define ENOMEM 12
#define errno (*__errno_location())
#define LIBBPF_MAJOR_VERSION 1
#define LIBBPF_MINOR_VERSION 8

int *__errno_location(void);
void *calloc(unsigned long, unsigned long);
void free(void *);

struct bpf_object;
struct bpf_map;
struct bpf_program;
struct bpf_link;
struct bpf_object_open_opts;

struct bpf_map_skeleton {
	const char *name;
	struct bpf_map **map;
	void **mmaped;
	struct bpf_link **link;
};

struct bpf_prog_skeleton {
	const char *name;
	struct bpf_program **prog;
	struct bpf_link **link;
};

struct bpf_object_skeleton {
	unsigned long sz;
	const char *name;
	const void *data;
	unsigned long data_sz;
	struct bpf_object **obj;
	int map_cnt;
	int map_skel_sz;
	struct bpf_map_skeleton *maps;
	int prog_cnt;
	int prog_skel_sz;
	struct bpf_prog_skeleton *progs;
};

struct bpf_var_skeleton {
	const char *name;
	struct bpf_map **map;
	void **addr;
};

struct bpf_object_subskeleton {
	unsigned long sz;
	const struct bpf_object *obj;
	int map_cnt;
	int map_skel_sz;
	struct bpf_map_skeleton *maps;
	int prog_cnt;
	int prog_skel_sz;
	struct bpf_prog_skeleton *progs;
	int var_cnt;
	int var_skel_sz;
	struct bpf_var_skeleton *vars;
};

int bpf_object__open_skeleton(struct bpf_object_skeleton *, const struct bpf_object_open_opts *);
int bpf_object__load_skeleton(struct bpf_object_skeleton *);
int bpf_object__attach_skeleton(struct bpf_object_skeleton *);
void bpf_object__detach_skeleton(struct bpf_object_skeleton *);
void bpf_object__destroy_skeleton(struct bpf_object_skeleton *);
int bpf_object__open_subskeleton(struct bpf_object_subskeleton *);
void bpf_object__destroy_subskeleton(struct bpf_object_subskeleton *);
void *bpf_map__initial_value(const struct bpf_map *, unsigned long *);

#endif
