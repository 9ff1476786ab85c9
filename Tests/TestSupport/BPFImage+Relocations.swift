// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes

/// A CO-RE relocation as `.BTF.ext` has it.
package struct RelocationRecord {
    package let type: UInt32
    package let access: String
    /// enum bpf_core_relo_kind.
    package let kind: UInt32

    package init(_ type: UInt32, _ access: String, kind: UInt32 = 0) {
        self.type = type
        self.access = access
        self.kind = kind
    }
}

extension BPFImage {
    /// Adds a program with an instruction for each of these relocations, in this order, and
    /// `.BTF.ext` with nothing else.
    package mutating func ask(_ relocations: [RelocationRecord]) {
        let name = "tp/asking"
        let instructions = relocations.map { _ in Instruction.move(0, 0) }
        let function = program("asking", in: name, instructions + [.exit])
        var words = [32, 0, 0, 0, 0, 0, UInt32(12 + relocations.count * 16)]
        words += [16, btf.string(name), UInt32(relocations.count)]
        for (index, relocation) in relocations.enumerated() {
            words += [
                UInt32(function.offset + index * 8), relocation.type,
                btf.string(relocation.access), relocation.kind,
            ]
        }
        var writer = ByteWriter(bigEndian: bigEndian)
        writer.put(Header.magicBytes(bigEndian: bigEndian))
        writer.put([1, 0] as [UInt8])
        for word in words { writer.put(word) }
        extended = writer.bytes
    }
}
