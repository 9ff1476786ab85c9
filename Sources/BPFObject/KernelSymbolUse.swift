// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF

/// A program's references to kernel symbols, in the order in which libbpf's loader fills them in:
/// the program's own, then those of each function that it calls, at its first call.
struct KernelSymbolUse {
    struct Use {
        let function: BPFObject.Function
        let instruction: Int
        let extern: BPFObject.Extern
        /// Called, not loaded.
        let isCall: Bool
    }

    private(set) var uses: [Use] = []

    /// - Parameter program: in an object with at most as many functions as a loader has room for.
    init(of program: Int, in object: BPFObject) {
        var seen: Set<Int> = []
        append(program, object, &seen)
    }

    /// Recursion depth is bounded by the number of functions.
    private mutating func append(_ index: Int, _ object: BPFObject, _ seen: inout Set<Int>) {
        guard seen.insert(index).inserted else { return }
        let function = object.functions[index]
        for reference in function.references {
            switch reference.target {
            case .externalVariable(let extern), .externalCall(let extern):
                var isCall = false
                if case .externalCall = reference.target { isCall = true }
                uses.append(
                    Use(
                        function: function, instruction: reference.instruction,
                        extern: object.externs[extern], isCall: isCall))
            default: continue
            }
        }
        for reference in function.references {
            switch reference.target {
            case .call(let callee), .address(let callee): append(callee, object, &seen)
            default: continue
            }
        }
    }

    /// The kfuncs that are called, without duplicates.
    var kernelFunctions: [BPFObject.Extern] {
        var seen: Set<String> = []
        return uses.filter { $0.isCall && seen.insert($0.extern.name).inserted }.map(\.extern)
    }
}

extension BPFObject {
    /// Indexes in `functions` of the programs that a loader loads.
    var loadedPrograms: [Int] {
        functions.indices.filter { !functions[$0].isSubprogram && functions[$0].isAutoloaded }
    }

    /// References to kernel symbols that a loader of this libbpf fills in wrongly, or not at all.
    func symbolObstacles(kernel: BTF?, of library: LibBPFVersion) -> [BPFObjectError] {
        var found: [BPFObjectError] = []
        var said: Set<String> = []
        func add(_ use: KernelSymbolUse.Use, _ message: String, _ hint: String) {
            guard said.insert(use.extern.name + "\n" + message).inserted else { return }
            found.append(
                error(
                    in: use.function, at: use.instruction * Instruction.size, message, hint: hint))
        }
        let own = kernel.map(kernelFunctions)
        /// Previous users of each slot in the loader's table of descriptors.
        var before: [[(program: String, kfunc: String)]] = []
        for index in loadedPrograms {
            let program = functions[index]
            let use = KernelSymbolUse(of: index, in: self)
            var loaded: Set<String> = []
            for one in use.uses {
                let name = one.extern.name
                switch one.extern.kind {
                case .kernelFunction where !one.isCall && library < .loadsSymbols:
                    add(
                        one,
                        "the address of kfunc '\(name)' is taken, which a loader of libbpf \(library) searches "
                            + "among variables",
                        "call it without checking that it exists (bpf_ksym_exists), or use kbtf with "
                            + "libbpf \(LibBPFVersion.loadsSymbols) or later")
                case .kernelVariable where one.isCall, .kconfig where one.isCall:
                    add(
                        one, "'\(name)' is called, but declared as a variable", "declare a function"
                    )
                case .kernelVariable(isTyped: true)
                where library < .loadsSymbols && !loaded.insert(name).inserted:
                    add(
                        one,
                        "program '\(program.name)' loads the address of '\(name)' twice, but a loader of "
                            + "libbpf \(library) corrupts the second",
                        "keep it in one variable: 'const void *p = &\(name); barrier_var(p);'")
                default: continue
                }
            }
            let kfuncs = use.kernelFunctions.filter { $0.kind == .kernelFunction }
            if kfuncs.count > LoaderLimit.kernelFunctions {
                found.append(
                    error(
                        in: program,
                        "program '\(program.name)' calls \(kfuncs.count) kfuncs, but the kernel accepts "
                            + "\(LoaderLimit.kernelFunctions)", hint: "split the program"))
            }
            guard library < .clearsDescriptors else { continue }
            for (slot, kfunc) in kfuncs.enumerated() {
                if slot == before.count { before.append([]) }
                if let other = before[slot].first(where: {
                    mayMeetStale(kfunc, after: $0.kfunc, own: own)
                }), let one = use.uses.first(where: { $0.extern.name == kfunc.name && $0.isCall }) {
                    add(
                        one,
                        "kfunc '\(kfunc.name)' follows '\(other.kfunc)' of program '\(other.program)' in the "
                            + "loader's table: if that is a module's kfunc and this is not, a loader of libbpf "
                            + "\(library) closes a file it does not own",
                        kernel == nil
                            ? "show which are the kernel's own: --kernel-btf VMLINUX"
                            : "move the programs that call a module's kfuncs to an object of their own"
                    )
                }
                before[slot].append((program.name, kfunc.name))
            }
        }
        return found
    }

    /// Whether the slot of `kfunc` may still contain a descriptor that a loader closed after
    /// `earlier`: a module's kfunc leaves one behind, and only a module's kfunc overwrites it.
    ///
    /// - Parameter own: the kernel's own kfuncs; nil if unknown.
    private func mayMeetStale(_ kfunc: Extern, after earlier: String, own: Set<String>?) -> Bool {
        if kfunc.name == earlier { return false }
        guard let own else { return true }
        if own.contains(earlier) { return false }
        return kfunc.isWeak || own.contains(kfunc.name)
    }

    /// The object's kfuncs that `kernel` has. It has a hundred thousand types, so it is scanned
    /// once.
    private func kernelFunctions(in kernel: BTF) -> Set<String> {
        let wanted = Set(externs.filter { $0.kind == .kernelFunction }.map(\.name))
        if wanted.isEmpty { return [] }
        var found: Set<String> = []
        for record in kernel.ownRecords where record.kind == .func {
            guard
                let bytes = kernel.stringBytes(
                    at: record.nameOffset, atMost: ObjectReader.longestName)
            else { continue }
            let name = String(decoding: bytes, as: UTF8.self)
            if wanted.contains(name) { found.insert(name) }
        }
        return found
    }
}
