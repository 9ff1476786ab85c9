// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Names of functions in the kernel's sets, for kernels whose `.BTF_ids` are not at hand. Each set
/// is that of 7.2; names that a release does not have do not occur in its BTF either.
enum HookNames {
    /// `btf_id_deny`
    static let denied: Set<String> = [
        "___migrate_enable", "migrate_disable", "migrate_enable", "rcu_read_unlock_strict",
        "preempt_count_add", "preempt_count_sub",
    ]

    /// The same, since 6.12.
    static let deniedLater: Set<String> = ["__rcu_read_lock", "__rcu_read_unlock"]

    /// `noreturn_deny`
    static let noReturn: Set<String> = [
        "__ia32_sys_exit", "__ia32_sys_exit_group", "__kunit_abort", "kunit_try_catch_throw",
        "__module_put_and_kthread_exit", "__x64_sys_exit", "__x64_sys_exit_group", "do_exit",
        "do_group_exit", "kthread_complete_and_exit", "kthread_exit", "make_task_dead",
    ]

    /// `bpf_lsm_disabled_hooks`
    static let disabledHooks = hooks(
        "vm_enough_memory inode_need_killpriv inode_getsecurity inode_listsecurity "
            + "inode_copy_up_xattr getselfattr getprocattr setprocattr key_getsecurity "
            + "audit_rule_match xfrm_decode_session ismaclabel")

    /// Disabled since 7.0, too.
    static let disabledLater = hooks("file_alloc_security")

    /// `sleepable_lsm_hooks`
    static let sleepableHooks = hooks(
        "bpf bpf_map bpf_map_create bpf_map_alloc_security bpf_map_free bpf_map_free_security "
            + "bpf_prog bpf_prog_load bpf_token_create bpf_token_free bpf_token_cmd "
            + "bpf_token_capable bprm_check_security bprm_committed_creds bprm_committing_creds "
            + "bprm_creds_for_exec bprm_creds_from_file capget capset cred_prepare file_ioctl "
            + "file_lock file_open file_post_open file_receive inode_create inode_free_security "
            + "inode_getattr inode_getxattr inode_mknod inode_need_killpriv inode_post_setxattr "
            + "inode_post_removexattr inode_readlink inode_removexattr inode_rename inode_rmdir "
            + "inode_setattr inode_setxattr inode_symlink inode_unlink kernel_module_request "
            + "kernel_read_file kernfs_init_security mmap_file netlink_send path_notify "
            + "release_secctx sb_alloc_security sb_eat_lsm_opts sb_kern_mount sb_mount sb_remount "
            + "sb_set_mnt_opts sb_show_options sb_statfs sb_umount settime socket_accept "
            + "socket_bind socket_connect socket_create socket_getpeername socket_getpeersec_dgram "
            + "socket_getsockname socket_getsockopt socket_listen socket_post_create "
            + "socket_recvmsg socket_sendmsg socket_shutdown socket_socketpair syslog task_alloc "
            + "task_prctl task_setscheduler userns_create bdev_alloc_security bdev_setintegrity")

    /// Sleepable in one of the releases only, or since some stable release.
    static let sometimesSleepable = hooks(
        "inet_conn_established key_free current_getsecid_subj task_getsecid_obj path_unlink "
            + "path_mkdir path_rmdir path_truncate path_symlink path_link path_rename path_chmod "
            + "path_chown")

    /// Sets that `register_btf_fmodret_id_set` gets.
    static let returnSets = ["bpf_test_modify_return_ids", "bpf_mptcp_fmodret_ids"]

    private static func hooks(_ names: String) -> Set<String> {
        Set(names.split(separator: " ").map { "bpf_lsm_" + $0 })
    }
}
