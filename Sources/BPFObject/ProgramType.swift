// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// BPF_PROG_TYPE_*, numbered as in the kernel (include/uapi/linux/bpf.h).
package enum ProgramType: UInt32, Sendable {
    case unspec = 0
    case socketFilter, kprobe, schedCls
    case schedAct, tracepoint, xdp, perfEvent
    case cgroupSkb, cgroupSock, lwtIn, lwtOut
    case lwtXmit, sockOps, skSkb, cgroupDevice
    case skMsg, rawTracepoint, cgroupSockAddr, lwtSeg6local
    case lircMode2, skReuseport, flowDissector, cgroupSysctl
    case rawTracepointWritable, cgroupSockopt, tracing, structOps
    case ext, lsm, skLookup, syscall
    case netfilter
}

/// enum bpf_attach_type, numbered as in the kernel.
package enum AttachType: UInt32, Sendable {
    case cgroupInetIngress = 0
    case cgroupInetEgress, cgroupInetSockCreate, cgroupSockOps
    case skSkbStreamParser, skSkbStreamVerdict, cgroupDevice, skMsgVerdict
    case cgroupInet4Bind, cgroupInet6Bind, cgroupInet4Connect, cgroupInet6Connect
    case cgroupInet4PostBind, cgroupInet6PostBind, cgroupUdp4Sendmsg, cgroupUdp6Sendmsg
    case lircMode2, flowDissector, cgroupSysctl, cgroupUdp4Recvmsg
    case cgroupUdp6Recvmsg, cgroupGetsockopt, cgroupSetsockopt, traceRawTp
    case traceFentry, traceFexit, modifyReturn, lsmMac
    case traceIter, cgroupInet4Getpeername, cgroupInet6Getpeername, cgroupInet4Getsockname
    case cgroupInet6Getsockname, xdpDevmap, cgroupInetSockRelease, xdpCpumap
    case skLookup, xdp, skSkbVerdict, skReuseportSelect
    case skReuseportSelectOrMigrate, perfEvent, kprobeMulti, lsmCgroup
    case structOps, netfilter, tcxIngress, tcxEgress
    case uprobeMulti, cgroupUnixConnect, cgroupUnixSendmsg, cgroupUnixRecvmsg
    case cgroupUnixGetpeername, cgroupUnixGetsockname, netkitPrimary, netkitPeer
    case kprobeSession, uprobeSession, traceFsession, fentryMulti
    case fexitMulti, fsessionMulti
}
