// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import TestSupport
import Testing

@testable import BTF

/// BTF of modules held against the BTF of another kernel.
@Suite struct OtherBaseTests {
    /// A kernel's BTF: `front` types more, and names of `padding` bytes more, than the one without.
    private static func kernel(
        bigEndian: Bool = false, front: Int = 0, padding: Int = 0, renamed: Bool = false
    ) throws -> BTF {
        var asm = BTFAssembler(bigEndian: bigEndian)
        let int = asm.int("int")
        for number in 0..<front { asm.function("before\(number)", asm.prototype(returns: int)) }
        if padding > 0 { _ = asm.string(String(repeating: "x", count: padding - 1)) }
        asm.structure(renamed ? "fail" : "file", size: 8, [("x", int, 0), ("y", int, 32)])
        return try asm.parse()
    }

    /// A module's on it, which refers to its last type.
    private static func module(_ base: BTF) throws -> [UInt8] {
        var asm = BTFAssembler(bigEndian: base.bigEndian, base: base)
        let last = base.typeCount - 1
        let own = asm.structure(
            "device", size: 24, [("file", last, 0), ("other", last, 64), ("more", last, 128)])
        for name in ["open", "close", "read", "write"] {
            asm.function(name, asm.prototype(returns: last, [("device", asm.pointer(own))]))
        }
        return asm.bytes()
    }

    private static func fault(_ bytes: [UInt8], on base: BTF) -> OtherBase? {
        let view = ByteView(bytes)
        return OtherBase(view, on: base, CheckedBTF(view, base: base, limit: 1))
    }

    @Test(arguments: [false, true]) func fits(bigEndian: Bool) throws {
        for front in [0, 3] {
            let base = try Self.kernel(bigEndian: bigEndian, front: front)
            #expect(Self.fault(try Self.module(base), on: base) == nil)
        }
    }

    /// More types, fewer types, longer names, shorter names, both.
    @Test(arguments: [(0, 2, 0, 0), (3, 0, 0, 0), (0, 0, 0, 9), (0, 0, 50, 0), (1, 2, 0, 30)])
    func doesNotFit(_ front: Int, _ otherFront: Int, _ padding: Int, _ otherPadding: Int) throws {
        let base = try Self.kernel(front: front, padding: padding)
        let other = try Self.kernel(front: otherFront, padding: otherPadding)
        let bytes = try Self.module(base)
        let found = try #require(Self.fault(bytes, on: other))
        #expect(
            found.sentence("vmlinux").hasPrefix("split BTF, which was not built against vmlinux: "))
        #expect(found.offset < bytes.count)
        if let type = found.type { #expect(type.rawValue >= other.typeCount) }
    }

    /// One fault among types that are right is damage.
    @Test func damage() throws {
        let base = try Self.kernel()
        for target: UInt32 in [99, 1000, 0xffff] {
            var asm = BTFAssembler(base: base)
            for name in ["a", "b", "c", "d"] {
                asm.structure(name, size: 8, [("file", base.typeCount - 1, 0)])
            }
            asm.typedef("broken", target)
            #expect(Self.fault(asm.bytes(), on: base) == nil)
        }
        #expect(Self.fault([0x9f, 0xeb, 1, 0, 24], on: base) == nil)
        #expect(Self.fault(try Self.module(base), on: try Self.kernel(bigEndian: true)) == nil)
    }

    /// What kernels do: they refuse wrong names, and do not see wrong references of members and
    /// pointers.
    @Test func kernelVerdicts() throws {
        let base = try Self.kernel(front: 3, padding: 50)
        let rules = try #require(TargetRules(KernelVersion(6, 1)))
        func verdict(
            _ kernel: BTF, madeOn own: BTF?, _ rules: TargetRules
        ) throws -> LoadVerdict? {
            let bytes = ByteView(try Self.module(base))
            guard let other = otherBase(of: bytes, madeOn: own, on: kernel) else { return nil }
            var subject = TargetSubject(bytes, .module(bringsBase: false))
            subject.kernel = KernelTypes(kernel)
            var report = checkTarget(
                subject, try? BTF.parse(bytes, base: own ?? kernel), rules: rules)
            report.blame(other, on: "vmlinux")
            return report.kernel
        }
        #expect(
            try verdict(base, madeOn: nil, rules) == nil
                && verdict(base, madeOn: base, rules) == nil)
        let shorter = try Self.kernel(front: 3)
        #expect(
            try verdict(shorter, madeOn: nil, rules) == .isOfAnotherBase(refusedWith: .invalid),
            "names beyond the strings")
        // Of the same numbers, and other types: only the base that it was made on shows it.
        let twin = try Self.kernel(front: 3, padding: 50, renamed: true)
        #expect(try verdict(twin, madeOn: nil, rules) == nil)
        #expect(try verdict(twin, madeOn: base, rules) == .isOfAnotherBase(refusedWith: nil))
        let old = try #require(TargetRules(KernelVersion(5, 10)))
        #expect(try verdict(shorter, madeOn: nil, old) == .overlooks, "it reads no BTF of modules")
    }

    /// What is refused when a module is loaded is less than what BPF_BTF_LOAD refuses.
    @Test func refusedAtLoad() throws {
        let base = try Self.kernel()
        func isRefused(_ add: (inout BTFAssembler) -> Void) throws -> Bool {
            var asm = BTFAssembler(base: base)
            add(&asm)
            let report = check(ByteView(asm.bytes()), base: base, limit: 0)
            #expect(!report.isSound)
            return report.refusedAtLoad != nil
        }
        #expect(try !isRefused { $0.pointer(500) })
        #expect(try !isRefused { $0.structure("s", size: 4, [("m", 500, 0)]) })
        #expect(try !isRefused { $0.function("f", 1) })
        #expect(try isRefused { $0.wrap(.const, 500) })
        #expect(try isRefused { $0.structure("1s", size: 4, [("m", 1, 0)]) })
        #expect(try isRefused { $0.pointer(0x10_0000) })
        // A name of no letters is written as offset 0; kernels refuse another NUL.
        let end = UInt32(base.strings.count) - 1
        #expect(try isRefused { $0.raw([end, UInt32(Kind.struct.rawValue) << 24, 0]) })
        #expect(
            try isRefused {
                $0.raw([0, UInt32(Kind.struct.rawValue) << 24 | 1, 4, end, 1, 0])
            })
    }
}
