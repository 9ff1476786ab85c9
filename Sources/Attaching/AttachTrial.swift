// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes

/// One target under the rules of one release.
struct Trial {
    let judge: AttachJudge
    let rules: AttachRules
    let target: Record
    let way: AttachWay
    let name: String
    private var facts: ImageFacts { judge.facts }

    init(_ judge: AttachJudge, _ rules: AttachRules, _ target: Record, _ way: AttachWay) {
        self.judge = judge
        self.rules = rules
        self.target = target
        self.way = way
        name = target.name
    }

    var verdict: AttachVerdict {
        if judge.isSleepable, let refusal = sleepingRefusal { return .refused(refusal) }
        switch way {
        case .freplace:
            return .refused(Refusal(.invalid, words: "Cannot replace kernel functions"))
        case .tpBTF: return tracepoint
        case .iter: return iterator
        case .fentry, .fexit, .fmodRet, .lsm: return function
        }
    }

    /// Programs of this type never sleep.
    private var sleepingRefusal: Refusal? {
        guard way == .tpBTF, rules.limitsSleeping, !rules.hasFaultableTracepoints else {
            return nil
        }
        return Refusal(
            .invalid,
            words:
                "Only fentry/fexit/fmod_ret, lsm, iter, uprobe, and struct_ops programs can be sleepable"
        )
    }

    // MARK: Tracepoints and iterators

    private var tracepoint: AttachVerdict {
        guard target.kind == .typedef else {
            return .refused(
                Refusal(.invalid, words: "attach_btf_id \(target.id) is not a typedef"))
        }
        guard name.hasPrefix(way.prefix) else {
            return .refused(
                Refusal(
                    .invalid,
                    words: "attach_btf_id \(target.id) points to wrong type name \(name)"))
        }
        guard judge.prototype(of: target, way) != nil else { return .refused(Refusal(.invalid)) }
        let short = name.dropFirst(way.prefix.count)
        if judge.isSleepable, rules.hasFaultableTracepoints, short != "sys_enter",
            short != "sys_exit"
        {
            return .refused(
                Refusal(
                    .invalid,
                    words: "Sleepable program cannot attach to non-faultable tracepoint \(short)"))
        }
        return AttachVerdict(load: .yes, attach: .yes)
    }

    private var iterator: AttachVerdict {
        guard target.kind == .func else { return .refused(notAFunction) }
        guard let proto = judge.proto(of: target, usesImplementation: false) else {
            return .refused(Refusal(.invalid))
        }
        if let refusal = distil(proto) { return .refused(refusal) }
        guard name.hasPrefix(way.prefix), judge.isIterator(name) else {
            return .refused(Refusal(.invalid, cause: "no iterator has this target"))
        }
        var verdict = AttachVerdict(load: .yes, attach: .yes)
        switch name.dropFirst(way.prefix.count) {
        case "bpf_map_elem", "bpf_sk_storage_map", "sockmap":
            verdict.notes = ["attaching it needs a map"]
        case "cgroup": verdict.notes = ["attaching it needs an order of the walk"]
        default: break
        }
        return verdict
    }

    // MARK: Functions

    private var notAFunction: Refusal {
        Refusal(.invalid, words: "attach_btf_id \(target.id) is not a function")
    }

    private var function: AttachVerdict {
        guard target.kind == .func else { return .refused(notAFunction) }
        guard let proto = judge.proto(of: target, usesImplementation: rules.usesImplementations)
        else { return .refused(Refusal(.invalid)) }
        if let refusal = distil(proto) { return .refused(refusal) }
        var doubt: Missing?
        if way == .fexit || way == .fmodRet,
            let size = judge.btf.passedSize(of: proto.type).size, size > 8
        {
            doubt = rules.deniesWideReturn == nil ? .release : nil
            if rules.deniesWideReturn ?? false {
                return .refused(
                    Refusal(
                        .operationNotSupported,
                        words:
                            "Attach to function \(name) with a >8 byte return value is not supported for this attach type"
                    ))
            }
        }
        let found = findAddress()
        if case .missing = found {
            return .refused(
                Refusal(.noEntry, words: "The address of function \(name) cannot be found"))
        }
        for check in [permission(found), membership] {
            switch check {
            case .yes: break
            case .no(let refusal): return .refused(refusal)
            case .unknown(let missing): doubt = doubt ?? missing
            }
        }
        if judge.hooks.lacksTrampolines {
            return .refused(
                Refusal(
                    .noMemory,
                    cause: "the kernel has no trampolines: it was built without CONFIG_BPF_JIT"))
        }
        var verdict = AttachVerdict(
            load: doubt.map { .unknown($0) } ?? .yes, attach: attaching(proto, found))
        verdict.notes = notes(found)
        return verdict
    }

    /// The verifier's model of the prototype.
    private func distil(_ proto: Record) -> Refusal? {
        func refusal(_ text: String) -> Refusal {
            Refusal(.invalid, words: "The function \(name) \(text)")
        }
        guard proto.count <= 12 else {
            return refusal("has \(proto.count) arguments. Too many.")
        }
        let returned = judge.btf.passedSize(of: proto.type)
        if proto.type != .void, isUnsupported(returned) || isComposite(returned.kind) {
            return refusal("return type \(word(returned.kind)) is unsupported.")
        }
        for index in 0..<proto.count {
            let type = TypeID(proto.element(index, 1))
            if type == .void {
                return refusal(
                    index == proto.count - 1
                        ? "with variable args is unsupported." : "has malformed void argument.")
            }
            let passed = judge.btf.passedSize(of: type)
            if isUnsupported(passed) || (passed.size ?? 0) > 16 {
                return refusal("arg\(index) type \(word(passed.kind)) is unsupported.")
            }
            if passed.size == 0 { return refusal("has malformed void argument.") }
        }
        return nil
    }

    private func isUnsupported(_ passed: (kind: Kind?, size: Int?)) -> Bool {
        passed.size == nil || passed.kind == .union && !rules.passesUnions
    }

    private func isComposite(_ kind: Kind?) -> Bool { kind == .struct || kind == .union }

    private func word(_ kind: Kind?) -> String { kind?.word ?? "UNKNOWN" }

    // MARK: Addresses

    private enum Found {
        /// Symbols are not known.
        case unknown
        case missing
        /// - Parameter isForeign: in the kernel, although the function is a module's.
        case at(UInt64, ImageFacts, isForeign: Bool)
    }

    private func findAddress() -> Found {
        if let kernel = judge.kernel, !rules.looksInModule {
            // All symbols are searched, the kernel's first.
            guard let symbols = kernel.symbols else { return .unknown }
            if let place = symbols[name] { return .at(place.address, kernel, isForeign: true) }
        }
        guard let symbols = facts.symbols else { return .unknown }
        guard let place = symbols[name] else { return .missing }
        return .at(place.address, facts, isForeign: false)
    }

    private func notes(_ found: Found) -> [String] {
        switch found {
        case .unknown, .missing: return []
        case .at(let address, _, isForeign: true):
            return [
                "the kernel has a symbol with this name at 0x\(String(address, radix: 16)): "
                    + "a program attaches there, not in the module"
            ]
        case .at(let address, let facts, isForeign: false):
            guard let place = facts.symbols?[name], place.functions > 1 else { return [] }
            return [
                "\(place.functions) functions have this name: a program attaches to the one at "
                    + "0x\(String(address, radix: 16)), which need not be the one that BTF describes"
            ]
        }
    }

    // MARK: Sets

    /// Whether a sleepable program or one that changes return values may attach.
    private func permission(_ found: Found) -> Answer {
        if judge.isSleepable {
            let words = Refusal(.invalid, words: "\(name) is not sleepable")
            if way == .lsm {
                return isSleepableHook.map { $0 ? .yes : .no(words) } ?? .unknown(.sets)
            }
            return injectable(found, isSleepable: true, words)
        }
        guard way == .fmodRet else { return .yes }
        let words = Refusal(.invalid, words: "\(name)() is not modifiable")
        if name.hasPrefix("security_") { return .yes }
        return injectable(found, isSleepable: false, words)
    }

    private func injectable(_ found: Found, isSleepable: Bool, _ refusal: Refusal) -> Answer {
        if rules.hasReturnSets, let flags = returnFlags {
            // KF_SLEEPABLE
            if !isSleepable || flags & 1 << 5 != 0 { return .yes }
        }
        let injection = (judge.kernel ?? facts).errorInjection
        switch injection {
        case .unknown: return .unknown(.symbols)
        case .off:
            guard rules.acceptsSystemCalls, let prefix = rules.systemCallPrefix else {
                return .no(refusal)
            }
            return name.hasPrefix(prefix) ? .yes : .no(refusal)
        case .list(let addresses):
            guard case .at(let address, _, _) = found else { return .unknown(.symbols) }
            guard addresses.contains(address) else { return .no(refusal) }
            let isDenied = isMember(
                "btf_non_sleepable_error_inject",
                ["__filemap_add_folio", "should_fail_alloc_page", "should_failslab"])
            return isSleepable && isDenied ? .no(refusal) : .yes
        }
    }

    /// Its flags in a set of functions whose return value may be changed; nil if it is in none.
    private var returnFlags: UInt32? {
        for set in HookNames.returnSets {
            if let flags = facts.sets[set]?[target.id.rawValue] { return flags }
        }
        if !facts.sets.isEmpty { return nil }
        // As in net/bpf/test_run.c: the second one sleeps.
        switch name {
        case "bpf_modify_return_test", "bpf_modify_return_test2", "bpf_fentry_test1":
            return name == "bpf_fentry_test1" ? 1 << 5 : 0
        case "update_socket_protocol": return 0
        default: return nil
        }
    }

    private func isMember(_ set: String, _ names: Set<String>) -> Bool {
        if judge.kernel != nil { return false }
        if let ids = facts.sets[set] { return ids[target.id.rawValue] != nil }
        return names.contains(name)
    }

    private var isSleepableHook: Bool? {
        if let ids = facts.sets["sleepable_lsm_hooks"] { return ids[target.id.rawValue] != nil }
        if HookNames.sometimesSleepable.contains(name) { return nil }
        return HookNames.sleepableHooks.contains(name)
    }

    /// Whether the function is a hook, or in a set of those that nothing attaches to.
    private var membership: Answer {
        if way == .lsm { return hook }
        var denied = HookNames.denied
        if rules.version >= KernelVersion(6, 12) { denied.formUnion(HookNames.deniedLater) }
        if isMember("btf_id_deny", denied) {
            return .no(
                Refusal(
                    .invalid, words: rules.denialWords(name),
                    cause: rules.denialWords(name) == nil
                        ? "the kernel accepts no tracing programs there" : nil))
        }
        guard way == .fexit || way == .fmodRet, isMember("noreturn_deny", HookNames.noReturn) else {
            return .yes
        }
        let refusal = Refusal(.invalid, words: rules.noReturnWords(name))
        if facts.sets["noreturn_deny"] != nil { return .no(refusal) }
        // A kernel whose other sets are known has no such set.
        if !facts.sets.isEmpty { return .yes }
        return rules.deniesNoReturn.map { $0 ? .no(refusal) : .yes } ?? .unknown(.sets)
    }

    private var hook: Answer {
        var disabled = HookNames.disabledHooks
        if rules.version >= KernelVersion(7, 0) { disabled.formUnion(HookNames.disabledLater) }
        if isMember("bpf_lsm_disabled_hooks", disabled) {
            return .no(
                Refusal(
                    .invalid,
                    words: "attach_btf_id \(target.id) points to disabled hook \(name)"))
        }
        let isHook =
            facts.sets["bpf_lsm_hooks"].map { $0[target.id.rawValue] != nil }
            ?? (name.hasPrefix(way.prefix) && judge.isHook(name) ?? true)
        if judge.kernel == nil, isHook { return .yes }
        return .no(
            Refusal(
                .invalid, words: "attach_btf_id \(target.id) points to wrong type name \(name)"))
    }

    // MARK: Attaching

    private func attaching(_ proto: Record, _ found: Found) -> Answer {
        guard let most = rules.mostSlots else { return .unknown(.machine(rules.machine)) }
        let slots = Prototype(proto, seesReturnValue: false).slots
        guard slots <= most else {
            return .no(
                Refusal(
                    rules.tooManySlots,
                    cause:
                        "its arguments take \(slots) registers or stack slots, trampolines pass \(most)"
                ))
        }
        guard case .at(let address, let facts, _) = found else { return .unknown(.symbols) }
        let isInModule = judge.kernel != nil && address < 1 << 32
        guard facts.isText(address) else {
            return .no(
                Refusal(
                    .invalid,
                    cause: "not code that stays in memory: __init or __exit, or no function at all"
                ))
        }
        guard let isTraceable = facts.isTraceable(address) else { return .unknown(.fentries) }
        if isTraceable { return .yes }
        if facts.patched.contains(address) { return .unknown(.patching) }
        return .no(
            Refusal(
                isInModule ? .invalid : .busy,
                cause: "ftrace has no call in it: notrace, noinstr or assembly"))
    }
}
