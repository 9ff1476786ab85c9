// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// `<bpf/skel_internal.h>` for kernel modules: the functions that light skeletons call. libbpf's
/// own file supports one kernel and user space. This one supports modules on Linux 6.1 and later,
/// and allows descriptors to be closed while the contents of maps stay.
package enum SkeletonRuntime {
    package static let text = loading + logs + entry

    private static let loading = #"""
        /* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
        /*
         * The functions and types a light skeleton uses, for kernel modules on Linux
         * 6.1 and later. The structures are the loader program's ABI; the functions
         * have the names that skeletons call.
         */
        #ifndef KBTF_SKEL_INTERNAL_H
        #define KBTF_SKEL_INTERNAL_H

        #ifndef __KERNEL__
        #error "for kernel modules; user space uses libbpf's file"
        #endif

        #include <linux/bitmap.h>
        #include <linux/bpf.h>
        #include <linux/err.h>
        #include <linux/fdtable.h>
        #include <linux/fs.h>
        #include <linux/kernel.h>
        #include <linux/magic.h>
        #include <linux/mm.h>
        #include <linux/mman.h>
        #include <linux/printk.h>
        #include <linux/sched.h>
        #include <linux/slab.h>
        #include <linux/string.h>
        #include <linux/uaccess.h>

        /* A map, as the loader reads and fills it in. */
        struct bpf_map_desc {
        	int map_fd;			/* out */
        	__u32 max_entries;		/* in: instead of the object's, if not 0 */
        	__aligned_u64 initial_value;	/* in: address of the contents, or 0 */
        };

        struct bpf_prog_desc {
        	int prog_fd;			/* out */
        };

        /* The loader reads kernel memory, not a process's. */
        enum {
        	BPF_SKEL_KERNEL = 1,
        };

        /* The loader's context: this, then the maps, then the programs. */
        struct bpf_loader_ctx {
        	__u32 sz;
        	__u32 flags;
        	__u32 log_level;
        	__u32 log_size;
        	__u64 log_buf;
        };

        struct bpf_load_and_run_opts {
        	struct bpf_loader_ctx *ctx;
        	const void *data;
        	const void *insns;
        	__u32 data_sz;
        	__u32 insns_sz;
        	const char *errstr;
        };

        /* Exported, but in no header. */
        int kern_sys_bpf(int cmd, union bpf_attr *attr, unsigned int size);

        #define SKEL_ATTR_SIZE(last) offsetofend(union bpf_attr, last)

        static inline int skel_sys_bpf(enum bpf_cmd cmd, union bpf_attr *attr,
        			       unsigned int size)
        {
        	return kern_sys_bpf(cmd, attr, size);
        }

        static inline int close(int fd)
        {
        	return close_fd(fd);
        }

        /* In skeletons, fd 0 always means "none". */
        static inline int skel_closenz(int fd)
        {
        	return fd > 0 ? close_fd(fd) : -EINVAL;
        }

        static inline void *skel_alloc(size_t size)
        {
        	struct bpf_loader_ctx *ctx = kzalloc(size, GFP_KERNEL);

        	if (ctx)
        		ctx->flags = BPF_SKEL_KERNEL;
        	return ctx;
        }

        static inline void skel_free(const void *skel)
        {
        	kfree(skel);
        }

        /*
         * The contents of a map go through three states: a copy in memory, which may be
         * modified before the load; after it, the map's own value, which stays as long
         * as a reference to the map does; then nothing. An address of all ones in
         * initial_value distinguishes the second from the first.
         */
        #define SKEL_IN_MAP (~0ULL)

        static inline void *skel_prep_map_data(const void *value, size_t mmap_size,
        				       size_t size)
        {
        	void *copy = kvmalloc(size, GFP_KERNEL);

        	return copy ? memcpy(copy, value, size) : NULL;
        }

        static inline void *skel_finalize_map_data(__u64 *initial_value,
        					   size_t mmap_size, int protection,
        					   int fd)
        {
        	struct bpf_map *map;

        	kvfree((void *)(unsigned long)*initial_value);
        	*initial_value = SKEL_IN_MAP;

        	map = bpf_map_get(fd);
        	if (IS_ERR(map))
        		return NULL;
        	if (map->map_type != BPF_MAP_TYPE_ARRAY) {
        		bpf_map_put(map);
        		return NULL;
        	}
        	/* The reference stays, so that the fd may be closed. */
        	return container_of(map, struct bpf_array, map)->value;
        }

        static inline void skel_free_map_data(void *contents, __u64 initial_value,
        				      size_t mmap_size)
        {
        	if (initial_value != SKEL_IN_MAP)
        		kvfree(contents);
        	else if (contents)
        		bpf_map_put(&container_of(contents, struct bpf_array, value)->map);
        }

        static inline int skel_map_create(enum bpf_map_type type, const char *name,
        				  __u32 key_size, __u32 value_size,
        				  __u32 max_entries)
        {
        	union bpf_attr attr = {};

        	attr.map_type = type;
        	attr.key_size = key_size;
        	attr.value_size = value_size;
        	attr.max_entries = max_entries;
        	strscpy(attr.map_name, name, sizeof(attr.map_name));
        	return skel_sys_bpf(BPF_MAP_CREATE, &attr, SKEL_ATTR_SIZE(map_extra));
        }

        static inline int skel_map_update_elem(int fd, const void *key,
        				       const void *value, __u64 flags)
        {
        	union bpf_attr attr = {};

        	attr.map_fd = fd;
        	attr.key = (unsigned long)key;
        	attr.value = (unsigned long)value;
        	attr.flags = flags;
        	return skel_sys_bpf(BPF_MAP_UPDATE_ELEM, &attr, SKEL_ATTR_SIZE(flags));
        }

        static inline int skel_map_delete_elem(int fd, const void *key)
        {
        	union bpf_attr attr = {};

        	attr.map_fd = fd;
        	attr.key = (unsigned long)key;
        	return skel_sys_bpf(BPF_MAP_DELETE_ELEM, &attr, SKEL_ATTR_SIZE(flags));
        }

        static inline int skel_map_get_fd_by_id(__u32 id)
        {
        	union bpf_attr attr = {};

        	attr.map_id = id;
        	return skel_sys_bpf(BPF_MAP_GET_FD_BY_ID, &attr, SKEL_ATTR_SIZE(open_flags));
        }

        static inline int skel_open_raw_tracepoint(unsigned long name, int prog_fd)
        {
        	union bpf_attr attr = {};

        	attr.raw_tracepoint.name = name;
        	attr.raw_tracepoint.prog_fd = prog_fd;
        	return skel_sys_bpf(BPF_RAW_TRACEPOINT_OPEN, &attr,
        			    SKEL_ATTR_SIZE(raw_tracepoint.prog_fd));
        }

        /*
         * The kernel reads this one name from the memory of the process, whoever calls:
         * it is lent a page there. A kernel thread has none.
         */
        static inline int skel_raw_tracepoint_open(const char *name, int prog_fd)
        {
        	unsigned long page;
        	int fd = -EFAULT;

        	if (!name)
        		return skel_open_raw_tracepoint(0, prog_fd);
        	if (!current->mm)
        		return -EOPNOTSUPP;
        	page = vm_mmap(NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
        		       MAP_PRIVATE | MAP_ANONYMOUS, 0);
        	if (IS_ERR_VALUE(page))
        		return (int)page;
        	if (!copy_to_user((void __user *)page, name, strlen(name) + 1))
        		fd = skel_open_raw_tracepoint(page, prog_fd);
        	vm_munmap(page, PAGE_SIZE);
        	return fd;
        }

        static inline int skel_link_create(int prog_fd, int target_fd,
        				   enum bpf_attach_type type)
        {
        	union bpf_attr attr = {};

        	attr.link_create.prog_fd = prog_fd;
        	attr.link_create.target_fd = target_fd;
        	attr.link_create.attach_type = type;
        	return skel_sys_bpf(BPF_LINK_CREATE, &attr,
        			    SKEL_ATTR_SIZE(link_create.iter_info_len));
        }

        /* The program that loads the others, with its data in a map of its own. */
        static inline int skel_load_loader(struct bpf_load_and_run_opts *opts,
        				   int *data_fd)
        {
        	union bpf_attr attr = {};

        	attr.prog_type = BPF_PROG_TYPE_SYSCALL;
        	attr.insns = (unsigned long)opts->insns;
        	attr.insn_cnt = opts->insns_sz / sizeof(struct bpf_insn);
        	attr.license = (unsigned long)"Dual BSD/GPL";
        	attr.prog_flags = BPF_F_SLEEPABLE;
        	attr.fd_array = (unsigned long)data_fd;
        	attr.log_level = opts->ctx->log_level;
        	attr.log_size = opts->ctx->log_size;
        	attr.log_buf = opts->ctx->log_buf;
        	strscpy(attr.prog_name, "__loader.prog", sizeof(attr.prog_name));
        	return skel_sys_bpf(BPF_PROG_LOAD, &attr, SKEL_ATTR_SIZE(fd_array));
        }

        static inline int skel_run_loader(struct bpf_load_and_run_opts *opts, int fd)
        {
        	union bpf_attr attr = {};
        	int err;

        	attr.test.prog_fd = fd;
        	attr.test.ctx_in = (unsigned long)opts->ctx;
        	attr.test.ctx_size_in = opts->ctx->sz;
        	err = skel_sys_bpf(BPF_PROG_RUN, &attr, SKEL_ATTR_SIZE(test));
        	return err < 0 ? err : min_t(int, attr.test.retval, 0);
        }

        /*
         * Loaders that libbpf writes leave the BTF of other modules open when they fail at
         * a variable or function that is not there (seen with 1.1.2): what was not open
         * before is closed. Processes with BTF in descriptors beyond these are rare.
         */
        #define SKEL_FDS 1024

        struct skel_btf_fds {
        	DECLARE_BITMAP(open, SKEL_FDS);
        };

        static inline int skel_note_btf_fd(const void *fds, struct file *file,
        				   unsigned int fd)
        {
        	if (fd < SKEL_FDS &&
        	    file_inode(file)->i_sb->s_magic == ANON_INODE_FS_MAGIC &&
        	    !strcmp(file->f_path.dentry->d_name.name, "btf"))
        		__set_bit(fd, ((struct skel_btf_fds *)fds)->open);
        	return 0;
        }

        static inline void skel_note_btf_fds(struct skel_btf_fds *fds)
        {
        	bitmap_zero(fds->open, SKEL_FDS);
        	iterate_fd(current->files, 0, skel_note_btf_fd, fds);
        }

        static inline void skel_close_btf_fds(const struct skel_btf_fds *before)
        {
        	struct skel_btf_fds now;
        	unsigned int fd;

        	skel_note_btf_fds(&now);
        	for_each_set_bit(fd, now.open, SKEL_FDS)
        		if (!test_bit(fd, before->open))
        			close_fd(fd);
        }

        /* Fills in the descriptors behind opts->ctx. On an error nothing stays open. */
        static inline int skel_load_and_run(struct bpf_load_and_run_opts *opts)
        {
        	int key = 0, data_fd, loader_fd, err;
        	struct skel_btf_fds btf_fds;

        	err = data_fd = skel_map_create(BPF_MAP_TYPE_ARRAY, "__loader.map",
        					sizeof(key), opts->data_sz, 1);
        	if (data_fd < 0) {
        		opts->errstr = "failed to create loader map";
        		goto out;
        	}
        	err = skel_map_update_elem(data_fd, &key, opts->data, 0);
        	if (err) {
        		opts->errstr = "failed to update loader map";
        		goto close_data;
        	}
        	err = loader_fd = skel_load_loader(opts, &data_fd);
        	if (loader_fd < 0) {
        		opts->errstr = "failed to load loader prog";
        		goto close_data;
        	}
        	skel_note_btf_fds(&btf_fds);
        	err = skel_run_loader(opts, loader_fd);
        	if (err) {
        		skel_close_btf_fds(&btf_fds);
        		opts->errstr = "failed to execute loader prog";
        	}
        	close_fd(loader_fd);
        close_data:
        	close_fd(data_fd);
        out:
        	if (err)
        		pr_err("%s: %d\n", opts->errstr, err);
        	return err;
        }
        """# + "\n"

    private static let entry = #"""

        static inline int bpf_load_and_run(struct bpf_load_and_run_opts *opts)
        {
        #ifdef SKEL_LOG
        	unsigned int i, size = opts->ctx->sz;
        	struct skel_logging logging;
        	int err = skel_logging_begin(&logging, opts);

        	if (!err) {
        		err = skel_load_and_run(&logging.opts);
        		memcpy(opts->ctx, logging.ctx, size);
        		opts->ctx->sz = size;
        		for (i = 0; i < logging.count; i++)
        			if (logging.places[i].buffer)
        				skel_log_print(logging.logs[i].name,
        					       logging.places[i].buffer);
        		skel_logging_end(&logging);
        		return err;
        	}
        	skel_logging_end(&logging);
        	pr_warn("no log: %d\n", err);
        #endif
        	return skel_load_and_run(opts);
        }

        #endif
        """# + "\n"
}
