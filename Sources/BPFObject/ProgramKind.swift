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
    /// The version of libbpf that knows it first; 1.1 for all that are older.
    package let since: LibBPFVersion

    /// The kind that section `name`, without a leading `?`, requests; nil for a name that libbpf
    /// 1.8 does not know.
    package init?(section name: String) {
        // The first row counts, as in libbpf.
        guard let row = Self.rows.first(where: { $0.matches(name) }) else { return nil }
        type = row.type
        attachType = row.attachType
        isSleepable = row.isSleepable
        needsTarget = row.needsTarget
        since = row.since
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
        let since: LibBPFVersion

        /// - Parameter since: the minor version.
        init(
            _ name: String, _ type: ProgramType, for attachType: AttachType? = nil,
            takesTarget: Bool = false, isSleepable: Bool = false,
            needsTarget: Bool = false, since: Int = 1
        ) {
            self.since = LibBPFVersion(1, since)
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
        _ name: String, _ type: AttachType, isSleepable: Bool = false, since: Int = 1
    ) -> Row {
        Row(name, .tracing, for: type, isSleepable: isSleepable, needsTarget: true, since: since)
    }

    /// For many functions at once, which are named when it is attached.
    private static func tracedMulti(
        _ name: String, _ type: AttachType, isSleepable: Bool = false
    ) -> Row {
        Row(name, .tracing, for: type, takesTarget: true, isSleepable: isSleepable, since: 8)
    }

    private static func probe(
        _ name: String, for type: AttachType? = nil, isSleepable: Bool = false, since: Int = 1
    ) -> Row {
        Row(name, .kprobe, for: type, takesTarget: true, isSleepable: isSleepable, since: since)
    }

    private static func unix(_ name: String, _ type: AttachType) -> Row {
        Row("cgroup/\(name)_unix", .cgroupSockAddr, for: type, since: 3)
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
        probe("kprobe.session", for: .kprobeSession, since: 5),
        probe("uprobe.multi", for: .uprobeMulti, since: 3),
        probe("uretprobe.multi", for: .uprobeMulti, since: 3),
        probe("uprobe.session", for: .uprobeSession, since: 6),
        probe("uprobe.multi.s", for: .uprobeMulti, isSleepable: true, since: 3),
        probe("uretprobe.multi.s", for: .uprobeMulti, isSleepable: true, since: 3),
        probe("uprobe.session.s", for: .uprobeSession, isSleepable: true, since: 6),
        probe("ksyscall"), probe("kretsyscall"), probe("usdt"),
        probe("usdt.s", isSleepable: true, since: 3),
        Row("tc/ingress", .schedCls, for: .tcxIngress, since: 3),
        Row("tc/egress", .schedCls, for: .tcxEgress, since: 3),
        Row("tcx/ingress", .schedCls, for: .tcxIngress, since: 3),
        Row("tcx/egress", .schedCls, for: .tcxEgress, since: 3),
        Row("tc", .schedCls),
        Row("classifier", .schedCls),
        Row("action", .schedAct),
        Row("netkit/primary", .schedCls, for: .netkitPrimary, since: 3),
        Row("netkit/peer", .schedCls, for: .netkitPeer, since: 3),
        Row("tracepoint", .tracepoint, takesTarget: true),
        Row("tp", .tracepoint, takesTarget: true),
        Row("tracepoint.s", .tracepoint, takesTarget: true, isSleepable: true, since: 8),
        Row("tp.s", .tracepoint, takesTarget: true, isSleepable: true, since: 8),
        Row("raw_tracepoint", .rawTracepoint, takesTarget: true),
        Row("raw_tp", .rawTracepoint, takesTarget: true),
        Row("raw_tracepoint.s", .rawTracepoint, takesTarget: true, isSleepable: true, since: 8),
        Row("raw_tp.s", .rawTracepoint, takesTarget: true, isSleepable: true, since: 8),
        Row("raw_tracepoint.w", .rawTracepointWritable, takesTarget: true),
        Row("raw_tp.w", .rawTracepointWritable, takesTarget: true),
        traced("tp_btf", .traceRawTp), traced("fentry", .traceFentry),
        traced("tp_btf.s", .traceRawTp, isSleepable: true, since: 8),
        traced("fmod_ret", .modifyReturn), traced("fexit", .traceFexit),
        traced("fentry.s", .traceFentry, isSleepable: true),
        traced("fmod_ret.s", .modifyReturn, isSleepable: true),
        traced("fexit.s", .traceFexit, isSleepable: true),
        traced("fsession", .traceFsession, since: 7),
        traced("fsession.s", .traceFsession, isSleepable: true, since: 7),
        tracedMulti("fsession.multi", .fsessionMulti),
        tracedMulti("fsession.multi.s", .fsessionMulti, isSleepable: true),
        tracedMulti("fentry.multi", .fentryMulti), tracedMulti("fexit.multi", .fexitMulti),
        tracedMulti("fentry.multi.s", .fentryMulti, isSleepable: true),
        tracedMulti("fexit.multi.s", .fexitMulti, isSleepable: true),
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
        Row("sk_skb/verdict", .skSkb, for: .skSkbVerdict, since: 4),
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
        unix("connect", .cgroupUnixConnect),
        cgroup("cgroup/sendmsg4", .cgroupSockAddr, .cgroupUdp4Sendmsg),
        cgroup("cgroup/sendmsg6", .cgroupSockAddr, .cgroupUdp6Sendmsg),
        unix("sendmsg", .cgroupUnixSendmsg),
        cgroup("cgroup/recvmsg4", .cgroupSockAddr, .cgroupUdp4Recvmsg),
        cgroup("cgroup/recvmsg6", .cgroupSockAddr, .cgroupUdp6Recvmsg),
        unix("recvmsg", .cgroupUnixRecvmsg),
        cgroup("cgroup/getpeername4", .cgroupSockAddr, .cgroupInet4Getpeername),
        cgroup("cgroup/getpeername6", .cgroupSockAddr, .cgroupInet6Getpeername),
        unix("getpeername", .cgroupUnixGetpeername),
        cgroup("cgroup/getsockname4", .cgroupSockAddr, .cgroupInet4Getsockname),
        cgroup("cgroup/getsockname6", .cgroupSockAddr, .cgroupInet6Getsockname),
        unix("getsockname", .cgroupUnixGetsockname),
        cgroup("cgroup/sysctl", .cgroupSysctl, .cgroupSysctl),
        cgroup("cgroup/getsockopt", .cgroupSockopt, .cgroupGetsockopt),
        cgroup("cgroup/setsockopt", .cgroupSockopt, .cgroupSetsockopt),
        cgroup("cgroup/dev", .cgroupDevice, .cgroupDevice),
        Row("struct_ops", .structOps, takesTarget: true),
        Row("struct_ops.s", .structOps, takesTarget: true, isSleepable: true, since: 2),
        Row("sk_lookup", .skLookup, for: .skLookup),
        Row("netfilter", .netfilter, for: .netfilter, since: 3),
    ]
}
