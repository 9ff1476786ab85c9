// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

@testable import BPFObject

/// `.BTF.ext` is read whole or refused.
@Suite struct ExtendedInfoTests {
    /// One function, one line, one relocation of it.
    struct Sample {
        var image: BPFImage
        /// Header and tables, a word each.
        var words: [UInt32]
        let function: UInt32
        let structure: UInt32

        init(bigEndian: Bool = false) {
            image = BPFImage(bigEndian: bigEndian)
            function = image.btf.function("p", image.btf.prototype(), linkage: .global)
            structure = image.btf.structure("task", size: 4, [("pid", image.int, 0)])
            let section = image.btf.string("fentry/f")
            let text = image.btf.string("x.c")
            let access = image.btf.string("0:0")
            image.program("p", in: "fentry/f", [.move(0, 0), .move(1, 0), .exit])
            words = [
                32, 0, 20, 20, 28, 48, 28,
                8, section, 1, 0, function,
                16, section, 1, 8, text, text, 0x401,
                16, section, 1, 16, structure, access, 12,
            ]
        }

        func read() throws(BPFObjectError) -> ExtendedInfo {
            var copy = image
            var writer = ByteWriter(bigEndian: image.bigEndian)
            writer.put(UInt16(0xeb9f))
            writer.put([1, 0])
            for word in words { writer.put(word) }
            copy.extended = writer.bytes
            return try copy.read().extendedInfo
        }
    }

    @Test(arguments: ObjectTests.orders) func all(bigEndian: Bool) throws {
        let sample = Sample(bigEndian: bigEndian)
        let info = try sample.read()
        #expect(
            info.functionTypes == [
                .init(section: "fentry/f", offset: 0, type: TypeID(sample.function))
            ])
        #expect(info.lineCount == 1)
        #expect(
            info.relocations == [
                .init(
                    section: "fentry/f", offset: 16, type: TypeID(sample.structure), access: "0:0",
                    kind: 12)
            ])
        #expect(try BPFImage().read().extendedInfo == ExtendedInfo())
    }

    /// Before Linux 5.4 there were no relocations.
    @Test func shortHeader() throws {
        var sample = Sample()
        sample.words = [24, 0, 20, 20, 28] + sample.words[7..<19]
        #expect(try sample.read().lineCount == 1)
        #expect(try sample.read().relocations == [])
    }

    /// Places of words, counted behind the magic's four bytes; what is put there; where the error
    /// is, and of what.
    @Test(
        arguments: [
            (0, 20, 4, "header length 20"), (0, 4096, 4, "header length 4096"),
            (1, 2, 8, "a table of 20 bytes at 2"), (2, 4096, 8, "a table of 4096 bytes"),
            (2, 0xffff_fffc, 8, "a table of 4294967292 bytes"), (7, 4, 32, "record size 4"),
            (7, 9, 32, "record size 9"), (8, 9999, 36, ""), (9, 0, 40, "0 records"),
            (9, 2, 40, "2 records of 8 bytes"), (10, 4, 44, "offset 4 is not an instruction"),
            (10, 24, 44, "offset 24 is not an instruction"),
            (11, 77, 44, "type 77 is not a function"),
            (11, 1, 44, "type 1 is not a function"), (16, 9999, 64, "its text is not in .BTF"),
            (23, 77, 92, "no type 77"), (24, 9999, 92, "no access string"),
            (25, 13, 92, "unknown kind 13"),
            (2, 24, 52, "the header of a section's records is truncated"),
        ] as [(Int, UInt32, Int, String)])
    func damage(word: Int, value: UInt32, offset: Int, message: String) throws {
        var sample = Sample()
        sample.words[word] = value
        let error = #expect(throws: BPFObjectError.self) { try sample.read() }
        #expect(error?.message.contains(message) == true, "\(error?.description ?? "")")
        if !message.isEmpty { #expect(error?.section == ".BTF.ext" && error?.offset == offset) }
    }

    @Test func magicAndVersion() throws {
        for (bytes, offset) in [([0xeb, 0x9f, 1, 0], 0), ([0x9f, 0xeb, 2, 0], 2), ([0x9f], 0)]
            as [([UInt8], Int)]
        {
            var image = BPFImage()
            image.extended = bytes
            let error = #expect(throws: BPFObjectError.self) { try image.read() }
            #expect(error?.section == ".BTF.ext" && error?.offset == offset)
        }
    }
}
