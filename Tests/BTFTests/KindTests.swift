// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import TestSupport
import Testing

@testable import BTF

@Suite struct KindTests {
    /// The one place where a number is written twice.
    @Test func numbersLeadBack() {
        for kind in Kind.allCases { #expect(Kind(known: kind.rawValue) == kind) }
        let numbers = (UInt8.min...UInt8.max).filter { Kind(known: $0) != nil }
        #expect(numbers == Kind.allCases.map(\.rawValue).sorted())
    }

    /// What `bpftool btf dump` prints, and include/uapi/linux/btf.h has.
    @Test func words() {
        #expect(Set(Kind.allCases.map(\.word)).count == Kind.allCases.count)
        #expect(Kind.funcProto.constant == "BTF_KIND_FUNC_PROTO" && Kind.enum64.word == "ENUM64")
        #expect(
            KernelAbility.listedKinds.map(\.name) == [
                "BTF_KIND_FLOAT", "BTF_KIND_DECL_TAG", "BTF_KIND_TYPE_TAG", "BTF_KIND_ENUM64",
            ])
    }

    /// Words of a record with two elements, by the kernel's structs (include/uapi/linux/btf.h).
    @Test(arguments: [
        (Kind.int, 4), (.ptr, 3), (.array, 6), (.struct, 9), (.union, 9), (.enum, 7), (.fwd, 3),
        (.func, 3), (.funcProto, 7), (.var, 4), (.datasec, 9), (.float, 3), (.declTag, 4),
        (.typeTag, 3), (.enum64, 9), (.locParam, 6), (.locProto, 5), (.locsec, 9),
    ]) func lengths(_ kind: Kind, _ words: Int) {
        #expect(TypeInfo(kind, vlen: 2).recordWords == words)
        #expect(TypeInfo(kind, vlen: 2).count == (kind.shape.element == 0 ? 0 : 2))
    }

    /// The linkage of a function is no number of elements.
    @Test func linkageIsNoCount() {
        let info = TypeInfo(.func, vlen: 2)
        var references: [Int] = []
        var names: [Int] = []
        info.forEachReference { references.append($0) }
        info.forEachName { names.append($0) }
        #expect(references == [2] && names == [0])
    }

    @Test func referencesAndNames() {
        func positions(_ info: TypeInfo) -> [[Int]] {
            var references: [Int] = []
            var names: [Int] = []
            info.forEachReference { references.append($0) }
            info.forEachName { names.append($0) }
            return [references, names]
        }
        #expect(positions(TypeInfo(.struct, vlen: 2, flag: true)) == [[4, 7], [0, 3, 6]])
        #expect(positions(TypeInfo(.funcProto, vlen: 2)) == [[2, 4, 6], [0, 3, 5]])
        #expect(positions(TypeInfo(.array)) == [[3, 4], [0]])
        #expect(positions(TypeInfo(.datasec, vlen: 2)) == [[3, 6], [0]])
        #expect(positions(TypeInfo(rawValue: 31 << 24 | 2)) == [[], []])
    }

    /// How many records a walk comes by, and what ends it.
    private static func end(_ words: [UInt32]) -> String {
        var walk = RecordWalk(words)
        var starts: [Int] = []
        while true {
            do throws(RecordWalk.Fault) {
                guard let step = try walk.next() else { return "\(starts.count) records" }
                starts.append(step.start)
            } catch {
                return "\(starts.count) records, at \(walk.position): \(error.message)"
            }
        }
    }

    /// Each way in which the records of a section end early.
    @Test func walks() throws {
        let int: [UInt32] = [0, TypeInfo(.int).rawValue, 4, 32]
        #expect(Self.end([]) == "0 records")
        #expect(Self.end(int + int) == "2 records")
        #expect(Self.end(int + [0, 0]) == "1 records, at 4: record is truncated")
        #expect(Self.end(int + [0, 31 << 24, 0]) == "1 records, at 4: unknown kind 31")
        #expect(
            Self.end(int + [0, TypeInfo(.struct, vlen: 1).rawValue, 0, 0])
                == "1 records, at 4: STRUCT with 1 elements ends after the type section")
        // The vlen of a FUNC counts nothing.
        #expect(Self.end([0, TypeInfo(.func, vlen: 0xff_ffff).rawValue, 1]) == "1 records")
    }

    @Test func magic() {
        for bigEndian in [false, true] {
            let bytes = Header.magicBytes(bigEndian: bigEndian)
            #expect(bytes == (bigEndian ? [0xeb, 0x9f] : [0x9f, 0xeb]))
            #expect(Header.isBigEndian(ByteView(bytes + [1, 0])) == bigEndian)
        }
        for bytes: [UInt8] in [[], [0x9f], [0xeb, 0xeb], [0x7f, 0x45]] {
            #expect(Header.isBigEndian(ByteView(bytes)) == nil)
        }
    }

    /// The kinds a kernel searches for by name are those a distilled base may contain, except
    /// ENUM64.
    @Test func distilled() {
        for kind in Kind.allCases {
            #expect(kind.isInDistilledBase == (kind.isFoundByName && kind != .enum64))
        }
        #expect(Kind.allCases.filter(\.isModifier).count == 5)
        #expect(Kind.allCases.filter(\.isPlace) == [.var, .datasec, .locsec])
    }
}
