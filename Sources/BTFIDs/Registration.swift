// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF
internal import Bytes

/// Something in a set of kernel functions that the kernel does not accept, or that programs cannot
/// use.
package struct RegistrationFault: Sendable, Equatable, CustomStringConvertible {
    package let set: String
    /// nil: the whole set.
    package let function: String?
    /// What is wrong, and who says so.
    package let what: String

    package var description: String {
        "set \(set): " + (function.map { "kfunc \($0): " } ?? "") + what
    }
}

extension IDSection {
    /// What `register_btf_kfunc_id_set()`, and the verifier after it, say about the sets of kernel
    /// functions that are filled in (kernel/bpf/btf.c).
    ///
    /// - Parameters:
    ///   - btf: the BTF of the ids.
    ///   - staticFunctions: names among these functions whose symbols are local.
    ///   - version: the kernel's; nil if unknown.
    package func registrationFaults(
        in btf: BTF, staticFunctions: Swift.Set<String>, version: KernelVersion?
    ) -> [RegistrationFault] {
        let listed = listedFunctions(old: btf)
        var judge = RegistrationJudge(btf: btf, version: version)
        let names = Swift.Set(listed.listings.lazy.map(\.name))
        let own = btf.firstFunctions(named: names)
        judge.own = Dictionary(
            own.map { ($0.name, TypeID($0.id)) }, uniquingKeysWith: { first, _ in first })
        judge.implementations = btf.ownFunctions(among: Swift.Set(names.map { $0 + "_impl" }))
        var faults: [RegistrationFault] = []
        for (number, set) in sets.enumerated()
        where isFilled(set) && flags(of: set) & KernelFunctionFlags.ofSet != 0 {
            if set.count > RegistrationJudge.mostEntries {
                faults.append(
                    RegistrationFault(
                        set: set.name, function: nil,
                        what: "\(set.count) functions, registration accepts "
                            + "\(RegistrationJudge.mostEntries) (E2BIG)"))
            }
            for listing in listed.listings where listing.set == number {
                for what in judge.faults(
                    of: listing, isStatic: staticFunctions.contains(listing.name))
                {
                    faults.append(
                        RegistrationFault(set: set.name, function: listing.name, what: what))
                }
            }
        }
        for conflict in listed.conflicts {
            faults.append(
                RegistrationFault(
                    set: sets[listed.listings.first { $0.name == conflict.name }!.set].name,
                    function: conflict.name,
                    what: "other sets list it with other flags: \(hex(conflict.first)), "
                        + "\(hex(conflict.other)) (resolve_btfids of 7.3 fails)"))
        }
        return faults
    }
}

private func hex(_ flags: UInt32) -> String { "0x" + String(flags, radix: 16) }

private struct RegistrationJudge {
    /// BTF_KFUNC_SET_MAX_CNT
    static let mostEntries = 256

    let btf: BTF
    let version: KernelVersion?
    /// Ids of the own functions.
    var own: [String: TypeID] = [:]
    /// Own functions with the suffix `_impl`.
    var implementations: Set<String> = []

    // include/linux/btf.h
    private static let acquire: UInt32 = 1 << 0
    private static let release: UInt32 = 1 << 1
    private static let iterators: [(flag: UInt32, suffix: String)] = [
        (1 << 8, "new"), (1 << 9, "next"), (1 << 10, "destroy"),
    ]

    /// The flags that some release knows.
    private var knownFlags: UInt32 {
        guard let version else { return 0x7_ffff }
        if version >= KernelVersion(7, 3) { return 0x7_ffff }
        return version >= KernelVersion(7, 0) ? 0x1_ffff : 0xffff
    }

    func faults(of listing: IDSection.ListedFunctions.Listing, isStatic: Bool) -> [String] {
        guard let id = own[listing.name], let function = btf.record(id) else {
            return [
                "it is not a function of this file's BTF: registration fails (EINVAL)"
            ]
        }
        guard let prototype = btf.record(function.type), prototype.kind == .funcProto else {
            return ["it has no prototype: registration fails (EINVAL)"]
        }
        var faults: [String] = []
        if isStatic {
            faults.append(
                "it is static: compilers may change or remove it, and kernels do not support that")
        }
        guard let flags = listing.flags else { return faults }
        let unknown = flags & ~knownFlags
        if unknown != 0 {
            faults.append(
                "flags \(hex(unknown)) are unknown"
                    + (version.map { " to Linux \($0)" } ?? "") + ": they have no effect")
        }
        if let fault = iteratorFault(listing.name, prototype, flags) {
            faults.append("\(fault): registration fails (EINVAL)")
        }
        return faults + prototypeFaults(listing.name, prototype, flags)
    }

    /// Flags that a function with this prototype cannot have. Registration accepts them; the
    /// verifier refuses calls.
    private func prototypeFaults(
        _ name: String, _ prototype: Record, _ flags: UInt32
    ) -> [String] {
        var faults: [String] = []
        let known = KernelFunctionFlags(rawValue: flags)
        if flags & Self.acquire != 0, !isPointer(prototype.type) {
            faults.append("KF_ACQUIRE, but it does not return a pointer: programs cannot call it")
        }
        let parameters = (0..<prototype.count).map { TypeID(prototype.element($0, 1)) }
        if flags & Self.release != 0, !parameters.contains(where: isPointer) {
            faults.append("KF_RELEASE, but no parameter is a pointer: programs cannot call it")
        }
        if known.contains(.arenaReturn), !isPointer(prototype.type) {
            faults.append("KF_ARENA_RET, but it does not return a pointer")
        }
        for index in 0..<2 where known.marksArgument(index) {
            if index >= parameters.count || !isPointer(parameters[index]) {
                faults.append(
                    "KF_ARENA_ARG\(index + 1), but argument \(index + 1) is not a pointer")
            }
        }
        if known.contains(.implicitArguments), !implementations.contains(name + "_impl") {
            faults.append("KF_IMPLICIT_ARGS, but there is no \(name)_impl: programs cannot call it")
        }
        return faults
    }

    private func isPointer(_ id: TypeID) -> Bool { behindModifiers(id)?.kind == .ptr }

    /// The type behind typedefs, qualifiers and tags; nil for void, and for chains without an end.
    private func behindModifiers(_ id: TypeID) -> Record? {
        var record = btf.record(id)
        // Kernels accept no chain longer than 32.
        for _ in 0..<1000 {
            guard let current = record, current.kind.isModifier else { return record }
            record = btf.record(current.type)
        }
        return nil
    }

    /// Why a function is not the iterator function that its flags call it.
    private func iteratorFault(_ name: String, _ prototype: Record, _ flags: UInt32) -> String? {
        let roles = Self.iterators.filter { flags & $0.flag != 0 }
        guard let role = roles.first else { return nil }
        guard roles.count == 1 else { return "more than one of KF_ITER_NEW, _NEXT, _DESTROY" }
        let flag = "KF_ITER_\(role.suffix.uppercased())"
        guard prototype.count > 0,
            let pointer = behindModifiers(TypeID(prototype.element(0, 1))), pointer.kind == .ptr,
            let target = behindModifiers(pointer.type), target.kind == .struct,
            target.name.hasPrefix("bpf_iter_")
        else {
            return "\(flag), but its first parameter is not a pointer to a struct bpf_iter_..."
        }
        if target.size == 0 || target.size % 8 != 0 {
            return
                "\(flag), but struct \(target.name) has \(target.size) bytes, expected a multiple of 8"
        }
        guard name == "\(target.name)_\(role.suffix)" else {
            return
                "\(flag) on struct \(target.name), expected the name \(target.name)_\(role.suffix)"
        }
        if role.suffix != "new", prototype.count != 1 {
            return "\(flag), but it has \(prototype.count) parameters, expected 1"
        }
        if role.suffix == "next", !isPointer(prototype.type) {
            return "\(flag), but it does not return a pointer"
        }
        if role.suffix == "destroy", prototype.type != .void {
            return "\(flag), but it does not return void"
        }
        return nil
    }
}
