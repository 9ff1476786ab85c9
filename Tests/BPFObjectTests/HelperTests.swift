// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import TestSupport
import Testing

@testable import BPFObject

/// The helpers that programs call.
@Suite struct HelperTests {
    private func helpers(_ image: BPFImage) throws -> [String: [UInt32]] {
        let object = try image.read()
        return Dictionary(
            uniqueKeysWithValues: object.programs.map { ($0.name, object.helpers(of: $0)) })
    }

    @Test("each once, in order", arguments: [false, true])
    func own(bigEndian: Bool) throws {
        var image = BPFImage(bigEndian: bigEndian)
        image.program(
            "p", in: "lsm/file_open", [.helper(130), .helper(14), .helper(130), .exit])
        image.program("q", in: "lsm/task_alloc", [.move(0, 0), .exit])
        #expect(try helpers(image) == ["p": [14, 130], "q": []])
    }

    /// The second half of a load is a number, whatever it looks like.
    @Test("not what only looks like a call")
    func lookalikes() throws {
        var image = BPFImage()
        image.program(
            "p", in: "lsm/file_open", [.load(1, 0x85), .helper(0), .helper(-1), .exit])
        #expect(try helpers(image) == ["p": []])
    }

    @Test("those of functions that it calls count, those of others do not")
    func called() throws {
        var image = BPFImage()
        let outer = image.program("outer", in: ".text", [.call(2), .helper(7), .exit])
        image.program("inner", in: ".text", [.helper(8), .exit])
        image.program("alone", in: ".text", [.helper(9), .exit])
        let program = image.program("p", in: "lsm/file_open", [.call(), .helper(6), .exit])
        image.relocate(program, instruction: 0, to: outer.symbol)
        #expect(try helpers(image) == ["p": [6, 7, 8]])
    }

    @Test("a call of a kernel function is none of a helper")
    func kernelFunctions() throws {
        var image = BPFImage()
        let symbol = image.extern("one", in: ".ksyms", isFunction: true)
        let program = image.program("p", in: "fentry/f", [.helper(5), .helper(6), .exit])
        image.relocate(program, instruction: 0, to: symbol)
        #expect(try helpers(image) == ["p": [6]])
    }
}
