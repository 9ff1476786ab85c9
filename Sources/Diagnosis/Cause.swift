// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Why a module does not load, has no BTF in the kernel, or will have none when it is built.
package enum Cause: String, Sendable, CaseIterable {
    case otherBase = "other-base"
    case damagedBTF = "damaged-btf"
    case newerKinds = "newer-kinds"
    case stripped
    case husk
    case relinked
    case skipped = "btf-skipped"
    case noBase = "no-base"
    case kfuncsRefused = "kfuncs-refused"
    case signatureGone = "signature-gone"
    case unsigned
    case vermagic
    case symbolVersions = "symbol-versions"
    case unknownSymbol = "unknown-symbol"
    case otherMachine = "other-machine"
    case damagedFile = "damaged-file"
    case paholeMissing = "pahole-missing"
    case paholeTooOld = "pahole-too-old"
    case paholeTooNew = "pahole-too-new"
    case wrongTool = "wrong-tool"
    case noHeaders = "no-headers"
    case notBuilt = "not-built"
    case unexplained

    /// What is the matter, in one sentence that follows the names of those concerned.
    package var sentence: String {
        switch self {
        case .otherBase: "the BTF was made on the BTF of another kernel build"
        case .damagedBTF: "the BTF is damaged"
        case .newerKinds: "the BTF contains what this kernel does not accept"
        case .stripped: "the BTF was removed after the build"
        case .husk: "the section .BTF is there, and holds nothing"
        case .relinked: "the module was linked again after it got its BTF"
        case .skipped: "the build left the BTF out"
        case .noBase: "its BTF cannot be checked, since the kernel's own is not to be found"
        case .kfuncsRefused: "the kernel refuses its set of kernel functions (kfuncs)"
        case .signatureGone: "it has lost its signature"
        case .unsigned: "it is not signed with a key that the kernel trusts, and the kernel insists"
        case .vermagic: "it was built for another kernel"
        case .symbolVersions: "it was built against other versions of the kernel's symbols"
        case .unknownSymbol: "it needs symbols that neither the kernel nor another module has"
        case .otherMachine: "it is for another machine"
        case .damagedFile: "the file is damaged"
        case .paholeMissing: "there is no pahole, so builds make no BTF"
        case .paholeTooOld: "pahole is older than what this kernel asks of it"
        case .paholeTooNew: "pahole is newer than this kernel can read"
        case .wrongTool: "the headers' resolve_btfids does not run"
        case .noHeaders: "the headers have no BTF of the kernel, so builds skip the modules' BTF"
        case .notBuilt: "DKMS has not built it for this kernel"
        case .unexplained: "the kernel complained, and no cause was found"
        }
    }
}

/// What a trouble means for its module.
package enum Effect: String, Sendable, Comparable {
    /// The next module that is built gets no BTF, or wrong BTF.
    case nextBuild = "next-build"
    /// It loads without BTF: BPF programs cannot attach to it by BTF.
    case withoutBTF = "without-btf"
    /// It does not load.
    case notLoaded = "not-loaded"

    package static func < (left: Effect, right: Effect) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .nextBuild: 0
        case .withoutBTF: 1
        case .notLoaded: 2
        }
    }

    package var sentence: String {
        switch self {
        case .nextBuild: "modules that are built now get no BTF, or wrong BTF"
        case .withoutBTF: "it loads without BTF, so BPF programs cannot use its types and functions"
        case .notLoaded: "the kernel does not load it"
        }
    }
}
