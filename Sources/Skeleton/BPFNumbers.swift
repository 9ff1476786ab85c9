// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Program types of linux/bpf.h (enum bpf_prog_type) that attaching depends on.
enum BPFProgramType {
    static let socketFilter: UInt32 = 1
    static let kprobe: UInt32 = 2
    static let schedulerClassifier: UInt32 = 3
    static let schedulerAction: UInt32 = 4
    static let tracepoint: UInt32 = 5
    static let xdp: UInt32 = 6
    static let perfEvent: UInt32 = 7
    static let cgroupSkb: UInt32 = 8
    static let cgroupSock: UInt32 = 9
    static let lwtIn: UInt32 = 10
    static let lwtOut: UInt32 = 11
    static let lwtXmit: UInt32 = 12
    static let sockOps: UInt32 = 13
    static let skSkb: UInt32 = 14
    static let cgroupDevice: UInt32 = 15
    static let skMsg: UInt32 = 16
    static let rawTracepoint: UInt32 = 17
    static let cgroupSockAddr: UInt32 = 18
    static let lwtSeg6Local: UInt32 = 19
    static let lircMode2: UInt32 = 20
    static let skReuseport: UInt32 = 21
    static let flowDissector: UInt32 = 22
    static let cgroupSysctl: UInt32 = 23
    static let rawTracepointWritable: UInt32 = 24
    static let cgroupSockopt: UInt32 = 25
    static let tracing: UInt32 = 26
    static let structOps: UInt32 = 27
    static let replacement: UInt32 = 28
    static let lsm: UInt32 = 29
    static let skLookup: UInt32 = 30
    static let syscall: UInt32 = 31
}

/// Attach types of linux/bpf.h (enum bpf_attach_type) that attaching depends on.
enum BPFAttachType {
    static let iterator: UInt32 = 28
    static let xdpDevmap: UInt32 = 33
    static let xdpCpumap: UInt32 = 35
    static let perfEvent: UInt32 = 41
    static let kprobeMulti: UInt32 = 42
    static let lsmCgroup: UInt32 = 43
}
