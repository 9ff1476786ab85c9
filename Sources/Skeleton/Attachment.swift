// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

extension LightSkeleton.Attachment {
    /// How the kernel's loader commands (BPF_RAW_TRACEPOINT_OPEN and BPF_LINK_CREATE) attach a program, or why
    /// they do not.
    ///
    /// - Parameters:
    ///   - type: BPF_PROG_TYPE_*.
    ///   - attachType: the expected enum bpf_attach_type.
    ///   - section: as the object has it: `raw_tp/sched_switch`.
    ///   - isLoaded: the loader loads the program.
    package init(type: UInt32, attachType: UInt32, section: String, isLoaded: Bool = true) {
        guard isLoaded else {
            self = .none(reason: "not loaded, its section starts with '?'")
            return
        }
        switch type {
        case BPFProgramType.rawTracepoint, BPFProgramType.rawTracepointWritable:
            let name = section.split(
                separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            self =
                name.count == 2 && !name[1].isEmpty
                ? .rawTracepoint(String(name[1]))
                : .none(reason: "its section names no tracepoint")
        case BPFProgramType.tracing where attachType == BPFAttachType.iterator:
            self = Self.iterator(section)
        case BPFProgramType.lsm where attachType == BPFAttachType.lsmCgroup: self = .link(.cgroup)
        case BPFProgramType.tracing, BPFProgramType.lsm: self = .tracing
        case BPFProgramType.kprobe where attachType == BPFAttachType.kprobeMulti:
            self = .none(reason: "a link for many kprobes takes a list of functions")
        case BPFProgramType.kprobe, BPFProgramType.tracepoint, BPFProgramType.perfEvent:
            self = .link(.perfEvent)
        case BPFProgramType.xdp
        where attachType == BPFAttachType.xdpDevmap || attachType == BPFAttachType.xdpCpumap:
            self = .none(reason: "it is put into a map")
        case BPFProgramType.xdp: self = .link(.interface)
        case BPFProgramType.cgroupSkb, BPFProgramType.cgroupSock, BPFProgramType.sockOps,
            BPFProgramType.cgroupDevice, BPFProgramType.cgroupSockAddr,
            BPFProgramType.cgroupSysctl, BPFProgramType.cgroupSockopt:
            self = .link(.cgroup)
        case BPFProgramType.flowDissector, BPFProgramType.skLookup: self = .link(.netns)
        default: self = .none(reason: Self.otherWay(type))
        }
    }

    /// Iterators over a map's elements and over cgroups must be told which.
    private static func iterator(_ section: String) -> Self {
        switch section.drop(while: { $0 != "/" }).dropFirst() {
        case "bpf_map_elem", "bpf_sk_storage_map": .link(.map)
        case "cgroup": .link(.cgroupOfIterator)
        default: .iterator
        }
    }

    /// How programs that no link takes are attached.
    private static func otherWay(_ type: UInt32) -> String {
        switch type {
        case BPFProgramType.socketFilter, BPFProgramType.skReuseport:
            "a socket takes it, by setsockopt"
        case BPFProgramType.schedulerClassifier, BPFProgramType.schedulerAction,
            BPFProgramType.lwtIn, BPFProgramType.lwtOut, BPFProgramType.lwtXmit,
            BPFProgramType.lwtSeg6Local:
            "netlink attaches it"
        case BPFProgramType.skSkb, BPFProgramType.skMsg, BPFProgramType.lircMode2:
            "BPF_PROG_ATTACH attaches it, which loaders may not call"
        case BPFProgramType.replacement: "the program that it replaces a function of is not known"
        case BPFProgramType.structOps: "a map of struct_ops takes it"
        case BPFProgramType.syscall: "it is run by BPF_PROG_RUN"
        default: "no loader command attaches programs of type \(type)"
        }
    }
}
