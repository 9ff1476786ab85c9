// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import CBpf
import TestSupport
import Testing

@testable import BPFObject

/// The table of sections is libbpf's, whichever version it is.
@Suite struct ProgramKindTests {
    static let names = [
        "socket", "sk_reuseport/migrate", "sk_reuseport", "kprobe/f", "kprobe", "uprobe//bin/x:f",
        "uprobe.s/x", "kretprobe/f", "uretprobe/x", "uretprobe.s/x", "kprobe.multi/f*",
        "kretprobe.multi/f*", "ksyscall/open", "kretsyscall/open", "usdt/x", "tc", "classifier",
        "action", "tracepoint/a/b", "tp/a/b", "raw_tracepoint/x", "raw_tp/x", "raw_tp",
        "raw_tracepoint.w/x", "raw_tp.w/x", "tp_btf/x", "fentry/f", "fmod_ret/f", "fexit/f",
        "fentry.s/f", "fmod_ret.s/f", "fexit.s/f", "fentry", "freplace/f", "lsm/h", "lsm.s/h",
        "lsm_cgroup/h", "iter/task", "iter.s/task", "syscall", "xdp.frags/devmap", "xdp/devmap",
        "xdp.frags/cpumap", "xdp/cpumap", "xdp.frags", "xdp", "perf_event", "lwt_in", "lwt_out",
        "lwt_xmit", "lwt_seg6local", "sockops", "sk_skb/stream_parser", "sk_skb/stream_verdict",
        "sk_skb", "sk_msg", "lirc_mode2", "flow_dissector", "cgroup_skb/ingress",
        "cgroup_skb/egress", "cgroup/skb", "cgroup/sock_create", "cgroup/sock_release",
        "cgroup/sock", "cgroup/post_bind4", "cgroup/post_bind6", "cgroup/bind4", "cgroup/bind6",
        "cgroup/connect4", "cgroup/connect6", "cgroup/sendmsg4", "cgroup/sendmsg6",
        "cgroup/recvmsg4", "cgroup/recvmsg6", "cgroup/getpeername4", "cgroup/getpeername6",
        "cgroup/getsockname4", "cgroup/getsockname6", "cgroup/sysctl", "cgroup/getsockopt",
        "cgroup/setsockopt", "cgroup/dev", "struct_ops/x", "sk_lookup",
        // Of newer versions.
        "uprobe.multi/x", "uretprobe.multi", "uprobe.multi.s/x", "uretprobe.multi.s/x", "usdt.s/x",
        "tc/ingress", "tc/egress", "tcx/ingress", "tcx/egress", "netkit/primary", "netkit/peer",
        "sk_skb/verdict", "cgroup/connect_unix", "cgroup/sendmsg_unix", "cgroup/recvmsg_unix",
        "cgroup/getpeername_unix", "cgroup/getsockname_unix", "struct_ops.s/x", "netfilter",
        "kprobe.session/f*", "uprobe.session/x", "uprobe.session.s/x", "fsession/f", "fsession.s/f",
        "tracepoint.s/a/b", "tp.s/a/b", "raw_tracepoint.s/x", "raw_tp.s/x", "tp_btf.s/x",
        "fsession.multi/f", "fsession.multi.s", "fentry.multi/f*", "fexit.multi",
        "fentry.multi.s/f",
        "fexit.multi.s/f",
        // Unknown ones.
        "", "kprobes", "xdp/other", "fentryx/f", "tcx", "netkit/other", "cgroup/other", "socket1",
        "lsm.x/h",
        "perf_event/x", "FENTRY/f", "fentry.s.s/f",
    ]

    @Test(arguments: names) func sameAsLibbpf(_ name: String) {
        var type = BPF_PROG_TYPE_UNSPEC
        var attach = BPF_CGROUP_INET_INGRESS
        let isKnown = libbpf_prog_type_by_name(name, &type, &attach) == 0
        let kind = ProgramKind(section: name)
        let library = LibBPFVersion(Int(libbpf_major_version()), Int(libbpf_minor_version()))
        #expect((kind.map { $0.since <= library } == true) == isKnown)
        guard let kind, isKnown else { return }
        #expect(kind.type.rawValue == type.rawValue)
        #expect((kind.attachType?.rawValue ?? 0) == attach.rawValue)
        #expect(
            kind.needsTarget == (kind.isTraced && !name.contains(".multi") || kind.type == .ext))
    }

    @Test func sleepable() {
        for name in Self.names {
            guard let kind = ProgramKind(section: name) else { continue }
            let first = name.split(separator: "/").first ?? ""
            #expect(kind.isSleepable == (first.hasSuffix(".s") || first == "syscall"))
        }
    }
}

extension ProgramKind {
    fileprivate var isTraced: Bool { type == .tracing || type == .lsm }
}
