// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

/// BTF that some release is the first to take, and what the one before says.
struct NewerBTF: CustomTestStringConvertible, Sendable {
    let rule: String
    let words: String
    /// The first release that takes it; nil when none does.
    let since: KernelVersion?
    /// Only BPF_BTF_LOAD refuses it.
    var onlyPrograms = false
    var error = KernelErrno.invalid
    var headerLength = 24
    let build: @Sendable (inout BTFAssembler) -> Void

    var testDescription: String { "\(rule) \(words)" }

    /// Type 1 of each is `int`.
    static let all: [NewerBTF] = [
        NewerBTF(rule: "M0b", words: "Invalid btf_info:10000000", since: KernelVersion(5, 13)) {
            $0.float("double", size: 8)
        },
        NewerBTF(rule: "M0c", words: "Invalid kind:17", since: KernelVersion(5, 16)) {
            $0.declTag("t", $0.typedef("x", 1))
        },
        NewerBTF(rule: "M0c", words: "Invalid kind:18", since: KernelVersion(5, 17)) {
            $0.pointer($0.typeTag("user", 1))
        },
        NewerBTF(rule: "M0c", words: "Invalid kind:19", since: KernelVersion(6, 0)) {
            $0.enumeration64("e", [("A", 1)])
        },
        NewerBTF(rule: "M0c", words: "Invalid kind:20", since: KernelVersion(7, 4)) {
            $0.location(0x8, [1])
        },
        NewerBTF(rule: "M7", words: "Invalid btf_info kind_flag", since: KernelVersion(6, 0)) {
            $0.enumeration("e", signed: true, [("A", -1)])
        },
        NewerBTF(
            rule: "M7", words: "Unexpected size", since: KernelVersion(5, 4), onlyPrograms: true
        ) {
            $0.enumeration("e", size: 1, [("A", 1)])
        },
        NewerBTF(rule: "M4", words: "Invalid btf_info kind_flag", since: KernelVersion(6, 15)) {
            $0.pointer($0.typeTag("address_space(1)", 1, flag: true))
        },
        NewerBTF(rule: "M14", words: "Invalid btf_info kind_flag", since: KernelVersion(6, 15)) {
            $0.declTag("aligned(8)", $0.typedef("x", 1), flag: true)
        },
        NewerBTF(rule: "M9", words: "vlen != 0", since: KernelVersion(5, 6)) {
            $0.function("f", $0.prototype(returns: 1), linkage: .global)
        },
        NewerBTF(rule: "M9", words: "Invalid func linkage", since: nil) {
            $0.function("f", $0.prototype(returns: 1), linkage: .extern)
        },
        NewerBTF(rule: "M11", words: "Linkage not supported", since: nil) {
            $0.variable("v", 1, linkage: .extern)
        },
        NewerBTF(rule: "M12", words: "size == 0", since: nil) { $0.section(".data", size: 0, []) },
        NewerBTF(rule: "R19", words: "Invalid arg#2", since: nil, onlyPrograms: true) {
            $0.function("f", $0.prototype(returns: 1, [("a", 1), ("", 1)]))
        },
        NewerBTF(rule: "M12", words: "Invalid name", since: KernelVersion(6, 9)) {
            $0.section("?.data", size: 4, [($0.variable("v", 1), 0, 4)])
        },
        NewerBTF(rule: "M9", words: "Invalid name", since: KernelVersion(6, 5)) {
            $0.function("asan.module_ctor", $0.prototype())
        },
        NewerBTF(rule: "M6", words: "Invalid name", since: KernelVersion(6, 1)) {
            $0.structure("s", size: 4, [(String(repeating: "m", count: 129), 1, 0)])
        },
        NewerBTF(
            rule: "R21", words: "Invalid arg#1", since: KernelVersion(6, 5), onlyPrograms: true
        ) {
            $0.prototype(returns: 1, [("a.b", 1)])
        },
        NewerBTF(rule: "C2", words: "Type tags don't precede modifiers", since: KernelVersion(7, 2))
        {
            $0.pointer($0.wrap(.const, $0.typeTag("user", 1)))
        },
        NewerBTF(
            rule: "H4", words: "Unsupported btf_header", since: KernelVersion(7, 1), error: .tooBig,
            headerLength: 32
        ) {
            // The strings end at a multiple of four, and the layout begins there.
            _ = $0.string("ab")
            $0.layout = [UInt8](repeating: 0, count: 4)
        },
        NewerBTF(rule: "M0b", words: "Invalid btf_info:4010000", since: KernelVersion(7, 2)) {
            asm in
            let member = [asm.string("m"), 1, 0]
            asm.record(
                .struct, "s", third: 4, vlen: 0x1_0000,
                (0..<0x1_0000).flatMap { _ in member })
        },
    ]
}

@Suite struct TargetCheckTests {
    static func report(
        _ asm: BTFAssembler, _ rules: TargetRules, use: TargetUse = .whole, isSound: Bool = true
    ) throws -> TargetReport {
        let bytes = asm.bytes()
        var subject = TargetSubject(ByteView(bytes), use)
        subject.isSound = isSound
        return checkTarget(
            subject, try BTF.parse(ByteView(bytes), base: asm.base), rules: rules)
    }

    /// Refused up to the release before, in its words; taken from then on.
    @Test(arguments: NewerBTF.all) func refusedUntil(_ case: NewerBTF) throws {
        var asm = BTFAssembler(headerLength: `case`.headerLength)
        asm.int()
        `case`.build(&asm)
        var refused = 0
        for (version, _, _) in TargetRulesTests.releases {
            let rules = try #require(TargetRules(version))
            // What is of a kind that is newer still says so in other words.
            guard
                asm.records.allSatisfy({ rules.takes(TypeInfo(rawValue: $0[1]).kind!) })
                    || `case`.rule.hasPrefix("M0")
            else { continue }
            let report = try Self.report(asm, rules)
            let findings = report.findings.findings.filter { $0.severity == .error }
            guard `case`.since.map({ version < $0 }) ?? true else {
                #expect(findings.isEmpty, "\(version): \(findings)")
                #expect(report.kernel == .takes && report.program == .takes, "\(version)")
                continue
            }
            if `case`.rule == "M0c", version < KernelVersion(5, 13) { continue }
            if `case`.words == "Invalid func linkage", !rules.has(.functionLinkage) { continue }
            refused += 1
            #expect(findings.count == 1, "\(version): \(findings)")
            #expect(findings.first?.rule == `case`.rule, "\(version)")
            #expect(findings.first?.message.contains(`case`.words) == true, "\(findings)")
            #expect(findings.first?.message.contains("(Linux \(version): ") == true)
            #expect(report.program == .refuses(`case`.error), "\(version)")
            #expect(report.kernel == (`case`.onlyPrograms ? .takes : .refuses(`case`.error)))
        }
        #expect(refused > 0)
    }

    /// Finding and id are those of the type at fault.
    @Test func place() throws {
        var asm = BTFAssembler()
        asm.int()
        asm.pointer(1)
        asm.float("double", size: 8)
        let report = try Self.report(asm, #require(TargetRules(KernelVersion(5, 12))))
        #expect(
            report.findings.findings.map(\.description) == [
                "+0x38: [3] error M0b: FLOAT double: Invalid btf_info:10000000 (Linux 5.12: EINVAL)"
            ])
    }

    /// A tag may follow a tag and lead to modifiers, not the other way round.
    @Test func tagOrder() throws {
        let rules = try #require(TargetRules(KernelVersion(6, 12)))
        var good = BTFAssembler()
        good.int()
        good.pointer(good.typeTag("a", good.typeTag("b", good.wrap(.const, good.typedef("t", 1)))))
        // What is behind a pointer is another row.
        good.wrap(.const, good.pointer(good.typeTag("c", 1)))
        #expect(try Self.report(good, rules).isTaken)
        var bad = BTFAssembler()
        bad.int()
        bad.pointer(bad.typedef("t", bad.wrap(.volatile, bad.typeTag("b", 1))))
        let findings = try Self.report(bad, rules).findings.findings
        #expect(findings.map(\.rule) == ["C2", "C2"])
        // The walk from each modifier ends, also in a circle.
        var circle = BTFAssembler()
        circle.wrap(.const, 2)
        circle.wrap(.const, 1)
        #expect(try Self.report(circle, rules).kernel == .refuses(.loop))
    }

    @Test func waysOfModules() throws {
        var base = BTFAssembler()
        base.int()
        var split = BTFAssembler(base: try base.parse())
        split.pointer(1)
        func ways(_ asm: BTFAssembler, _ minor: Int, _ use: TargetUse) throws -> [LoadVerdict] {
            let major = minor > 20 ? 5 : 6
            let rules = try #require(
                TargetRules(KernelVersion(major, major == 5 ? minor - 20 : minor)))
            let report = try Self.report(asm, rules, use: use)
            return [report.kernel, report.program]
        }
        let own = TargetUse.module(bringsBase: false)
        let distilled = TargetUse.module(bringsBase: true)
        // As a program's BTF, it has no strings that begin with an empty one.
        #expect(try ways(split, 1, own) == [.takes, .refuses(.invalid)])
        #expect(try ways(split, 10, distilled) == [.misreads, .refuses(.invalid)])
        #expect(try ways(split, 11, distilled) == [.takes, .refuses(.invalid)])
        #expect(try ways(split, 30, own) == [.overlooks, .refuses(.invalid)])
        // A module with standalone BTF.
        #expect(try ways(base, 12, own) == [.misreads, .takes])
        #expect(try ways(base, 12, .whole) == [.takes, .takes])
    }

    /// By its function, a kernel is known that renumbers standalone BTF; such BTF has an int.
    @Test func standaloneIsRenumbered() throws {
        var kernel = BTFAssembler()
        kernel.function("btf_is_standalone", kernel.prototype(returns: kernel.int()))
        let rules = try #require(TargetRules(KernelVersion(6, 12), showing: kernel.parse()))
        #expect(rules.renumbersStandalone && rules.granting([.layout]).renumbersStandalone)
        var module = BTFAssembler()
        module.pointer(module.int())
        var withoutInt = BTFAssembler()
        withoutInt.pointer(withoutInt.int("long int", size: 8))
        var split = BTFAssembler(base: try kernel.parse())
        split.pointer(1)
        func report(
            _ asm: BTFAssembler, bringsBase: Bool = false, isSound: Bool = true
        ) throws -> TargetReport {
            try Self.report(asm, rules, use: .module(bringsBase: bringsBase), isSound: isSound)
        }
        let good = try report(module)
        #expect(good.kernel == .takes && good.isRenumbered)
        #expect(try report(withoutInt).kernel == .misreads)
        #expect(try !report(split).isRenumbered && report(split).isTaken)
        #expect(try !report(split, bringsBase: true).isRenumbered)
        // What breaks another rule is refused as it would be elsewhere.
        module.typeTag("t", 1, flag: true)
        #expect(try report(module).kernel == .refuses(.invalid))
        // No release does it by itself.
        #expect(TargetRules(TargetRules.newest)?.renumbersStandalone == false)
    }

    /// Kernels take what no reader can rely on, and the report says so.
    @Test func unsoundIsTaken() throws {
        var asm = BTFAssembler()
        asm.int()
        let rules = try #require(TargetRules(KernelVersion(6, 1)))
        let taken = try Self.report(asm, rules, isSound: false)
        #expect(taken.kernel == .takes && !taken.isSound)
        asm.typeTag("t", 1, flag: true)
        #expect(try Self.report(asm, rules, isSound: false).kernel == .refuses(.invalid))
    }

    @Test func orderOfNames() throws {
        func findings(_ names: [String], _ major: Int, _ use: TargetUse = .whole) throws -> [String]
        {
            var asm = BTFAssembler()
            for name in names { asm.int(name) }
            let rules = try #require(TargetRules(KernelVersion(major, 0)))
            let report = try Self.report(asm, rules, use: use)
            #expect(report.kernel != .refuses(.invalid))
            return report.findings.findings.map { "\($0.type?.rawValue ?? 0) \($0.rule)" }
        }
        #expect(try findings(["", "", "Z", "a", "a", "b_", "b_c"], 7) == [])
        #expect(try findings(["a", "", "b"], 7) == ["2 sorted"])
        #expect(try findings(["a", "Z"], 7) == ["2 sorted"])
        #expect(try findings(["a", "Z"], 6) == [])
        #expect(try findings(["a", "Z"], 7, .module(bringsBase: false)) == [])
    }

    /// Whatever the bytes are, there is a report, and the rules of a target can be read from them.
    @Test(arguments: 0..<8) func damaged(_ seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        var asm = BTFAssembler(headerLength: seed % 2 == 0 ? 24 : 32)
        asm.int()
        for newer in NewerBTF.all where !newer.words.contains("btf_info:4010000") {
            newer.build(&asm)
        }
        asm.structure("module", size: 8, [("btf_data", 1, 0)])
        asm.enumeration("", [("BTF_KIND_UNKN", 0), ("BTF_KIND_ENUM64", 19)])
        let whole = asm.bytes()
        var read = 0
        for _ in 0..<400 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let at = Int.random(in: 24..<bytes.count, using: &random)
                bytes[at] = UInt8.random(in: 0...255, using: &random)
            }
            guard let btf = try? BTF.parse(ByteView(bytes)) else { continue }
            read += 1
            _ = TargetRules(nil, showing: btf)
            for version in [KernelVersion(5, 2), KernelVersion(6, 12), KernelVersion(7, 2)] {
                let report = checkTarget(
                    TargetSubject(ByteView(bytes), .whole), btf, rules: TargetRules(version)!)
                #expect((report.findings.errorCount == 0) == (report.program == .takes))
            }
        }
        #expect(read > 100)
    }

    @Test func sizes() throws {
        var asm = BTFAssembler()
        asm.int()
        let rules = try #require(TargetRules(KernelVersion(5, 2)))
        let newer = try #require(TargetRules(KernelVersion(7, 2)))
        // A name that fills it up to 16 MiB, and one byte more.
        let rest = (16 << 20) - asm.bytes().count - 16 - 1
        for (count, verdict) in [(rest, LoadVerdict.takes), (rest + 1, .refuses(.tooBig))] {
            var large = asm
            large.int(String(repeating: "n", count: count))
            let report = try Self.report(large, newer)
            #expect(report.program == verdict && report.kernel == .takes)
        }
        for _ in 0..<0xffff { asm.pointer(1) }
        let report = try Self.report(asm, rules)
        #expect(report.program == .refuses(.tooBig) && report.kernel == .takes)
        #expect(try Self.report(asm, #require(TargetRules(KernelVersion(5, 4)))).program == .takes)
    }
}
