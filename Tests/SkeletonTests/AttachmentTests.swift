// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFObject
import Testing

@testable import Skeleton

struct AttachmentTests {
    private func attachment(
        _ type: ProgramType, _ purpose: AttachType = .cgroupInetIngress, _ section: String = "x"
    ) -> LightSkeleton.Attachment {
        LightSkeleton.Attachment(
            type: type.rawValue, attachType: purpose.rawValue, section: section)
    }

    @Test(arguments: ["raw_tp/sys_enter", "raw_tracepoint/sys_enter", "raw_tp.w/sys_enter"])
    func rawTracepointsByTheirSection(_ section: String) {
        #expect(attachment(.rawTracepoint, .traceRawTp, section) == .rawTracepoint("sys_enter"))
    }

    @Test(arguments: ["raw_tp", "raw_tp/"]) func rawTracepointsWithoutName(_ section: String) {
        #expect(
            attachment(.rawTracepoint, .traceRawTp, section)
                == .none(reason: "its section names no tracepoint"))
    }

    @Test(arguments: [
        (ProgramType.tracing, AttachType.traceFentry), (.tracing, .traceFexit),
        (.tracing, .modifyReturn), (.tracing, .traceRawTp), (.lsm, .lsmMac),
        (.tracing, .traceFsession),
    ])
    func targetsGivenAtLoad(_ type: ProgramType, _ purpose: AttachType) {
        #expect(attachment(type, purpose) == .tracing)
    }

    @Test(arguments: [
        ("iter/task", LightSkeleton.Attachment.iterator), ("iter.s/bpf_map", .iterator),
        ("iter/bpf_map_elem", .link(.map)), ("iter/bpf_sk_storage_map", .link(.map)),
        ("iter/cgroup", .link(.cgroupOfIterator)), ("iter", .iterator),
    ])
    func iterators(_ section: String, _ expected: LightSkeleton.Attachment) {
        #expect(attachment(.tracing, .traceIter, section) == expected)
    }

    @Test(arguments: [
        (ProgramType.xdp, AttachType.xdp, LightSkeleton.Target.interface),
        (.cgroupSkb, .cgroupInetEgress, .cgroup), (.cgroupSock, .cgroupInetSockCreate, .cgroup),
        (.cgroupSockAddr, .cgroupInet4Bind, .cgroup), (.sockOps, .cgroupSockOps, .cgroup),
        (.cgroupDevice, .cgroupDevice, .cgroup), (.cgroupSysctl, .cgroupSysctl, .cgroup),
        (.cgroupSockopt, .cgroupGetsockopt, .cgroup), (.lsm, .lsmCgroup, .cgroup),
        (.skLookup, .skLookup, .netns), (.flowDissector, .flowDissector, .netns),
        (.kprobe, .cgroupInetIngress, .perfEvent), (.tracepoint, .cgroupInetIngress, .perfEvent),
        (.perfEvent, .cgroupInetIngress, .perfEvent), (.schedCls, .tcxIngress, .interface),
        (.schedCls, .tcxEgress, .interface), (.schedCls, .netkitPrimary, .interface),
        (.schedCls, .netkitPeer, .interface), (.cgroupSockAddr, .cgroupUnixConnect, .cgroup),
    ])
    func targetsOfTheUser(
        _ type: ProgramType, _ purpose: AttachType, _ target: LightSkeleton.Target
    ) {
        #expect(attachment(type, purpose) == .link(target))
    }

    @Test(arguments: [
        (ProgramType.socketFilter, AttachType.cgroupInetIngress), (.schedCls, .cgroupInetIngress),
        (.skSkb, .skSkbStreamVerdict), (.skMsg, .skMsgVerdict), (.ext, .cgroupInetIngress),
        (.structOps, .cgroupInetIngress), (.syscall, .cgroupInetIngress), (.lircMode2, .lircMode2),
        (.lwtXmit, .cgroupInetIngress), (.skReuseport, .skReuseportSelect),
        (.kprobe, .kprobeMulti), (.kprobe, .kprobeSession), (.kprobe, .uprobeMulti),
        (.kprobe, .uprobeSession), (.tracing, .fentryMulti), (.tracing, .fexitMulti),
        (.tracing, .fsessionMulti), (.netfilter, .netfilter), (.xdp, .xdpDevmap),
        (.xdp, .xdpCpumap), (.unspec, .xdp),
    ])
    func othersSayWhyNot(_ type: ProgramType, _ purpose: AttachType) {
        guard case .none(let reason) = attachment(type, purpose) else {
            Issue.record("\(type) is attached")
            return
        }
        #expect(!reason.isEmpty)
    }

    @Test func typesOfLaterKernelsAreNamedByNumber() {
        #expect(
            LightSkeleton.Attachment(type: 77, attachType: 0, section: "x")
                == .none(reason: "no loader command attaches programs of type 77"))
    }

    @Test func whatIsNotLoadedIsNotAttached() {
        let attachment = LightSkeleton.Attachment(
            type: ProgramType.tracing.rawValue, attachType: AttachType.traceFentry.rawValue,
            section: "fentry/x", isLoaded: false)
        #expect(attachment == .none(reason: "not loaded, its section starts with '?'"))
    }
}
