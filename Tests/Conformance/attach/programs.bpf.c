// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * One BPF program for each CASE_name, which the compiler is given: targets that exist and that do not, arguments read
 * rightly and wrongly, members and kfuncs that are there or not. Types are declared here, so that an object is the same
 * for all kernels.
 */
#define SEC(name) __attribute__((section(name), used))
#define CORE __attribute__((preserve_access_index))
#define KSYM SEC(".ksyms")
#define KSYM_VARIABLE __attribute__((section(".ksyms")))

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

/* The program `hook` of a section: CONTEXT is `u64 *ctx` unless it says otherwise. */
#define PROGRAM(section, ...) \
	SEC(section) int hook(u64 *ctx) { __VA_ARGS__; return 0; }
/* Reads slot N, as SIZE. */
#define READ(n, type) *(volatile type *)&ctx[n]

char LICENSE[] SEC("license") = "GPL";
volatile u64 seen;

struct task_struct { int pid; char comm[16]; } CORE;
struct file { u32 f_flags; } CORE;

/* Functions and their arguments. vfs_read(file, buffer, count, position) returns a number. */
#ifdef CASE_fentry
PROGRAM("fentry/vfs_read", seen = READ(0, u64); seen = READ(1, u64); seen = READ(2, u64); seen = READ(3, u64))
#endif
#ifdef CASE_fentry_missing
PROGRAM("fentry/no_such_function", )
#endif
#ifdef CASE_fentry_of_type
PROGRAM("fentry/task_struct", )
#endif
#ifdef CASE_fentry_return_value
PROGRAM("fentry/vfs_read", seen = READ(4, u64))
#endif
#ifdef CASE_fexit
PROGRAM("fexit/vfs_read", seen = READ(4, u64))
#endif
#ifdef CASE_fexit_missing
PROGRAM("fexit/no_such_function", )
#endif
#ifdef CASE_fexit_beyond
PROGRAM("fexit/vfs_read", seen = READ(5, u64))
#endif
#ifdef CASE_fexit_void
/* security_inode_free(inode) returns nothing. */
PROGRAM("fexit/security_inode_free", seen = READ(1, u64))
#endif
#ifdef CASE_far_beyond
PROGRAM("fentry/vfs_read", seen = READ(20, u64))
#endif
#ifdef CASE_between_slots
PROGRAM("fentry/vfs_read", seen = *(volatile u32 *)((char *)ctx + 4))
#endif
#ifdef CASE_number_in_part
PROGRAM("fentry/vfs_read", seen = READ(2, u32))
#endif
#ifdef CASE_byte_of_number
PROGRAM("fentry/vfs_read", seen = READ(2, u8))
#endif
#ifdef CASE_pointer_in_part
PROGRAM("fentry/vfs_read", seen = READ(0, u32))
#endif
#ifdef CASE_pointer_to_char
PROGRAM("fentry/vfs_read", seen = READ(1, u64))
#endif
#ifdef CASE_pointer_to_pointer
/* simple_strtoul(text, end, base) */
PROGRAM("fentry/simple_strtoul", seen = READ(1, u64))
#endif
#ifdef CASE_pointer_to_function
/* smp_call_function_single(cpu, function, info, wait) */
PROGRAM("fentry/smp_call_function_single", seen = READ(1, u64))
#endif
#ifdef CASE_pointer_to_void
PROGRAM("fentry/smp_call_function_single", seen = READ(2, u64))
#endif
#ifdef CASE_store
PROGRAM("fentry/vfs_read", ctx[0] = 0)
#endif
#ifdef CASE_store_through_argument
PROGRAM("tp_btf/sched_switch", ((struct task_struct *)READ(1, u64))->pid = 3)
#endif
#ifdef CASE_static_function
static __attribute__((noinline)) int inner(u64 *ctx) { seen = READ(1, u64); return 0; }
PROGRAM("tp_btf/sched_switch", inner(ctx))
#endif
#ifdef CASE_static_function_beyond
static __attribute__((noinline)) int inner(u64 *ctx) { seen = READ(4, u64); return 0; }
PROGRAM("tp_btf/sched_switch", inner(ctx))
#endif
#ifdef CASE_variadic
PROGRAM("fentry/_printk", )
#endif
#ifdef CASE_denied
PROGRAM("fentry/migrate_disable", )
#endif
#ifdef CASE_init_function
PROGRAM("fentry/start_kernel", )
#endif
#ifdef CASE_without_tracing
PROGRAM("fentry/do_syscall_64", )
#endif
#ifdef CASE_many_arguments
/* do_mmap has eight arguments, or seven. */
PROGRAM("fentry/do_mmap", seen = READ(6, u64))
#endif
#ifdef CASE_sleepable
PROGRAM("fentry.s/bpf_lsm_file_open", )
#endif
#ifdef CASE_sleepable_not
PROGRAM("fentry.s/vfs_read", )
#endif

/* Ways. */
#ifdef CASE_fmod_ret
PROGRAM("fmod_ret/security_file_open", )
#endif
#ifdef CASE_fmod_ret_not
PROGRAM("fmod_ret/vfs_read", )
#endif
#ifdef CASE_fmod_ret_void
PROGRAM("fmod_ret/security_inode_free", )
#endif
#ifdef CASE_lsm
PROGRAM("lsm/file_open", seen = READ(0, u64))
#endif
#ifdef CASE_lsm_missing
PROGRAM("lsm/no_such_hook", )
#endif
#ifdef CASE_lsm_beyond
PROGRAM("lsm/file_open", seen = READ(3, u64))
#endif
#ifdef CASE_lsm_sleepable
PROGRAM("lsm.s/file_open", )
#endif
#ifdef CASE_lsm_sleepable_not
PROGRAM("lsm.s/task_free", )
#endif
#ifdef CASE_tp_btf
PROGRAM("tp_btf/sched_switch", seen = READ(0, u8); seen = READ(1, u64); seen = READ(2, u64))
#endif
#ifdef CASE_tp_btf_missing
PROGRAM("tp_btf/no_such_tracepoint", )
#endif
#ifdef CASE_tp_btf_beyond
PROGRAM("tp_btf/sched_switch", seen = READ(4, u64))
#endif
#ifdef CASE_tp_btf_function
PROGRAM("tp_btf/vfs_read", )
#endif
#ifdef CASE_iter
PROGRAM("iter/task", seen = READ(0, u64))
#endif
#ifdef CASE_iter_missing
PROGRAM("iter/no_such_iterator", )
#endif
#ifdef CASE_iter_beyond
PROGRAM("iter/task", seen = READ(2, u64))
#endif
#ifdef CASE_kprobe
PROGRAM("kprobe/vfs_read", )
#endif
#ifdef CASE_raw_tp
PROGRAM("raw_tp/sched_switch", seen = READ(1, u64))
#endif
#ifdef CASE_raw_tp_missing
PROGRAM("raw_tp/no_such_tracepoint", )
#endif
#ifdef CASE_section_unknown
PROGRAM("no_such_section", )
#endif

/* Variables of the kernel: bpf_prog_active is an int for each processor. */
#ifdef CASE_variable
extern const int bpf_prog_active KSYM_VARIABLE;
PROGRAM("tp_btf/sched_switch", seen = (u64)&bpf_prog_active)
#endif
#ifdef CASE_variable_missing
extern const int no_such_variable KSYM_VARIABLE;
PROGRAM("tp_btf/sched_switch", seen = (u64)&no_such_variable)
#endif
#ifdef CASE_variable_missing_weak
extern const int no_such_variable KSYM_VARIABLE __attribute__((weak));
PROGRAM("tp_btf/sched_switch", seen = (u64)&no_such_variable)
#endif
#ifdef CASE_variable_other_type
extern const struct task_struct bpf_prog_active KSYM_VARIABLE;
PROGRAM("tp_btf/sched_switch", seen = (u64)&bpf_prog_active)
#endif

/* Types and members. */
#ifdef CASE_member
PROGRAM("tp_btf/sched_switch", seen = ((struct task_struct *)READ(1, u64))->pid)
#endif
#ifdef CASE_member_missing
struct task_struct___x { int no_such_member; } CORE;
PROGRAM("tp_btf/sched_switch", seen = ((struct task_struct___x *)READ(1, u64))->no_such_member)
#endif
#ifdef CASE_member_asked
struct task_struct___x { int no_such_member; } CORE;
PROGRAM("tp_btf/sched_switch",
	struct task_struct___x *task = (void *)READ(1, u64);
	if (__builtin_preserve_field_info(task->no_such_member, 2))
		seen = task->no_such_member)
#endif
#ifdef CASE_member_unlike
/* A number here, an array there. */
struct task_struct___x { int comm; } CORE;
PROGRAM("tp_btf/sched_switch", seen = ((struct task_struct___x *)READ(1, u64))->comm)
#endif
#ifdef CASE_type_missing
struct no_such_struct { int member; } CORE;
PROGRAM("tp_btf/sched_switch", seen = ((struct no_such_struct *)READ(1, u64))->member)
#endif
#ifdef CASE_flavour
struct task_struct___mine { int pid; } CORE;
PROGRAM("tp_btf/sched_switch", seen = ((struct task_struct___mine *)READ(1, u64))->pid)
#endif
#ifdef CASE_nested_member
struct sched_entity { u64 vruntime; } CORE;
struct task_struct___x { struct sched_entity se; } CORE;
PROGRAM("tp_btf/sched_switch", seen = ((struct task_struct___x *)READ(1, u64))->se.vruntime)
#endif
#ifdef CASE_enumerator
enum bpf_map_type { BPF_MAP_TYPE_HASH = 77 };
PROGRAM("tp_btf/sched_switch", seen = __builtin_preserve_enum_value(*(enum bpf_map_type *)BPF_MAP_TYPE_HASH, 1))
#endif
#ifdef CASE_enumerator_missing
enum bpf_map_type { BPF_MAP_TYPE_NONE_SUCH = 1 };
PROGRAM("tp_btf/sched_switch", seen = __builtin_preserve_enum_value(*(enum bpf_map_type *)BPF_MAP_TYPE_NONE_SUCH, 1))
#endif
#ifdef CASE_size_of_missing
struct no_such_struct { int member; };
PROGRAM("tp_btf/sched_switch", seen = __builtin_preserve_type_info(*(struct no_such_struct *)0, 1))
#endif
#ifdef CASE_exists_missing
struct no_such_struct { int member; };
PROGRAM("tp_btf/sched_switch", seen = __builtin_preserve_type_info(*(struct no_such_struct *)0, 0))
#endif
#ifdef CASE_socket_member_missing
struct task_struct___x { int no_such_member; } CORE;
SEC("socket") int hook(u64 *ctx) { struct task_struct___x *task = (void *)ctx; return (long)&task->no_such_member; }
#endif

/* Kernel functions. */
/* libbpf compares kinds: a declaration is not a struct. */
#define KEYS \
	struct bpf_key { int member; }; \
	extern struct bpf_key *bpf_lookup_user_key(u32 serial, u64 flags) KSYM; \
	extern void bpf_key_put(struct bpf_key *key) KSYM; \
	static inline void keys(void) { struct bpf_key *key = bpf_lookup_user_key(1, 0); if (key) bpf_key_put(key); }
#ifdef CASE_kfunc
KEYS
PROGRAM("lsm.s/file_open", keys())
#endif
#ifdef CASE_kfunc_other_type
KEYS
SEC("xdp") int hook(u64 *ctx) { keys(); return 2; }
#endif
#ifdef CASE_kfunc_missing
extern void bpf_no_such_kfunc(void) KSYM;
PROGRAM("lsm.s/file_open", bpf_no_such_kfunc())
#endif
#ifdef CASE_kfunc_missing_weak
extern void bpf_no_such_kfunc(void) KSYM __attribute__((weak));
PROGRAM("lsm.s/file_open", if (bpf_no_such_kfunc) bpf_no_such_kfunc())
#endif
#ifdef CASE_kfunc_declaration
struct bpf_key;
extern void bpf_key_put(struct bpf_key *key) KSYM;
PROGRAM("lsm.s/file_open", bpf_key_put((void *)0))
#endif
#ifdef CASE_kfunc_fewer_arguments
struct bpf_key { int member; };
extern struct bpf_key *bpf_lookup_user_key(u32 serial) KSYM;
PROGRAM("lsm.s/file_open", seen = (long)bpf_lookup_user_key(1))
#endif
#ifdef CASE_kfunc_number_for_pointer
extern void bpf_key_put(int key) KSYM;
PROGRAM("lsm.s/file_open", bpf_key_put(1))
#endif
#ifdef CASE_kfunc_not_one
/* A function of the kernel, but none that programs may call. */
struct inode { int member; };
extern void iput(struct inode *inode) KSYM;
PROGRAM("lsm.s/file_open", iput((void *)0))
#endif
