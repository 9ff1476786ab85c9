// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import TestSupport
import Testing

/// Types as short lines of messages, which are C declarations where C has them.
struct TypeTextTests {
    private func text(_ build: (inout BTFAssembler, UInt32) -> UInt32) throws -> String {
        var asm = BTFAssembler()
        let int = asm.int()
        let type = build(&asm, int)
        return TypeTexts(try asm.parse()).text(TypeID(type))
    }

    /// The qualifiers are given from the outermost in.
    private func qualified(_ kinds: [Kind], _ asm: inout BTFAssembler, _ target: UInt32) -> UInt32 {
        kinds.reversed().reduce(target) { asm.wrap($1, $0) }
    }

    /// Each is at its pointer, in the order of the C dump; before a base type alike.
    @Test func qualifiersOfPointers() throws {
        let twice = try text { asm, int in
            asm.pointer(qualified([.volatile, .const], &asm, asm.pointer(int)))
        }
        #expect(twice == "int * const volatile *")
        let all = try text { asm, int in
            let inner = asm.pointer(asm.wrap(.const, int))
            let middle = asm.pointer(qualified([.volatile, .const], &asm, inner))
            return asm.wrap(.restrict, middle)
        }
        #expect(all == "const int * const volatile * restrict")
        let base = try text { asm, int in qualified([.volatile, .const], &asm, int) }
        #expect(base == "const volatile int")
        #expect(try text { asm, _ in asm.wrap(.const, 0) } == "const void")
    }

    /// C has no qualified arrays: their elements are, pointers among them.
    @Test func qualifiersOfArrays() throws {
        let pointers = try text { asm, int in
            qualified([.const, .volatile], &asm, asm.array(asm.pointer(int), index: int, 3))
        }
        #expect(pointers == "int * volatile const [3]")
        let numbers = try text { asm, int in
            asm.pointer(asm.wrap(.const, asm.array(int, index: int, 3)))
        }
        #expect(numbers == "const int (*)[3]")
        let table = try text { asm, int in
            let pointer = asm.pointer(asm.array(asm.array(int, index: int, 2), index: int, 3))
            return asm.wrap(.const, pointer)
        }
        #expect(table == "int (* const)[3][2]")
    }

    @Test func qualifiersOfFunctions() throws {
        let pointer = try text { asm, int in
            let function = asm.prototype(returns: asm.pointer(asm.wrap(.const, int)), [("a", int)])
            return asm.wrap(.const, asm.pointer(function))
        }
        #expect(pointer == "const int *(* const)(int)")
        // As some compilers describe functions that do not return.
        let odd = try text { asm, int in
            asm.pointer(asm.wrap(.volatile, asm.prototype(returns: int)))
        }
        #expect(odd == "int (*)(void) volatile")
    }

    @Test func tags() throws {
        let base = try text { asm, int in
            asm.pointer(asm.typeTag("user", asm.wrap(.const, int)))
        }
        #expect(base == "tag(user) const int *")
        let pointer = try text { asm, int in
            asm.pointer(asm.typeTag("rcu", asm.wrap(.const, asm.pointer(int))))
        }
        #expect(pointer == "int * const tag(rcu) *")
    }
}
