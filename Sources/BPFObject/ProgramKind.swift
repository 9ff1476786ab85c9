// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// The kind of program that a section name requests, according to libbpf's table.
package struct ProgramKind: Sendable, Equatable {
    /// BPF_PROG_TYPE_*, spelled as in bpf(2) without the prefix.
    package let type: ProgramType
    /// What it is loaded for; nil if the kernel expects nothing, that is 0.
    package let attachType: AttachType?
    /// It may sleep: BPF_F_SLEEPABLE.
    package let isSleepable: Bool
    /// Loading it requires a type of the kernel's BTF: the section must name a target.
    package let needsTarget: Bool

    /// The kind that section `name`, without a leading `?`, requests; nil for a name that libbpf
    /// 1.1 does not know.
    package init?(section name: String) {
        // The first row counts, as in libbpf.
        guard let row = Self.rows.first(where: { $0.matches(name) }) else { return nil }
        type = row.type
        attachType = row.attachType
        isSleepable = row.isSleepable
        needsTarget = row.needsTarget
    }

    /// A row of libbpf's table.
    private struct Row: Sendable {
        let name: String
        let type: ProgramType
        let attachType: AttachType?
        /// `name` itself or `name/...`; otherwise `name` alone.
        let takesTarget: Bool
        let isSleepable: Bool
        let needsTarget: Bool

        init(
            _ name: String, _ type: ProgramType, for attachType: AttachType? = nil,
            takesTarget: Bool = false, isSleepable: Bool = false,
            needsTarget: Bool = false
        ) {
            self.name = name
            self.type = type
            self.attachType = attachType
            self.takesTarget = takesTarget || needsTarget
            self.isSleepable = isSleepable
            self.needsTarget = needsTarget
        }

        func matches(_ section: String) -> Bool {
            if section == name { return true }
            return takesTarget && section.utf8.count > name.utf8.count && section.hasPrefix(name)
                && section.utf8.dropFirst(name.utf8.count).first == UInt8(ascii: "/")
        }
    }

    private static func traced(
        _ name: String, _ type: AttachType, isSleepable: Bool = false
    ) -> Row {
        Row(name, .tracing, for: type, isSleepable: isSleepable, needsTarget: true)
    }

    private static func probe(_ name: String, isSleepable: Bool = false) -> Row {
        Row(name, .kprobe, takesTarget: true, isSleepable: isSleepable)
    }

    private static func cgroup(_ name: String, _ type: ProgramType, _ attach: AttachType) -> Row {
        Row(name, type, for: attach)
    }

    private static let rows: [Row] = [
        Row("socket", .socketFilter),
        Row("sk_reuseport/migrate", .skReuseport, for: .skReuseportSelectOrMigrate),
        Row("sk_reuseport", .skReuseport, for: .skReuseportSelect),
        probe("kprobe"), probe("uprobe"), probe("uprobe.s", isSleepable: true),
        probe("kretprobe"), probe("uretprobe"), probe("uretprobe.s", isSleepable: true),
        Row("kprobe.multi", .kprobe, for: .kprobeMulti, takesTarget: true),
        Row("kretprobe.multi", .kprobe, for: .kprobeMulti, takesTarget: true),
        probe("ksyscall"), probe("kretsyscall"), probe("usdt"),
        Row("tc", .schedCls),
        Row("classifier", .schedCls),
        Row("action", .schedAct),
        Row("tracepoint", .tracepoint, takesTarget: true),
        Row("tp", .tracepoint, takesTarget: true),
        Row("raw_tracepoint", .rawTracepoint, takesTarget: true),
        Row("raw_tp", .rawTracepoint, takesTarget: true),
        Row("raw_tracepoint.w", .rawTracepointWritable, takesTarget: true),
        Row("raw_tp.w", .rawTracepointWritable, takesTarget: true),
        traced("tp_btf", .traceRawTp), traced("fentry", .traceFentry),
        traced("fmod_ret", .modifyReturn), traced("fexit", .traceFexit),
        traced("fentry.s", .traceFentry, isSleepable: true),
        traced("fmod_ret.s", .modifyReturn, isSleepable: true),
        traced("fexit.s", .traceFexit, isSleepable: true),
        Row("freplace", .ext, needsTarget: true),
        Row("lsm", .lsm, for: .lsmMac, needsTarget: true),
        Row("lsm.s", .lsm, for: .lsmMac, isSleepable: true, needsTarget: true),
        Row("lsm_cgroup", .lsm, for: .lsmCgroup, needsTarget: true),
        traced("iter", .traceIter),
        traced("iter.s", .traceIter, isSleepable: true),
        Row("syscall", .syscall, isSleepable: true),
        Row("xdp.frags/devmap", .xdp, for: .xdpDevmap),
        Row("xdp/devmap", .xdp, for: .xdpDevmap),
        Row("xdp.frags/cpumap", .xdp, for: .xdpCpumap),
        Row("xdp/cpumap", .xdp, for: .xdpCpumap),
        Row("xdp.frags", .xdp, for: .xdp),
        Row("xdp", .xdp, for: .xdp),
        Row("perf_event", .perfEvent),
        Row("lwt_in", .lwtIn), Row("lwt_out", .lwtOut),
        Row("lwt_xmit", .lwtXmit), Row("lwt_seg6local", .lwtSeg6local),
        cgroup("sockops", .sockOps, .cgroupSockOps),
        Row("sk_skb/stream_parser", .skSkb, for: .skSkbStreamParser),
        Row("sk_skb/stream_verdict", .skSkb, for: .skSkbStreamVerdict),
        Row("sk_skb", .skSkb),
        Row("sk_msg", .skMsg, for: .skMsgVerdict),
        Row("lirc_mode2", .lircMode2, for: .lircMode2),
        Row("flow_dissector", .flowDissector, for: .flowDissector),
        cgroup("cgroup_skb/ingress", .cgroupSkb, .cgroupInetIngress),
        cgroup("cgroup_skb/egress", .cgroupSkb, .cgroupInetEgress),
        Row("cgroup/skb", .cgroupSkb),
        cgroup("cgroup/sock_create", .cgroupSock, .cgroupInetSockCreate),
        cgroup("cgroup/sock_release", .cgroupSock, .cgroupInetSockRelease),
        cgroup("cgroup/sock", .cgroupSock, .cgroupInetSockCreate),
        cgroup("cgroup/post_bind4", .cgroupSock, .cgroupInet4PostBind),
        cgroup("cgroup/post_bind6", .cgroupSock, .cgroupInet6PostBind),
        cgroup("cgroup/bind4", .cgroupSockAddr, .cgroupInet4Bind),
        cgroup("cgroup/bind6", .cgroupSockAddr, .cgroupInet6Bind),
        cgroup("cgroup/connect4", .cgroupSockAddr, .cgroupInet4Connect),
        cgroup("cgroup/connect6", .cgroupSockAddr, .cgroupInet6Connect),
        cgroup("cgroup/sendmsg4", .cgroupSockAddr, .cgroupUdp4Sendmsg),
        cgroup("cgroup/sendmsg6", .cgroupSockAddr, .cgroupUdp6Sendmsg),
        cgroup("cgroup/recvmsg4", .cgroupSockAddr, .cgroupUdp4Recvmsg),
        cgroup("cgroup/recvmsg6", .cgroupSockAddr, .cgroupUdp6Recvmsg),
        cgroup("cgroup/getpeername4", .cgroupSockAddr, .cgroupInet4Getpeername),
        cgroup("cgroup/getpeername6", .cgroupSockAddr, .cgroupInet6Getpeername),
        cgroup("cgroup/getsockname4", .cgroupSockAddr, .cgroupInet4Getsockname),
        cgroup("cgroup/getsockname6", .cgroupSockAddr, .cgroupInet6Getsockname),
        cgroup("cgroup/sysctl", .cgroupSysctl, .cgroupSysctl),
        cgroup("cgroup/getsockopt", .cgroupSockopt, .cgroupGetsockopt),
        cgroup("cgroup/setsockopt", .cgroupSockopt, .cgroupSetsockopt),
        cgroup("cgroup/dev", .cgroupDevice, .cgroupDevice),
        Row("struct_ops", .structOps, takesTarget: true),
        Row("sk_lookup", .skLookup, for: .skLookup),
    ]
}
