// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFObject
import BTF

/// Programs that attach by a name, without a type of the kernel's: tracepoints, kprobes and system
/// calls. They load whatever the name is, and fail when they are attached.
extension ProgramCheck {
    func checkProbe(
        _ program: BPFObject.Function, _ kind: ProgramKind, _ report: inout ProgramReport
    ) {
        guard let target = program.target, !target.isEmpty else {
            if kind.needsTarget {
                report.add(.unknown, "its section names no target: the loader has to set one")
            }
            return
        }
        switch program.sectionName.prefix(while: { $0 != "/" }) {
        case "raw_tp", "raw_tracepoint", "raw_tp.s", "raw_tracepoint.s":
            checkRawTracepoint(target, &report)
        case "raw_tp.w", "raw_tracepoint.w":
            if checkRawTracepoint(target, &report) {
                report.add(
                    .unknown,
                    "whether tracepoint \(target) lends a buffer for writing is not in BTF")
            }
        case "tp", "tracepoint", "tp.s", "tracepoint.s": checkEvent(target, &report)
        case "kprobe", "kretprobe":
            checkFunction(target, isReturn: program.sectionName.hasPrefix("kret"), &report)
        case "ksyscall", "kretsyscall": checkFunction(systemCall(target), isReturn: true, &report)
        case "kprobe.multi", "kretprobe.multi", "kprobe.session": checkPattern(target, &report)
        default:
            if kind.needsTarget {
                checkUnjudged(target, &report)
            } else if kind.type == .tracing {
                report.add(.unknown, "which functions it attaches to is not looked at")
            }
        }
    }

    /// A program for one function, of a type whose rules are not known.
    private func checkUnjudged(_ target: String, _ report: inout ProgramReport) {
        if functions.contains(where: { $0[target]?.kind == .func }) {
            report.add(.unknown, "whether the kernel accepts programs of this type is not known")
        } else {
            report.add(
                .error,
                "its target \(target) is not in the BTF of the kernel: libbpf does not load it (ESRCH)"
            )
        }
    }

    // MARK: Tracepoints

    /// Whether there is such a tracepoint, by the type of its handlers; nil if the BTF describes
    /// none at all.
    private func hasTracepoint(_ name: String) -> Bool? {
        let typedef = AttachWay.tpBTF.prefix + name
        if functions.contains(where: { $0[typedef]?.kind == .typedef }) { return true }
        let describesAny = functions[0].contains { name, record in
            record.kind == .typedef && name.hasPrefix(AttachWay.tpBTF.prefix)
        }
        return describesAny ? false : nil
    }

    @discardableResult
    private func checkRawTracepoint(_ name: String, _ report: inout ProgramReport) -> Bool {
        switch hasTracepoint(name) {
        case true?: return true
        case false?:
            report.add(
                .error,
                "it loads, but does not attach: the kernel has no tracepoint \(name) (ENOENT)")
        case nil:
            report.add(
                .unknown,
                "whether the kernel has tracepoint \(name) is not known: its BTF describes none")
        }
        return false
    }

    /// - Parameter target: category and name.
    private func checkEvent(_ target: String, _ report: inout ProgramReport) {
        let parts = target.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            report.add(
                .error,
                "it loads, but does not attach: its section names no category, as in tp/sched/\(target) (EINVAL)"
            )
            return
        }
        let (category, name) = (String(parts[0]), String(parts[1]))
        // Users create events there.
        let dynamic = ["kprobes", "uprobes", "eprobes", "synthetic", "ftrace"]
        switch dynamic.contains(category) ? nil : hasEvent(category, name) {
        case true?:
            report.add(
                .unknown,
                "the kernel has an event \(name), but whether in category \(category) only tracefs shows"
            )
        case false?:
            report.add(
                .error,
                "it loads, but does not attach: the kernel has no event \(category)/\(name) (ENOENT)"
            )
        case nil:
            report.add(.unknown, "whether the kernel has event \(target) only tracefs shows")
        }
    }

    private func hasEvent(_ category: String, _ name: String) -> Bool? {
        let known = judges.compactMap(\.awake.facts.symbols)
        // The macros that define an event make a variable for it.
        var variable = "event_\(name)"
        if category == "syscalls" {
            guard let call = ["sys_enter", "sys_exit"].first(where: { name.hasPrefix($0 + "_") })
            else { return false }
            variable = "event_\(call.dropFirst(4))_\(name.dropFirst(call.utf8.count))"
        }
        // A System.map has variables; some tables of symbols have functions only.
        let hasVariables = known.contains { $0["event_sched_switch"] != nil }
        if known.contains(where: { $0[variable] != nil }) { return true }
        if hasVariables, known.count == judges.count { return false }
        return category == "syscalls" ? nil : hasTracepoint(name)
    }

    // MARK: Functions

    /// The function that libbpf probes for a system call.
    private func systemCall(_ name: String) -> String {
        let names = ["x86_64": "x64", "aarch64": "arm64", "s390x": "s390x", "riscv64": "riscv"]
        guard let word = names[judges[0].awake.machine],
            judges[0].awake.facts.symbols.map({ $0["__\(word)_sys_bpf"] != nil }) ?? true
        else { return "__se_sys_\(name)" }
        return "__\(word)_sys_\(name)"
    }

    /// - Parameters:
    ///   - target: `function` or `function+offset`.
    ///   - isReturn: it takes no offset.
    private func checkFunction(
        _ target: String, isReturn: Bool, _ report: inout ProgramReport
    ) {
        let name = String(target.prefix { $0.isPartOfSymbol })
        let rest = target.dropFirst(name.count)
        guard !name.isEmpty else {
            report.add(
                .error, "it loads, but does not attach: \(target) is not a name (EINVAL)")
            return
        }
        if isReturn, rest.hasPrefix("+") {
            report.add(
                .error, "it loads, but does not attach: kretprobes take no offset (EINVAL)")
            return
        }
        var isKnown = true
        for judge in judges {
            let facts = judge.awake.facts
            guard let symbols = facts.symbols else {
                isKnown = false
                continue
            }
            guard let place = symbols[name] else { continue }
            if let reason = facts.refusesProbe(name, place) {
                report.add(.error, "it loads, but does not attach: \(reason) (EINVAL)")
            } else if place.functions > 1 {
                report.add(
                    .unknown,
                    "\(place.functions) functions are named \(name): kernels from 6.6 on, and some older ones, refuse that (EADDRNOTAVAIL)"
                )
            } else if facts.patched.contains(place.address) {
                report.add(.unknown, "whether it attaches depends on \(Missing.patching.text)")
            } else if rest.hasPrefix("+") {
                report.add(.unknown, "whether an instruction starts at \(target) is not looked at")
            }
            return
        }
        if isKnown {
            report.add(
                .error, "it loads, but does not attach: the kernel has no symbol \(name) (ENOENT)")
            return
        }
        let isDescribed = functions.contains { $0[name]?.kind == .func }
        report.add(
            .unknown,
            (isDescribed ? "" : "\(name) is not in the BTF of the kernel; ")
                + "whether it attaches depends on \(Missing.symbols.text)")
    }

    /// - Parameter pattern: with `*` and `?`.
    private func checkPattern(_ target: String, _ report: inout ProgramReport) {
        let text = String(target.prefix { $0.isPartOfSymbol || $0 == "*" || $0 == "?" })
        let pattern = NamePattern(text)
        var isKnown = true
        var mayMatch = false
        for judge in judges {
            let facts = judge.awake.facts
            guard let symbols = facts.symbols else {
                isKnown = false
                continue
            }
            for name in symbols.functionNames where pattern?.matches(name) ?? (name == text) {
                guard let place = symbols[name], facts.isText(place.address) else { continue }
                switch facts.isTraceable(place.address) {
                case true?: return
                case nil: mayMatch = true
                case false?: break
                }
            }
        }
        if isKnown, !mayMatch {
            report.add(
                .error,
                "it loads, but does not attach: no traceable function of the kernel matches \(target) (ENOENT)"
            )
            return
        }
        let missing = isKnown ? Missing.fentries : .symbols
        report.add(.unknown, "whether it attaches depends on \(missing.text)")
    }
}

extension Character {
    /// libbpf reads names of functions up to the first other character.
    fileprivate var isPartOfSymbol: Bool {
        isASCII && (isLetter || isNumber || self == "_" || self == ".")
    }
}

extension ImageFacts {
    /// Why no kprobe is placed on a function; nil if one may be.
    fileprivate func refusesProbe(_ name: String, _ place: SymbolAddresses.Place) -> String? {
        guard isText(place.address) else {
            return
                "\(name) is not code that stays in memory: __init or __exit, or no function at all"
        }
        // NOKPROBE_SYMBOL makes such a variable, and linker scripts bound the sections.
        let isDenied = ["kprobes", "noinstr", "entry", "idmap"].contains { section in
            guard let start = symbols?["__\(section)_text_start"]?.address,
                let end = symbols?["__\(section)_text_end"]?.address
            else { return false }
            return place.address >= start && place.address < end
        }
        guard isDenied || symbols?["_kbl_addr_\(name)"] != nil else { return nil }
        return "the kernel accepts no kprobes in \(name)"
    }
}
