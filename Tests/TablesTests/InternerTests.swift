// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Tables
import Testing

@Suite struct InternerTests {
    /// Equal strings get one offset, also through growth.
    @Test(arguments: [true, false]) func manyStrings(_ leadingEmpty: Bool) {
        var interner = ByteInterner(leadingEmpty: leadingEmpty, expecting: 1)
        var offsets: [Int] = []
        for number in 0..<20_000 { offsets.append(interner.intern(Array("n\(number)".utf8))) }
        for number in 0..<20_000 {
            let bytes = Array("n\(number)".utf8)
            #expect(interner.intern(bytes) == offsets[number])
            #expect(withBytes(bytes) { interner.find($0) } == offsets[number])
        }
        #expect(Set(offsets).count == offsets.count)
        #expect(withBytes(Array("n20000".utf8)) { interner.find($0) } == nil)
        #expect(withBytes([]) { interner.find($0) } == (leadingEmpty ? 0 : nil))
        let view = ByteView(interner.bytes)
        #expect(view.cString(at: offsets[12_345]) == "n12345")
    }

    /// A string that begins like a longer one is its own.
    @Test func prefixes() {
        var interner = ByteInterner(leadingEmpty: true)
        let long = interner.intern(Array("abcdefgh".utf8))
        let short = interner.intern(Array("abcd".utf8))
        #expect(long != short)
        #expect(interner.intern(Array("abcdefgh".utf8)) == long)
    }
}
