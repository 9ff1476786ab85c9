// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// What sort of program a section's name asks for, by libbpf's table of them.
package struct ProgramKind: Sendable, Equatable {
    /// BPF_PROG_TYPE_*, as bpf(2) spells it without that.
    package let type: ProgramType
    /// What it is loaded for; nil where the kernel expects nothing, and 0.
    package let attachType: AttachType?
    /// It may sleep: BPF_F_SLEEPABLE.
    package let isSleepable: Bool
    /// The kernel is asked for a type of its BTF to load it: the section must name a target.
    package let needsTarget: Bool
    package let attachment: Attachment

    /// By which command of a loader, or of what it is called from, it can be attached.
    package enum Attachment: Sendable, Equatable {
        /// BPF_RAW_TRACEPOINT_OPEN with the tracepoint's name.
        case rawTracepoint
        /// BPF_RAW_TRACEPOINT_OPEN without a name: the target was given at load.
        case tracing
        /// BPF_LINK_CREATE without a target.
        case iterator
        /// BPF_LINK_CREATE with the descriptor of a cgroup or a network namespace.
        case linkToDescriptor
        /// BPF_LINK_CREATE with the number of a network interface.
        case linkToInterface
        /// By none of them; why.
        case impossible(String)
    }

    /// What the section `name`, without a `?` before it, asks for; nil for a name libbpf 1.1 does not know.
    package init?(section name: String) {
        // The first row counts, as in libbpf.
        guard let row = Self.rows.first(where: { $0.matches(name) }) else { return nil }
        type = row.type
        attachType = row.attachType
        isSleepable = row.isSleepable
        needsTarget = row.needsTarget
        attachment = row.attachment
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
        let attachment: Attachment

        init(
            _ name: String, _ type: ProgramType, for attachType: AttachType? = nil,
            _ attachment: Attachment, takesTarget: Bool = false, isSleepable: Bool = false,
            needsTarget: Bool = false
        ) {
            self.name = name
            self.type = type
            self.attachType = attachType
            self.attachment = attachment
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

    private static let perfEvent = Attachment.impossible(
        "it attaches to a perf event, which no command of a loader opens")
    private static let socket = Attachment.impossible("it attaches to a socket by setsockopt(2)")
    private static let socketMap = Attachment.impossible(
        "it attaches to a map of sockets by BPF_PROG_ATTACH, which no loader may call")
    private static let route = Attachment.impossible("it attaches to a route by netlink")
    private static let called = Attachment.impossible("it is called from a map entry, not attached")

    private static func traced(
        _ name: String, _ type: AttachType, isSleepable: Bool = false,
        _ attachment: Attachment = .tracing
    ) -> Row {
        Row(name, .tracing, for: type, attachment, isSleepable: isSleepable, needsTarget: true)
    }

    private static func probe(_ name: String, isSleepable: Bool = false) -> Row {
        Row(name, .kprobe, perfEvent, takesTarget: true, isSleepable: isSleepable)
    }

    private static func cgroup(_ name: String, _ type: ProgramType, _ attach: AttachType) -> Row {
        Row(name, type, for: attach, .linkToDescriptor)
    }

    private static let rows: [Row] = [
        Row("socket", .socketFilter, socket),
        Row("sk_reuseport/migrate", .skReuseport, for: .skReuseportSelectOrMigrate, socket),
        Row("sk_reuseport", .skReuseport, for: .skReuseportSelect, socket),
        probe("kprobe"), probe("uprobe"), probe("uprobe.s", isSleepable: true),
        probe("kretprobe"), probe("uretprobe"), probe("uretprobe.s", isSleepable: true),
        Row("kprobe.multi", .kprobe, for: .kprobeMulti, multi, takesTarget: true),
        Row("kretprobe.multi", .kprobe, for: .kprobeMulti, multi, takesTarget: true),
        probe("ksyscall"), probe("kretsyscall"), probe("usdt"),
        Row("tc", .schedCls, .impossible("it attaches to a queueing discipline by netlink")),
        Row(
            "classifier", .schedCls, .impossible("it attaches to a queueing discipline by netlink")),
        Row("action", .schedAct, .impossible("it attaches to a queueing discipline by netlink")),
        Row("tracepoint", .tracepoint, perfEvent, takesTarget: true),
        Row("tp", .tracepoint, perfEvent, takesTarget: true),
        Row("raw_tracepoint", .rawTracepoint, .rawTracepoint, takesTarget: true),
        Row("raw_tp", .rawTracepoint, .rawTracepoint, takesTarget: true),
        Row("raw_tracepoint.w", .rawTracepointWritable, .rawTracepoint, takesTarget: true),
        Row("raw_tp.w", .rawTracepointWritable, .rawTracepoint, takesTarget: true),
        traced("tp_btf", .traceRawTp), traced("fentry", .traceFentry),
        traced("fmod_ret", .modifyReturn), traced("fexit", .traceFexit),
        traced("fentry.s", .traceFentry, isSleepable: true),
        traced("fmod_ret.s", .modifyReturn, isSleepable: true),
        traced("fexit.s", .traceFexit, isSleepable: true),
        Row(
            "freplace", .ext,
            .impossible("it replaces a function of a program that is loaded already"),
            needsTarget: true),
        Row("lsm", .lsm, for: .lsmMac, .tracing, needsTarget: true),
        Row("lsm.s", .lsm, for: .lsmMac, .tracing, isSleepable: true, needsTarget: true),
        Row("lsm_cgroup", .lsm, for: .lsmCgroup, .linkToDescriptor, needsTarget: true),
        traced("iter", .traceIter, .iterator),
        traced("iter.s", .traceIter, isSleepable: true, .iterator),
        Row("syscall", .syscall, .impossible("it is run, not attached"), isSleepable: true),
        Row("xdp.frags/devmap", .xdp, for: .xdpDevmap, called),
        Row("xdp/devmap", .xdp, for: .xdpDevmap, called),
        Row("xdp.frags/cpumap", .xdp, for: .xdpCpumap, called),
        Row("xdp/cpumap", .xdp, for: .xdpCpumap, called),
        Row("xdp.frags", .xdp, for: .xdp, .linkToInterface),
        Row("xdp", .xdp, for: .xdp, .linkToInterface),
        Row("perf_event", .perfEvent, perfEvent),
        Row("lwt_in", .lwtIn, route), Row("lwt_out", .lwtOut, route),
        Row("lwt_xmit", .lwtXmit, route), Row("lwt_seg6local", .lwtSeg6local, route),
        cgroup("sockops", .sockOps, .cgroupSockOps),
        Row("sk_skb/stream_parser", .skSkb, for: .skSkbStreamParser, socketMap),
        Row("sk_skb/stream_verdict", .skSkb, for: .skSkbStreamVerdict, socketMap),
        Row("sk_skb", .skSkb, socketMap),
        Row("sk_msg", .skMsg, for: .skMsgVerdict, socketMap),
        Row(
            "lirc_mode2", .lircMode2, for: .lircMode2,
            .impossible("it attaches to a device by BPF_PROG_ATTACH")),
        Row("flow_dissector", .flowDissector, for: .flowDissector, .linkToDescriptor),
        cgroup("cgroup_skb/ingress", .cgroupSkb, .cgroupInetIngress),
        cgroup("cgroup_skb/egress", .cgroupSkb, .cgroupInetEgress),
        Row(
            "cgroup/skb", .cgroupSkb,
            .impossible("its section does not say whether it is for ingress or egress")),
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
        Row(
            "struct_ops", .structOps, .impossible("it is part of a struct_ops map"),
            takesTarget: true),
        Row("sk_lookup", .skLookup, for: .skLookup, .linkToDescriptor),
    ]

    private static let multi = Attachment.impossible(
        "it attaches to functions by their addresses, which a loader does not look up")
}
