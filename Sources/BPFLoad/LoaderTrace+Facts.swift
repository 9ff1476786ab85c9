// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFObject
import Glibc

extension LoaderTrace {
    /// The same trace with values of `.kconfig` replaced that libbpf read from the running kernel.
    ///
    /// The loader initialises its map from an address in its own data, which its instructions
    /// contain; the bytes are overwritten there and in the map's description.
    func corrected(by facts: HostFacts, path: String) throws(LibBPFError) -> LoaderTrace {
        if facts.corrections.isEmpty { return self }
        func fail(_ message: String) -> LibBPFError {
            LibBPFError(file: path, step: "correct", code: EINVAL, log: [message])
        }
        guard
            let index = maps.lastIndex(where: { $0.isInternal && $0.name.hasSuffix(".kconfig") }),
            var value = maps[index].initialValue
        else { throw fail("no map .kconfig in the loader") }
        guard let start = valueOffset(ofMap: index), start >= 0, start <= data.count - value.count,
            Array(data[start..<start + value.count]) == value
        else { throw fail("the loader does not give the address of .kconfig") }
        var data = data
        for correction in facts.corrections {
            guard correction.offset + correction.bytes.count <= value.count else {
                throw fail("a variable extends past .kconfig")
            }
            for (place, byte) in zip(correction.offset..., correction.bytes) {
                value[place] = byte
                data[start + place] = byte
            }
        }
        var maps = maps
        maps[index].initialValue = value
        return LoaderTrace(
            data: data, instructions: instructions, maps: maps, programs: programs, types: types)
    }

    /// The offset in `data` of the initial value of map `index`; nil unless exactly one is found.
    ///
    /// The code that copies it begins with `r3 = context->maps[index].initial_value`, a jump over
    /// the copy if that is 0, and `r1 = ` the address in question.
    private func valueOffset(ofMap index: Int) -> Int? {
        // struct bpf_loader_ctx, then a struct bpf_map_desc per map, whose second half is the
        // address.
        let member = 24 + 16 * index + 8
        var found: [Int] = []
        let count = instructions.count / 8
        for number in 0..<max(0, count - 3) {
            let load = Fields(instructions, number)
            guard load.code == 0x79, load.offset == member, load.target == 3, load.source == 6
            else { continue }
            let (jump, address) = (
                Fields(instructions, number + 1), Fields(instructions, number + 2)
            )
            guard jump.code == 0x15, jump.target == 3, jump.immediate == 0,
                address.code == 0x18, address.target == 1
            else { continue }
            found.append(Fields(instructions, number + 3).immediate)
        }
        return found.count == 1 ? found[0] : nil
    }

    /// An instruction of the loader, which is in this machine's byte order.
    private struct Fields {
        let code: UInt8
        let target: UInt8
        let source: UInt8
        let offset: Int
        let immediate: Int

        init(_ instructions: [UInt8], _ number: Int) {
            let bytes = instructions[number * 8..<number * 8 + 8].map { UInt32($0) }
            let isBig = UInt16(1).bigEndian == 1
            code = UInt8(bytes[0])
            target = UInt8(isBig ? bytes[1] >> 4 : bytes[1] & 0xf)
            source = UInt8(isBig ? bytes[1] & 0xf : bytes[1] >> 4)
            offset = Int(
                Int16(
                    truncatingIfNeeded: isBig ? bytes[2] << 8 | bytes[3] : bytes[3] << 8 | bytes[2])
            )
            let words = isBig ? Array(bytes[4...]) : bytes[4...].reversed()
            immediate = Int(Int32(truncatingIfNeeded: words.reduce(0) { $0 << 8 | $1 }))
        }
    }
}
