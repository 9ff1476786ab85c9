// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// A way in which a BPF program attaches to a function, in libbpf's words.
package enum AttachWay: String, CaseIterable, Sendable {
    case fentry
    case fexit
    case fmodRet = "fmod_ret"
    case lsm
    case tpBTF = "tp_btf"
    case iter
    case freplace

    /// What libbpf puts before the name in a section's name to get the name of the BTF type.
    package var prefix: String {
        switch self {
        case .fentry, .fexit, .fmodRet, .freplace: ""
        case .lsm: "bpf_lsm_"
        case .tpBTF: "btf_trace_"
        case .iter: "bpf_iter_"
        }
    }

    /// A program sees the return value behind the arguments.
    package var seesReturnValue: Bool {
        switch self {
        case .fexit, .fmodRet, .lsm: true
        case .fentry, .tpBTF, .iter, .freplace: false
        }
    }
}
