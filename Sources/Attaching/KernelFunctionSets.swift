// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFObject

/// Which programs may call the kernel functions of a set in `.BTF_ids`. Code registers the sets;
/// the file has only their names.
enum KernelFunctionSets {
    /// A word for each group of program types that share their kernel functions.
    private static let registrations: [String: String] = [
        "common_btf_ids": "all", "arena_kfuncs": "all", "bpf_map_iter_kfunc_ids": "all",
        "rqspinlock_kfunc_ids": "all", "io_uring_kfunc_set": "struct_ops",
        "generic_btf_ids": "tc xdp struct_ops tracing syscall cgroup",
        "cpumask_kfunc_btf_ids": "tracing struct_ops syscall",
        "tracing_btf_ids": "tracing",
        "bpf_rstat_kfunc_ids": "tracing", "key_sig_kfunc_set": "tracing",
        "bpf_sk_iter_kfunc_ids": "tracing", "bpf_fs_kfunc_set_ids": "tracing",
        "fsverity_set_ids": "tracing", "kprobe_multi_kfunc_set_ids": "kprobe",
        "session_kfunc_set_ids": "kprobe tracing",
        "crypt_init_kfunc_btf_ids": "syscall", "crypt_kfunc_btf_ids": "tc act xdp",
        "wakeup_source_kfunc_ids": "syscall",
        "test_sk_check_kfunc_ids": "tc tracing syscall",
        "bpf_kfunc_check_set_skb": "tc act sk_skb socket_filter lwt cgroup netfilter tracing",
        "bpf_kfunc_check_set_skb_meta": "tc act",
        "bpf_kfunc_check_set_xdp": "xdp", "xdp_metadata_kfunc_ids": "xdp",
        "bpf_kfunc_check_set_sock_addr": "cgroup", "bpf_kfunc_check_set_sock_ops": "cgroup",
        "bpf_kfunc_check_set_tcp_reqsk": "tc", "xfrm_state_kfunc_set": "xdp",
        "xfrm_ifc_kfunc_set": "tc", "fou_kfunc_set": "tc", "nf_ct_kfunc_set": "tc xdp",
        "nf_nat_kfunc_set": "tc xdp", "nf_ft_kfunc_set": "xdp",
        "bpf_tcp_ca_check_kfunc_ids": "struct_ops", "tcp_cubic_check_kfunc_ids": "struct_ops",
        "tcp_dctcp_check_kfunc_ids": "struct_ops", "tcp_bbr_check_kfunc_ids": "struct_ops",
        "qdisc_kfunc_ids": "struct_ops", "hid_bpf_kfunc_ids": "struct_ops",
        "hid_bpf_syscall_kfunc_ids": "syscall",
    ]

    private static func group(_ type: ProgramType) -> String? {
        switch type {
        case .xdp: "xdp"
        case .schedCls: "tc"
        case .schedAct: "act"
        case .structOps: "struct_ops"
        case .tracing, .lsm, .tracepoint, .rawTracepoint, .perfEvent: "tracing"
        case .syscall: "syscall"
        case .cgroupSkb, .cgroupSock, .cgroupDevice, .cgroupSockAddr, .cgroupSockopt, .cgroupSysctl,
            .sockOps:
            "cgroup"
        case .skSkb: "sk_skb"
        case .socketFilter: "socket_filter"
        case .lwtIn, .lwtOut, .lwtXmit, .lwtSeg6local: "lwt"
        case .kprobe: "kprobe"
        default: nil
        }
    }

    /// Whether a program of this type may call the function; nil if its sets do not show that.
    ///
    /// - Parameter sets: the kernel's, see `ImageFacts.sets`.
    static func permits(_ id: UInt32, _ type: ProgramType, sets: [String: [UInt32: UInt32]])
        -> Bool?
    {
        guard !sets.isEmpty, let group = group(type) else { return nil }
        var isListed = false
        for (name, ids) in sets where ids[id] != nil {
            guard let groups = registrations[name] else { return nil }
            isListed = true
            let words = groups.split(separator: " ")
            if words.contains("all") || words.contains(where: { $0 == group }) { return true }
        }
        return isListed ? false : nil
    }

    /// KF_SLEEPABLE.
    private static let sleepable: UInt32 = 1 << 5

    static func isSleepable(_ id: UInt32, sets: [String: [UInt32: UInt32]]) -> Bool {
        sets.values.contains { ($0[id] ?? 0) & sleepable != 0 }
    }
}
