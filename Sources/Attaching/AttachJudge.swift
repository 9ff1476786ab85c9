// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF
internal import Bytes

/// What a kernel answers to a program that is loaded for a target, and then attached.
package struct AttachVerdict: Sendable, Equatable {
    /// BPF_PROG_LOAD, as far as it depends on the target.
    package var load: Answer
    /// BPF_RAW_TRACEPOINT_OPEN or BPF_LINK_CREATE after that.
    package var attach: Answer
    /// The target is not the function that users expect, for example.
    package var notes: [String] = []

    /// Both in one.
    package var answer: Answer {
        if case .no = load { return load }
        if case .no = attach { return attach }
        return load.isYes ? attach : load
    }

    static func refused(_ refusal: Refusal) -> AttachVerdict {
        AttachVerdict(load: .no(refusal), attach: .no(refusal))
    }
}

/// Judges the functions of one kernel or module.
package struct AttachJudge: Sendable {
    /// Of the kernel, or of the module on the kernel's.
    package let btf: BTF
    /// Of the kernel or module that the BTF belongs to.
    package let facts: ImageFacts
    /// nil if `btf` is the kernel's; the kernel's own facts otherwise.
    package let kernel: ImageFacts?
    /// nil if it is not known.
    package let version: KernelVersion?
    package let machine: String
    /// Programs that may sleep.
    package let isSleepable: Bool
    let hooks: HookTypes
    /// The object that the functions belong to; nil for those of a kernel or module.
    private let programs: ProgramTargets?

    package init(
        _ btf: BTF, _ facts: ImageFacts, kernel: ImageFacts?, version: KernelVersion?,
        machine: String, isSleepable: Bool
    ) {
        self.btf = btf
        self.facts = facts
        self.kernel = kernel
        self.version = version
        self.machine = machine
        self.isSleepable = isSleepable
        hooks = HookTypes(btf)
        programs = nil
    }

    /// - Parameter programs: functions of a BPF object, whose BTF is `btf`.
    package init(_ btf: BTF, _ programs: ProgramTargets) {
        self.btf = btf
        facts = ImageFacts()
        kernel = nil
        version = nil
        machine = "bpf"
        isSleepable = false
        hooks = HookTypes(btf)
        self.programs = programs
    }

    /// The answers to programs of type `way` for the type `target`: a FUNC, or a TYPEDEF of
    /// `tp_btf`.
    package func judge(_ target: Record, _ way: AttachWay) -> AttachVerdict {
        if let programs {
            let answer = programs.answer(target, way)
            if let refusal = answer.refusal { return .refused(refusal) }
            var verdict = AttachVerdict(load: answer, attach: .yes)
            if let doubt = programs.doubt(target, way) { verdict.notes.append(doubt) }
            return verdict
        }
        if let version {
            return Trial(self, AttachRules(version, machine: machine), target, way).verdict
        }
        let verdicts = AttachRules.known.map {
            Trial(self, AttachRules($0, machine: machine), target, way).verdict
        }
        var result = verdicts[0]
        if verdicts.contains(where: { $0.load != result.load }) {
            result.load = .unknown(.release)
        }
        if verdicts.contains(where: { $0.attach != result.attach }) {
            result.attach = .unknown(.release)
        }
        return result
    }

    /// What a program of type `way` sees of `target`; nil if it is not a function.
    package func prototype(of target: Record, _ way: AttachWay) -> Prototype? {
        switch way {
        case .tpBTF:
            guard let record = btf.record(target.type), record.kind == .ptr,
                let proto = btf.record(record.type), proto.kind == .funcProto
            else { return nil }
            var prototype = Prototype(proto, skipping: 1, seesReturnValue: false)
            // The typedef has no names; the function that calls the probes has the same arguments.
            let name = "__traceiter_" + target.name.dropFirst(way.prefix.count)
            if let named = hooks.callers[name].flatMap({ btf.record($0) }),
                let proto = btf.record(named.type), proto.kind == .funcProto
            {
                let names = Prototype(proto, skipping: 1, seesReturnValue: false).arguments
                if names.count == prototype.arguments.count {
                    for index in names.indices {
                        prototype.arguments[index].name = names[index].name
                    }
                }
            }
            return prototype
        case .fentry, .fexit, .fmodRet, .lsm, .iter, .freplace:
            return proto(
                of: target, usesImplementation: version.map { $0 >= KernelVersion(7, 0) } ?? false
            )
            .map { Prototype($0, seesReturnValue: way.seesReturnValue) }
        }
    }

    func proto(of function: Record, usesImplementation: Bool) -> Record? {
        var function = function
        if usesImplementation, hooks.kernelFunctions.contains(function.id),
            let id = hooks.implementations[function.name], let other = btf.record(id)
        {
            function = other
        }
        return btf.record(function.type).flatMap { $0.kind == .funcProto ? $0 : nil }
    }

    func isHook(_ name: String) -> Bool? {
        hooks.members?.contains(String(name.dropFirst(AttachWay.lsm.prefix.count)))
    }

    func isIterator(_ name: String) -> Bool {
        hooks.iterators.contains(String(name.dropFirst(AttachWay.iter.prefix.count)))
    }
}

/// Types that say what functions are for.
struct HookTypes: Sendable {
    /// The LSM's hooks: members of `union security_list_options`; nil without it.
    var members: Set<String>?
    /// Targets of iterators, from `struct bpf_iter__NAME`.
    var iterators: Set<String> = []
    /// `__traceiter_NAME`
    var callers: [String: TypeID] = [:]
    /// FUNCs with the tag of kernel functions.
    var kernelFunctions: Set<TypeID> = []
    /// `NAME_impl` by NAME.
    var implementations: [String: TypeID] = [:]
    /// The kernel's BTF has the verifier and no trampolines: it was built without CONFIG_BPF_JIT.
    let lacksTrampolines: Bool

    init(_ btf: BTF) {
        var hasVerifier = false
        var hasTrampolines = false
        var chain = [btf]
        while let base = chain[chain.count - 1].base { chain.append(base) }
        for part in chain {
            let isOwn = part === btf
            for record in part.ownRecords {
                switch record.kind {
                case .union where members == nil && record.hasName("security_list_options"):
                    members = Set(record.members.map(\.name))
                case .struct where record.hasName(startingWith: "bpf_iter__"):
                    iterators.insert(String(record.name.dropFirst(10)))
                case .func where !hasVerifier && record.hasName("bpf_check_attach_target"):
                    hasVerifier = true
                case .func where !hasTrampolines && record.hasName(startingWith: "bpf_trampoline_"):
                    hasTrampolines = true
                case .func where isOwn:
                    if record.hasName(startingWith: "__traceiter_") {
                        callers[record.name] = record.id
                    } else if record.hasName(endingWith: "_impl") {
                        implementations[String(record.name.dropLast(5))] = record.id
                    }
                case .declTag where isOwn && record.hasName("bpf_kfunc"):
                    kernelFunctions.insert(record.type)
                default: break
                }
            }
        }
        lacksTrampolines = hasVerifier && !hasTrampolines
    }
}

extension Record {
    private var nameBytes: ArraySlice<UInt8>? { btf.stringBytes(at: nameOffset, atMost: 512) }

    func hasName(_ name: StaticString) -> Bool {
        nameBytes?.elementsEqual(name.bytes) ?? false
    }

    func hasName(startingWith prefix: StaticString) -> Bool {
        nameBytes?.starts(with: prefix.bytes) ?? false
    }

    func hasName(endingWith suffix: StaticString) -> Bool {
        nameBytes?.suffix(suffix.utf8CodeUnitCount).elementsEqual(suffix.bytes) ?? false
    }
}

extension StaticString {
    var bytes: [UInt8] { Array(description.utf8) }
}
