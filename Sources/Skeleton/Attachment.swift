// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFObject

extension LightSkeleton.Attachment {
    /// How the kernel's loader commands (BPF_RAW_TRACEPOINT_OPEN and BPF_LINK_CREATE) attach a
    /// program, or why they cannot.
    ///
    /// - Parameters:
    ///   - type: BPF_PROG_TYPE_*.
    ///   - attachType: the expected enum bpf_attach_type.
    ///   - section: the name in the object: `raw_tp/sched_switch`.
    ///   - isLoaded: whether the loader loads the program.
    package init(type: UInt32, attachType: UInt32, section: String, isLoaded: Bool = true) {
        guard isLoaded else {
            self = .none(reason: "not loaded, its section starts with '?'")
            return
        }
        let purpose = AttachType(rawValue: attachType)
        switch ProgramType(rawValue: type) {
        case .rawTracepoint, .rawTracepointWritable:
            let name = section.split(
                separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            self =
                name.count == 2 && !name[1].isEmpty
                ? .rawTracepoint(String(name[1]))
                : .none(reason: "its section names no tracepoint")
        case .tracing where purpose == .traceIter: self = Self.iterator(section)
        case .tracing where purpose?.isMulti == true:
            self = .none(reason: "a link to many functions needs a list of them")
        case .lsm where purpose == .lsmCgroup: self = .link(.cgroup)
        case .tracing, .lsm: self = .tracing
        case .kprobe where purpose == .kprobeMulti || purpose == .kprobeSession:
            self = .none(reason: "a kprobe.multi link needs a list of functions")
        case .kprobe where purpose == .uprobeMulti || purpose == .uprobeSession:
            self = .none(reason: "a uprobe.multi link needs a file and a list of places in it")
        case .kprobe, .tracepoint, .perfEvent: self = .link(.perfEvent)
        case .xdp where purpose == .xdpDevmap || purpose == .xdpCpumap:
            self = .none(reason: "it is attached through a map")
        case .xdp: self = .link(.interface)
        case .cgroupSkb, .cgroupSock, .sockOps, .cgroupDevice, .cgroupSockAddr, .cgroupSysctl,
            .cgroupSockopt:
            self = .link(.cgroup)
        case .flowDissector, .skLookup: self = .link(.netns)
        case .socketFilter, .skReuseport:
            self = .none(reason: "it is attached to a socket with setsockopt")
        case .schedCls
        where [.tcxIngress, .tcxEgress, .netkitPrimary, .netkitPeer].contains(purpose):
            self = .link(.interface)
        case .netfilter:
            self = .none(reason: "a netfilter link needs a protocol family, a hook and a priority")
        case .schedCls, .schedAct, .lwtIn, .lwtOut, .lwtXmit, .lwtSeg6local:
            self = .none(reason: "it is attached through netlink")
        case .skSkb, .skMsg, .lircMode2:
            self = .none(reason: "it is attached with BPF_PROG_ATTACH, which loaders may not call")
        case .ext: self = .none(reason: "the program whose function it replaces is not known")
        case .structOps: self = .none(reason: "it belongs to a struct_ops map")
        case .syscall: self = .none(reason: "it is run with BPF_PROG_RUN")
        case .unspec, nil:
            self = .none(reason: "no loader command attaches programs of type \(type)")
        }
    }

    /// Iterators over map elements and over cgroups need to know which map or cgroup.
    private static func iterator(_ section: String) -> Self {
        switch section.drop(while: { $0 != "/" }).dropFirst() {
        case "bpf_map_elem", "bpf_sk_storage_map": .link(.map)
        case "cgroup": .link(.cgroupOfIterator)
        default: .iterator
        }
    }
}
