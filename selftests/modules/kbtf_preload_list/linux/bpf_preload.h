/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a kernel with a list of objects to preload offers modules; here it is kbtf_preload_list that does. */
#ifndef LINUX_BPF_PRELOAD_H
#define LINUX_BPF_PRELOAD_H

#include <linux/types.h>

struct dentry;
struct module;

enum bpf_type {
	BPF_TYPE_UNSPEC,
	BPF_TYPE_PROG,
	BPF_TYPE_MAP,
	BPF_TYPE_LINK,
};

struct bpf_preload_ops {
	/* Pins all in a directory of bpffs; 0 or a negative errno. */
	int (*preload)(struct dentry *parent);
	struct module *owner;
};

/* Whether `name` is on the list; if so `ops` are kept for it, until they are NULL. */
bool bpf_preload_set_ops(const char *name, struct module *owner,
			 struct bpf_preload_ops *ops);

/* On success the file takes over a reference to the program, map or link. */
int bpf_obj_do_pin_kernel(struct dentry *parent, const char *name, void *raw,
			  enum bpf_type type);

#endif
