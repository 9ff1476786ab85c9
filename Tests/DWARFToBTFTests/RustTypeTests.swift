// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import DWARF
import DWARFToBTF
import TestSupport
import Testing

/// Types of units in Rust: what C has as well, with C's names, and everything else opaque.
@Suite struct RustTypeTests {
    /// A struct with one member of the type in question, which something must have in place.
    private func holder(_ type: String, _ body: (inout DWARFAssembler) -> Void) throws -> Outcome {
        try RustUnit.outcome { unit in
            body(&unit)
            unit.add(.structureType, [.name("holder"), .byteSize(32)]) { unit in
                unit.add(.member, [.name("m"), .type(type), .memberOffset(8)])
            }
        }
    }

    // MARK: Types

    @Test(
        arguments: [
            ("u8", 1, 7, "unsigned char: size 1 bits 8"),
            ("u16", 2, 7, "short unsigned int: size 2 bits 16"),
            ("u32", 4, 7, "unsigned int: size 4 bits 32"),
            ("u64", 8, 7, "long long unsigned int: size 8 bits 64"),
            ("usize", 8, 7, "long unsigned int: size 8 bits 64"),
            ("usize", 4, 7, "long unsigned int: size 4 bits 32"),
            ("u128", 16, 7, "__int128 unsigned: size 16 bits 128"),
            ("i8", 1, 5, "signed char: size 1 bits 8 signed"),
            ("i16", 2, 5, "short int: size 2 bits 16 signed"),
            ("i32", 4, 5, "int: size 4 bits 32 signed"),
            ("i64", 8, 5, "long long int: size 8 bits 64 signed"),
            ("isize", 8, 5, "long int: size 8 bits 64 signed"),
            ("i128", 16, 5, "__int128: size 16 bits 128 signed"),
            ("bool", 1, 2, "_Bool: size 1 bits 8 bool"),
            // Four bytes, unlike C's.
            ("char", 4, 0x10, "unsigned int: size 4 bits 32"),
            ("f32", 4, 4, "float float: size 4"), ("f64", 8, 4, "float double: size 8"),
            ("f16", 2, 4, "float _Float16: size 2"), ("f128", 16, 4, "float _Float128: size 16"),
        ] as [(String, UInt64, UInt64, String)])
    func numbersHaveNamesOfC(_ name: String, _ size: UInt64, _ code: UInt64, _ line: String) throws
    {
        var asm = DWARFAssembler(DWARFFlavor(version: 4))
        asm.unit([.name("a.rs"), .language(0x1c)]) { unit in
            unit.add(.baseType, [.name(name), .encoding(code), .byteSize(size)])
        }
        let outcome = try encoded(asm, features: .standard)
        #expect(outcome.lines == [line.hasPrefix("float ") ? line : "int " + line])
        #expect(outcome.ledger.isEmpty)
        let plain = try encoded(asm, features: [])
        #expect(plain.lines.count == 1)
        #expect(code != 4 || plain.ledger.first?.hasSuffix("float-as-integer") == true)
    }

    @Test(arguments: [4, 5]) func plainTypes(_ version: UInt16) throws {
        let outcome = try RustUnit.outcome(version) { unit in
            // In the order of the source, not of the layout.
            unit.add(.structureType, "S", [.name("S"), .byteSize(24)]) { unit in
                unit.add(.member, [.name("a"), .type("u8"), .memberOffset(16)])
                unit.add(.member, [.name("type"), .type("u64"), .memberOffset(8)])
                unit.add(.member, [.name("next"), .type("*S"), .memberOffset(0)])
            }
            unit.add(.pointerType, "*S", [.name("*mut a::S"), .type("S")])
            unit.add(.unionType, [.name("U"), .byteSize(8)]) { unit in
                unit.add(.member, [.name("x"), .type("u32"), .memberOffset(0)])
                unit.add(.member, [.name("y"), .type("u64"), .memberOffset(0)])
            }
            unit.add(.enumerationType, [.name("E"), .byteSize(1), .type("u8")]) { unit in
                unit.add(.enumerator, [.name("Red"), .value(0)])
                unit.add(.enumerator, [.name("Green"), .value(5)])
            }
            unit.add(.enumerationType, [.name("Below"), .byteSize(4), .type("i32")]) { unit in
                unit.add(.enumerator, [.name("Minus"), .value(-3)])
            }
            unit.add(.structureType, [.name("Newtype"), .byteSize(4)]) { unit in
                unit.add(.member, [.name("__0"), .type("u32"), .memberOffset(0)])
            }
            unit.add(.structureType, [.name("Empty"), .byteSize(0)])
        }
        #expect(
            outcome.line("S")
                == "struct S: size 24 { next: *struct S @0; type: long long unsigned int @64;"
                + " a: unsigned char @128 }")
        #expect(
            outcome.line("U")
                == "union U: size 8 { x: unsigned int @0; y: long long unsigned int @0 }")
        #expect(outcome.line("E") == "enum E: size 1 { Red = 0; Green = 5 }")
        #expect(outcome.line("Below") == "enum Below: size 4 signed { Minus = -3 }")
        #expect(outcome.line("Newtype") == "struct Newtype: size 4 { __0: unsigned int @0 }")
        #expect(outcome.line("Empty") == "struct Empty: size 0 {  }")
        #expect(outcome.ledger.isEmpty, "\(outcome.ledger)")
    }

    /// Slices, strings, tuples and closures: their layout is known, their names are none in C.
    @Test(arguments: [
        "&str", "&[u8]", "&mut [core::option::Option<u8>]", "(u8, u32)", "{closure_env#0}",
        "&dyn core::fmt::Write", "*const str", "<a::A as a::T>::{vtable_type}",
    ]) func typesWithoutNameInC(_ name: String) throws {
        let outcome = try holder("type") { unit in
            unit.add(.structureType, "type", [.name(name), .byteSize(16)]) { unit in
                unit.add(.member, [.name("data_ptr"), .type("*u8"), .memberOffset(0)])
                unit.add(.member, [.name("length"), .type("usize"), .memberOffset(8)])
            }
            unit.add(.pointerType, "*u8", [.name("*const u8"), .type("u8")])
        }
        #expect(
            outcome.line("holder")
                == "struct holder: size 32 { m: struct size 16 { data_ptr: *unsigned char @0;"
                + " length: long unsigned int @64 } @64 }")
        #expect(outcome.ledger == ["\(name): invalid-name"])
    }

    /// Of a generic type only the size is there.
    @Test(arguments: ["Option<u8>", "Konst<16>", "Some", "{closure_env#0}<u8>", "_A<'a>"])
    func genericTypes(_ name: String) throws {
        let outcome = try holder("type") { unit in
            unit.add(.structureType, "type", [.name(name), .byteSize(16)]) { unit in
                unit.add(.member, [.name("v"), .type("u8"), .memberOffset(0)])
                if !name.hasSuffix("6>"), !name.hasSuffix("a>") {
                    unit.add(.templateTypeParameter, [.name("T"), .type("u8")])
                }
                unit.add(.subprogram, [.name("m"), RustUnit.linkage("_RNv1m"), .declaration])
            }
        }
        #expect(
            outcome.line("holder") == "struct holder: size 32 { m: struct size 16 {  } @64 }")
        #expect(outcome.ledger == ["\(name): generic-type"])
    }

    /// The alternatives of an enum with data are nowhere, before its variant part or after it.
    @Test(arguments: [true, false]) func enumsWithData(_ isFirst: Bool) throws {
        func alternatives(_ unit: inout DWARFAssembler) {
            for name in ["Number", "Text"] {
                unit.add(.structureType, name, [.name(name), .byteSize(16)]) { unit in
                    unit.add(.member, [.name("__0"), .type("u64"), .memberOffset(8)])
                }
            }
        }
        let outcome = try holder("Data") { unit in
            unit.add(.structureType, "Data", [.name("Data"), .byteSize(16)]) { unit in
                if isFirst { alternatives(&unit) }
                unit.add(
                    .variantPart, [DWARFAttribute(Attribute(rawValue: 0x15), .ref4, .entry("d"))]
                ) { unit in
                    unit.add(.member, "d", [.type("u32"), .memberOffset(0)])
                    unit.add(.variant, []) { unit in
                        unit.add(.member, [.name("Number"), .type("Number"), .memberOffset(0)])
                    }
                    unit.add(.variant, []) { unit in
                        unit.add(.member, [.name("Text"), .type("Text"), .memberOffset(0)])
                    }
                }
                if !isFirst { alternatives(&unit) }
            }
        }
        #expect(
            outcome.line("holder") == "struct holder: size 32 { m: struct Data @64 }")
        #expect(outcome.line("Data") == "struct Data: size 16 {  }")
        #expect(outcome.line("Number") == "" && outcome.line("Text") == "")
        #expect(outcome.ledger == ["Data: enum-with-data"])
    }

    /// Kernels know enums of 1, 2, 4 and 8 bytes.
    @Test(arguments: [0, 3, 16]) func enumsOfOtherSizes(_ size: UInt64) throws {
        let outcome = try holder("E") { unit in
            unit.add(.enumerationType, "E", [.name("E"), .byteSize(size), .type("u128")]) { unit in
                unit.add(.enumerator, [.name("One"), .value(1)])
            }
        }
        #expect(outcome.line("E") == "struct E: size \(size) {  }")
        #expect(outcome.ledger == ["E: enum-with-data"])
    }

    /// `()` and `c_void` are C's void behind a pointer.
    @Test func void() throws {
        let outcome = try RustUnit.outcome { unit in
            unit.add(.namespace, [.name("core")]) { unit in
                unit.add(.namespace, [.name("ffi")]) { unit in
                    unit.add(.enumerationType, "c_void", [.name("c_void"), .byteSize(1)]) { unit in
                        unit.add(.enumerator, [.name("__variant1"), .value(0)])
                    }
                }
            }
            unit.add(.namespace, [.name("a")]) { unit in
                unit.add(.enumerationType, "own", [.name("c_void"), .byteSize(1)]) { unit in
                    unit.add(.enumerator, [.name("One"), .value(0)])
                }
            }
            unit.add(.pointerType, "*void", [.name("*mut c_void"), .type("c_void")])
            unit.add(.pointerType, "*()", [.name("*mut ()"), .type("()")])
            unit.add(.pointerType, "*own", [.name("*mut a::c_void"), .type("own")])
            unit.add(.structureType, [.name("S"), .byteSize(24)]) { unit in
                unit.add(.member, [.name("a"), .type("*void"), .memberOffset(0)])
                unit.add(.member, [.name("b"), .type("*()"), .memberOffset(8)])
                unit.add(.member, [.name("c"), .type("*own"), .memberOffset(16)])
                unit.add(.member, [.name("d"), .type("()"), .memberOffset(24)])
            }
        }
        #expect(
            outcome.line("S")
                == "struct S: size 24 { a: *void @0; b: *void @64; c: *enum c_void @128;"
                + " d: struct size 0 {  } @192 }")
        #expect(outcome.ledger.isEmpty)
    }

    /// Translations of C types are declared, under C's name, or opaque where their size matters.
    @Test func translationsOfCTypes() throws {
        let outcome = try RustUnit.outcome { unit in
            unit.add(.namespace, [.name("bindings")]) { unit in
                unit.add(.namespace, [.name("bindings_raw")]) { unit in
                    for name in ["device", "page", "alone"] {
                        unit.add(.structureType, name, [.name(name), .byteSize(8)]) { unit in
                            unit.add(.member, [.name("x"), .type("u64"), .memberOffset(0)])
                        }
                    }
                    unit.add(.unionType, "u", [.name("u"), .byteSize(8)]) { unit in
                        unit.add(.member, [.name("x"), .type("u64"), .memberOffset(0)])
                    }
                }
            }
            unit.add(.namespace, [.name("a")]) { unit in
                unit.add(.namespace, [.name("bindings")]) { unit in
                    unit.add(.structureType, [.name("own"), .byteSize(8)]) { unit in
                        unit.add(.member, [.name("x"), .type("u64"), .memberOffset(0)])
                    }
                }
            }
            for name in ["device", "page", "u"] {
                unit.add(.pointerType, "*" + name, [.name("*mut " + name), .type(name)])
            }
            unit.add(.structureType, [.name("S"), .byteSize(40)]) { unit in
                unit.add(.member, [.name("a"), .type("*device"), .memberOffset(0)])
                unit.add(.member, [.name("b"), .type("page"), .memberOffset(8)])
                unit.add(.member, [.name("c"), .type("*page"), .memberOffset(16)])
                unit.add(.member, [.name("d"), .type("*u"), .memberOffset(24)])
            }
        }
        #expect(
            outcome.line("S")
                == "struct S: size 40 { a: *forward device @0; b: struct size 8 {  } @64;"
                + " c: *forward page @128; d: *forward u @192 }")
        #expect(outcome.line("u") == "forward union u")
        #expect(outcome.line("own") == "struct own: size 8 { x: long long unsigned int @0 }")
        #expect(outcome.line("alone") == "")
        #expect(
            outcome.ledger == [
                "device: translated-type", "page: translated-type", "u: translated-type",
            ])
    }

    /// With C's definition at hand the declaration is that.
    @Test func declarationsMeetDefinitions() throws {
        var asm = DWARFAssembler()
        asm.unit([.name("lib.rs"), .language(0x1c)]) { unit in
            unit.add(.namespace, [.name("bindings")]) { unit in
                unit.add(.structureType, "device", [.name("device"), .byteSize(4)])
            }
            unit.add(.pointerType, "*device", [.name("*mut device"), .type("device")])
            unit.add(.structureType, [.name("S"), .byteSize(8)]) { unit in
                unit.add(.member, [.name("d"), .type("*device"), .memberOffset(0)])
            }
        }
        asm.unit([.name("a.c"), .language(12)]) { unit in
            unit.int()
            unit.add(.structureType, [.name("device"), .byteSize(4)]) { unit in
                unit.add(.member, [.name("x"), .type("int"), .memberOffset(0)])
            }
        }
        let outcome = try encoded(asm)
        #expect(outcome.line("S") == "struct S: size 8 { d: *struct device @0 }")
        #expect(outcome.line("device") == "struct device: size 4 { x: int @0 }")
    }

    /// rustc writes the slice that an unsized type ends in as its first element.
    @Test func unsizedTails() throws {
        let outcome = try RustUnit.outcome { unit in
            unit.add(.structureType, [.name("CStr"), .byteSize(0)]) { unit in
                unit.add(.member, [.name("inner"), .type("u8"), .memberOffset(0)])
            }
            unit.add(.structureType, [.name("Tail"), .byteSize(8)]) { unit in
                unit.add(.member, [.name("tail"), .type("u64"), .memberOffset(8)])
                unit.add(.member, [.name("n"), .type("u64"), .memberOffset(0)])
            }
        }
        #expect(outcome.line("CStr") == "struct CStr: size 0 { inner: [0]unsigned char @0 }")
        #expect(
            outcome.line("Tail")
                == "struct Tail: size 8 { n: long long unsigned int @0;"
                + " tail: [0]long long unsigned int @64 }")
        #expect(outcome.ledger.isEmpty)
    }
}
