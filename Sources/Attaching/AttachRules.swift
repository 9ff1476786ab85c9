// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF

/// How kernels of one release decide what programs may attach to (kernel/bpf/verifier.c, btf.c,
/// trampoline.c and the machine's JIT).
package struct AttachRules: Sendable, Equatable {
    package let version: KernelVersion
    /// In the notation of `uname -m`.
    package let machine: String

    package init(_ version: KernelVersion, machine: String) {
        self.version = version
        self.machine = machine
    }

    /// Releases whose rules are known from their sources; others follow the nearest older one.
    package static let known = [KernelVersion(6, 1), KernelVersion(6, 12), KernelVersion(7, 2)]

    private func isFrom(_ major: Int, _ minor: Int) -> Bool {
        version >= KernelVersion(major, minor)
    }

    /// Unions by value are passed like structs.
    var passesUnions: Bool { isFrom(6, 18) }
    /// Functions of modules are looked up in the module, not among all symbols.
    var looksInModule: Bool { isFrom(6, 3) }
    /// Sets of functions that fmod_ret accepts can be registered.
    var hasReturnSets: Bool { isFrom(6, 3) }
    /// Without error injection, fmod_ret and sleepable programs attach to system calls.
    var acceptsSystemCalls: Bool { isFrom(7, 2) }
    /// A pointer has to be read as a whole.
    var readsWholePointers: Bool { isFrom(6, 12) }
    /// Pointers to anything but structs are numbers to a program.
    var readsAnyPointer: Bool { isFrom(7, 0) }
    /// Attaching to a kfunc with implicit arguments uses the prototype of its implementation.
    var usesImplementations: Bool { isFrom(7, 0) }
    /// Which tracing programs may sleep is decided by how they attach.
    var limitsSleeping: Bool { isFrom(6, 8) }
    /// fentry and fexit attach to tracing programs that do not attach to another one themselves.
    var nestsTracing: Bool { isFrom(6, 8) }
    /// Tracepoints that may fault accept programs that sleep.
    var hasFaultableTracepoints: Bool { isFrom(7, 1) }

    /// fexit and fmod_ret cannot attach to functions that never return; nil if it depends on the
    /// stable release.
    var deniesNoReturn: Bool? { isFrom(6, 15) ? true : isFrom(6, 12) ? nil : false }
    /// They cannot attach where the return value has more than 8 bytes; nil: as above.
    var deniesWideReturn: Bool? { isFrom(7, 2) ? true : isFrom(6, 12) ? nil : false }

    func denialWords(_ name: String) -> String? {
        isFrom(6, 16) ? "Attaching tracing programs to function '\(name)' is rejected." : nil
    }

    func noReturnWords(_ name: String) -> String {
        if isFrom(7, 0) {
            return
                "Attaching fexit/fsession/fmod_ret to __noreturn function '\(name)' is rejected."
        }
        return isFrom(6, 16)
            ? "Attaching fexit/fmod_ret to __noreturn function '\(name)' is rejected."
            : "Attaching fexit/fmod_ret to __noreturn functions is rejected."
    }

    /// Argument slots of 8 bytes that a trampoline passes on; nil if not known.
    ///
    /// Source: the machines' JITs, and Tests/Conformance/arguments.sh on 7.2 and s390x's 6.12.
    var mostSlots: Int? {
        switch machine {
        case "x86_64": isFrom(6, 6) ? 12 : 6
        case "ppc64le": isFrom(7, 2) ? 12 : nil
        // As many as twelve arguments can have.
        case "aarch64", "riscv64": isFrom(7, 2) ? 24 : nil
        case "s390x": isFrom(6, 12) ? 24 : nil
        default: nil
        }
    }

    /// The answer to more of them.
    var tooManySlots: AttachErrno { machine == "ppc64le" ? .operationNotSupported : .notSupported }

    /// Functions of system calls, by the prefix of their names.
    var systemCallPrefix: String? {
        switch machine {
        case "x86_64": "__x64_"
        case "aarch64": "__arm64_"
        case "s390x": "__s390x_"
        case "riscv64": "__riscv_"
        case "i686": "__ia32_"
        case "ppc64", "ppc64le", "loongarch64": "sys_"
        default: nil
        }
    }
}
