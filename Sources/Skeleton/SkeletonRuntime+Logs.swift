// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

// What the kernel reports while a loader runs, if the module was made with LOG_LEVEL.

extension SkeletonRuntime {
    static let logs = #"""

        #ifdef SKEL_LOG
        /*
         * The kernel writes logs to the memory of a process only: the one that loads the
         * module lends it. A loader reads where from its context, for all logs from the
         * same place. Here it gets one element more for each log, and instructions that
         * read there.
         */
        struct skel_log {
        	const char *name;
        	unsigned int insn;	/* reads the level */
        	unsigned int level;
        };

        /* In the order of the instructions, and of the context's own three. */
        struct skel_log_place {
        	__u32 level;
        	__u32 size;
        	__u64 buffer;
        };

        /* Pages without text take no memory. */
        #define SKEL_LOG_SIZE (16UL * 1024 * 1024 - PAGE_SIZE)

        static unsigned int skel_logs(const struct skel_log **logs);

        struct skel_logging {
        	const struct skel_log *logs;
        	unsigned int count;
        	struct bpf_load_and_run_opts opts;
        	struct bpf_loader_ctx *ctx;
        	struct skel_log_place *places;	/* at the end of ctx */
        	struct bpf_insn *insns;
        };

        static inline void skel_logging_end(struct skel_logging *logging)
        {
        	unsigned int i;

        	for (i = 0; logging->ctx && i < logging->count; i++)
        		if (logging->places[i].buffer)
        			vm_munmap(logging->places[i].buffer, SKEL_LOG_SIZE);
        	kvfree(logging->insns);
        	kfree(logging->ctx);
        }

        static inline int skel_log_lend(struct skel_log_place *place, unsigned int level)
        {
        	unsigned long at = vm_mmap(NULL, 0, SKEL_LOG_SIZE, PROT_READ | PROT_WRITE,
        				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, 0);

        	if (IS_ERR_VALUE(at))
        		return (int)at;
        	place->level = level;
        	place->size = SKEL_LOG_SIZE;
        	place->buffer = at;
        	return 0;
        }

        static inline int skel_logging_begin(struct skel_logging *logging,
        				     const struct bpf_load_and_run_opts *opts)
        {
        	unsigned int own = ALIGN(opts->ctx->sz, sizeof(__u64));
        	unsigned int i, part, size;
        	int err = 0;

        	memset(logging, 0, sizeof(*logging));
        	logging->count = skel_logs(&logging->logs);
        	size = own + logging->count * sizeof(*logging->places);
        	/* A kernel thread has no memory to lend. */
        	if (!current->mm)
        		return -EOPNOTSUPP;
        	logging->ctx = kzalloc(size, GFP_KERNEL);
        	if (!logging->ctx)
        		return -ENOMEM;
        	logging->places = (void *)logging->ctx + own;
        	logging->insns = kvmalloc(opts->insns_sz, GFP_KERNEL);
        	if (!logging->insns)
        		return -ENOMEM;
        	memcpy(logging->ctx, opts->ctx, opts->ctx->sz);
        	logging->ctx->sz = size;
        	memcpy(logging->insns, opts->insns, opts->insns_sz);
        	logging->opts = *opts;
        	logging->opts.ctx = logging->ctx;
        	logging->opts.insns = logging->insns;
        	for (i = 0; i < logging->count && !err; i++) {
        		const struct skel_log *log = &logging->logs[i];

        		for (part = 0; part < 3; part++)
        			logging->insns[log->insn + \#(LoaderLogs.distance) * part].off =
        				own + i * sizeof(*logging->places) + 4 * part;
        		if (log->level)
        			err = skel_log_lend(&logging->places[i], log->level);
        	}
        	return err;
        }

        /* Line by line; long lines are broken. */
        static inline void skel_log_print(const char *name, unsigned long at)
        {
        	char line[256], *end;
        	long length;

        	for (;; at += length) {
        		length = strncpy_from_user(line, (const char __user *)at,
        					   sizeof(line) - 1);
        		if (length <= 0)
        			return;
        		line[length] = 0;
        		end = strchr(line, '\n');
        		if (end) {
        			*end = 0;
        			length = end + 1 - line;
        		}
        		pr_info("%s: %s\n", name, line);
        		cond_resched();
        	}
        }
        #endif
        """# + "\n"
}
