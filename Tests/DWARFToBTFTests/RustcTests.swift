// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import DWARFToBTF
import ELF
import HostIO
import TestSupport
import Testing

/// What rustc writes.
@Suite(.enabled(if: shell("command -v rustc"))) struct RustcTests {
    static let source = """
        #![no_std]
        #![crate_type = "lib"]
        use core::ffi::c_void;
        #[repr(C)] pub struct Pair { a: u8, b: u32, c: *mut Pair, d: [u16; 3], r#type: i64 }
        #[repr(C)] pub union Either { a: u32, b: u64 }
        #[repr(u8)] #[derive(Clone, Copy)] pub enum Color { Red, Green = 5 }
        pub enum Data { Nothing, Number(u32) }
        pub struct Generic<T> { v: T, n: u32 }
        #[repr(C)] pub struct Holder {
            g: Generic<u16>, o: Option<u32>, t: (u8, u32), s: &'static str, ch: char, i: i128,
            f: extern "C" fn(i32, *mut u8) -> u64, d: Data, col: Color, b: bool,
        }
        #[no_mangle] pub extern "C" fn plain(a: i32, b: *const Pair, c: bool, d: Color) -> u64 {
            unsafe { (*b).b as u64 + a as u64 + c as u64 + d as u64 }
        }
        #[no_mangle] pub extern "C" fn erased(u: *mut c_void, n: *mut ()) -> *const c_void {
            if n.is_null() { u } else { core::ptr::null() }
        }
        #[no_mangle] pub extern "C" fn text(s: &str, n: u32) -> usize { s.len() + n as usize }
        #[no_mangle] pub extern "C" fn anonymous(_: u32, n: u32) -> u32 { n + 17 }
        #[no_mangle] pub extern "C" fn uses(h: &mut Holder, e: *const Either) -> u32 {
            h.b = true;
            unsafe { (*e).a + match &h.d { Data::Nothing => 1, Data::Number(n) => *n } }
        }
        #[inline(never)] pub fn mangled(a: u32) -> u32 { a * 3 }
        #[no_mangle] pub extern "C" fn calls(a: u32) -> u32 { mangled(a) + 1 }
        #[panic_handler] fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }
        """

    private func outcome(_ options: String) throws -> Outcome {
        let scratch = try Scratch()
        defer { withExtendedLifetime(scratch) {} }
        let folder = scratch.path
        try AtomicFile.replace("\(folder)/a.rs", with: [ByteView(Array(Self.source.utf8))])
        try #require(
            shell(
                "cd \(folder) && rustc --edition 2021 -A warnings \(options) -C panic=abort"
                    + " --emit=obj -C codegen-units=1 -o a.o a.rs 2> log"))
        return try encoded(ELFFile(path: "\(folder)/a.o"), features: .standard)
    }

    @Test(arguments: ["-C opt-level=0", "-C opt-level=2", "-C opt-level=s"])
    func everyKind(_ options: String) throws {
        let outcome = try outcome("-C debuginfo=2 " + options)
        #expect(
            outcome.line("Pair")
                == "struct Pair: size 32 { a: unsigned char @0; b: unsigned int @32;"
                + " c: *struct Pair @64; d: [3]short unsigned int @128;"
                + " type: long long int @192 }")
        let holder = outcome.line("Holder")
        for part in [
            "g: struct size 8 {  } @0;", "o: struct size 8 {  } @64;",
            "s: struct size 16 { data_ptr: *unsigned char @0; length: long unsigned int @64 } @",
            "ch: unsigned int @", "i: __int128 @", "d: struct Data @", "col: enum Color @",
            "f: *(: int, : *unsigned char) -> long long unsigned int @", "b: _Bool @",
        ] { #expect(holder.contains(part), "\(part) in \(holder)") }
        #expect(outcome.line("Data") == "struct Data: size 8 {  }")
        #expect(
            outcome.lines.filter { $0.hasPrefix("func ") } == [
                "func calls: (a: unsigned int) -> unsigned int",
                "func erased: (u: *void, n: *void) -> *void",
                "func plain: (a: int, b: *struct Pair, c: _Bool, d: enum Color)"
                    + " -> long long unsigned int",
                "func uses: (h: *struct Holder, e: *union Either) -> unsigned int",
            ])
        for entry in [
            "text: unknown-convention", "anonymous: unnamed-parameter",
            "Generic<u16>: generic-type",
            "Data: enum-with-data",
        ] { #expect(outcome.ledger.contains(entry), "\(entry) in \(outcome.ledger)") }
        #expect(
            outcome.ledger.contains {
                $0.contains("7mangled") && $0.hasSuffix(": mangled-name")
            })
    }

    @Test func lineTablesOnly() throws {
        let outcome = try outcome("-C debuginfo=1")
        #expect(outcome.count == 0 && outcome.ledger.count == 1)
        #expect(outcome.ledger.allSatisfy { $0.hasSuffix(": line-tables-only") })
    }
}
