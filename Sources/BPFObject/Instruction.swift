// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes

/// The parts of an instruction that relocations depend on (Documentation/bpf/standardization).
struct Instruction {
    static let size = 8
    /// Two instructions long: loads 64 bits.
    static let loadImmediate64: UInt8 = 0x18
    static let call: UInt8 = 0x85
    /// BPF_PSEUDO_CALL, in the source register of a call.
    static let pseudoCall: UInt8 = 1

    let code: UInt8
    let source: UInt8
    let immediate: Int32

    /// Instruction `index` of `code`, which must exist.
    init(_ code: ByteView, _ index: Int, bigEndian: Bool) {
        let at = index * Self.size
        self.code = code[at]
        let registers = code[at + 1]
        source = bigEndian ? registers & 0xf : registers >> 4
        var word: UInt32 = 0
        for byte in 0..<4 {
            word |= UInt32(code[at + 4 + byte]) << UInt32(8 * (bigEndian ? 3 - byte : byte))
        }
        immediate = Int32(bitPattern: word)
    }

    var isCall: Bool { code == Self.call }
    var isLoad: Bool { code == Self.loadImmediate64 }
    /// A call of a function in the same section, without a relocation.
    var isLocalCall: Bool { isCall && source == Self.pseudoCall }
    /// A call of a function of the kernel by its number in enum bpf_func_id.
    var isHelperCall: Bool { isCall && source == 0 }
}
