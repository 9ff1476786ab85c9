// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFObject
import BTF
import Bytes
import TestSupport
import Testing

@testable import Attaching

/// Calls that leave registers unset. What kernels say of them, the guest test `trampolines` shows.
@Suite struct DroppedArgumentsTests {
    /// `sub` takes a pointer and a number, by its BTF; `entry` calls it after `setup`.
    private func object(
        isStatic: Bool, _ setup: [BPFImage.Instruction], bigEndian: Bool = false,
        first: Kind = .ptr
    ) throws -> BPFObject {
        var image = BPFImage(bigEndian: bigEndian)
        let start = first == .ptr ? image.btf.pointer(image.int) : image.int
        let two = image.btf.prototype(returns: image.int, [("a", start), ("b", image.int)])
        let one = image.btf.prototype(returns: image.int, [("context", image.int)])
        image.btf.function("sub", two, linkage: isStatic ? .static : .global)
        image.btf.function("entry", one, linkage: .global)
        let sub = image.program("sub", in: ".text", isStatic: isStatic)
        let entry = image.program("entry", in: "tc", setup + [.call(), .exit])
        image.relocate(entry, instruction: setup.count, to: sub.symbol)
        return try BPFObject(ByteView(image.bytes()), path: "x.o")
    }

    @Test("the first register that no path sets", arguments: [false, true])
    func registers(bigEndian: Bool) throws {
        func first(_ setup: [BPFImage.Instruction]) throws -> Int? {
            let calls = DroppedArguments(
                try object(isStatic: true, setup, bigEndian: bigEndian)
            ).calls
            #expect(calls.count < 2)
            return calls.first?.register
        }
        // The context is in r1.
        #expect(try first([]) == 2)
        #expect(try first([.move(2, 1)]) == nil)
        #expect(try first([.load(2)]) == nil)
        // A call leaves none of them.
        #expect(try first([.move(2, 1), .helper(14)]) == 1)
        #expect(try first([.helper(14), .move(1, 0), .move(2, 0)]) == nil)
        // One path is enough: the verifier sees others, and judges them itself.
        #expect(try first([.jumpIfZero(1, 1), .move(2, 1)]) == nil)
    }

    @Test("the context is no number, wherever it was copied to")
    func context() throws {
        let calls = DroppedArguments(
            try object(isStatic: true, [.copy(2, 1)], first: .int)
        ).calls
        #expect(calls.map(\.register) == [1])
        let behind = DroppedArguments(try object(isStatic: true, [.copy(2, 1)])).calls
        #expect(behind.map(\.register) == [2])
        let numbers = [BPFImage.Instruction.copy(2, 1), .move(1, 0), .move(2, 0)]
        #expect(
            DroppedArguments(try object(isStatic: true, numbers, first: .int)).calls.isEmpty)
    }

    @Test("of two functions with the same name, the BTF says nothing")
    func ambiguous() throws {
        var image = BPFImage()
        let pointer = image.btf.pointer(image.int)
        let two = image.btf.prototype(returns: image.int, [("a", pointer), ("b", image.int)])
        let one = image.btf.prototype(returns: image.int, [("context", image.int)])
        image.btf.function("sub", one, linkage: .global)
        image.btf.function("sub", two, linkage: .static)
        image.btf.function("entry", one, linkage: .global)
        let sub = image.program("sub", in: ".text", isStatic: false)
        let entry = image.program("entry", in: "tc", [.call(), .exit])
        image.relocate(entry, instruction: 0, to: sub.symbol)
        let object = try BPFObject(ByteView(image.bytes()), path: "x.o")
        #expect(DroppedArguments(object).calls.isEmpty)
    }

    @Test("what stands behind a branch may never be reached")
    func uncertain() throws {
        let object = try object(isStatic: false, [.jumpIfZero(1, 1), .move(3, 0)])
        #expect(DroppedArguments(object).calls.map(\.isCertain) == [false])
        let record = try #require(object.btf.ownRecords.first { $0.name == "sub" })
        #expect(ProgramTargets(object, version: nil).answer(record, .fentry) == .yes)
        #expect(
            DroppedArguments(try self.object(isStatic: false, [])).calls.map(\.isCertain) == [true])
    }

    @Test("a static function is traced as five numbers, a global one not at all")
    func targets() throws {
        for isStatic in [true, false] {
            let object = try object(isStatic: isStatic, [])
            let targets = ProgramTargets(object, version: nil)
            let record = try #require(object.btf.ownRecords.first { $0.name == "sub" })
            let refusal = targets.answer(record, .fentry).refusal
            let doubt = targets.doubt(record, .fexit)
            if isStatic {
                #expect(refusal == nil)
                #expect(doubt?.contains("programs see five numbers, and the result") == true)
                #expect(targets.doubt(record, .freplace) == nil)
                let verdict = AttachJudge(object.btf, targets).judge(record, .fentry)
                #expect(verdict.answer == .yes && verdict.notes.count == 1)
            } else {
                #expect(refusal?.text.contains("Caller passes invalid args into func") == true)
            }
            let kept = ProgramTargets(
                try self.object(isStatic: isStatic, [.move(2, 0)]), version: nil)
            #expect(kept.answer(record, .fentry) == .yes && kept.doubt(record, .fentry) == nil)
        }
    }

    @Test("the program that calls a global one is refused")
    func program() throws {
        var kernel = BTFAssembler()
        _ = kernel.int()
        let judge = AttachJudge(
            try kernel.parse(), ImageFacts(), kernel: nil, version: nil, machine: "x86_64",
            isSleepable: false)
        for (isStatic, expected) in [(true, false), (false, true)] {
            let reports = ProgramCheck(
                try object(isStatic: isStatic, [.move(3, 0)]), [(judge, judge)]
            ).reports()
            #expect(reports.count == 1)
            #expect(reports[0].hasErrors == expected, "\(reports[0].findings)")
            guard expected else { continue }
            #expect(
                reports[0].findings[0].message
                    == "it calls sub without argument 2, which the compiler dropped: "
                    + "Caller passes invalid args into func sub (EINVAL)")
        }
    }
}
