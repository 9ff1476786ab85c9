// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Section types, `sh_type` (gABI chapter 4).
package enum ELFSectionType {
    @inlinable package static var null: UInt32 { 0 }
    @inlinable package static var progbits: UInt32 { 1 }
    @inlinable package static var symtab: UInt32 { 2 }
    @inlinable package static var strtab: UInt32 { 3 }
    @inlinable package static var rela: UInt32 { 4 }
    @inlinable package static var nobits: UInt32 { 8 }
    @inlinable package static var rel: UInt32 { 9 }
    @inlinable package static var group: UInt32 { 17 }
    @inlinable package static var symtabShndx: UInt32 { 18 }
    /// Packed relocations, as LLVM can write them.
    @inlinable package static var crel: UInt32 { 0x4000_0014 }
}

/// Section flags, `sh_flags`.
package enum ELFSectionFlag {
    @inlinable package static var alloc: UInt64 { 0x2 }
    @inlinable package static var code: UInt64 { 0x4 }
    /// `sh_info` is a section index.
    @inlinable package static var infoLink: UInt64 { 0x40 }
    /// Member of a section group.
    @inlinable package static var group: UInt64 { 0x200 }
    /// Thread-local.
    @inlinable package static var tls: UInt64 { 0x400 }
    @inlinable package static var compressed: UInt64 { 0x800 }
}

/// File types, `e_type`.
package enum ELFType {
    @inlinable package static var relocatable: UInt16 { 1 }
    @inlinable package static var executable: UInt16 { 2 }
    @inlinable package static var shared: UInt16 { 3 }
}

/// Machines, `e_machine`: those with known relocations.
package enum ELFMachine {
    @inlinable package static var i386: UInt16 { 3 }
    @inlinable package static var mips: UInt16 { 8 }
    @inlinable package static var ppc: UInt16 { 20 }
    @inlinable package static var ppc64: UInt16 { 21 }
    @inlinable package static var s390: UInt16 { 22 }
    @inlinable package static var arm: UInt16 { 40 }
    /// x86-64, also in its 32-bit form (x32).
    @inlinable package static var amd64: UInt16 { 62 }
    @inlinable package static var aarch64: UInt16 { 183 }
    @inlinable package static var riscv: UInt16 { 243 }
    @inlinable package static var bpf: UInt16 { 247 }
    @inlinable package static var loongarch: UInt16 { 258 }
}

/// Symbol types and bindings, the halves of `st_info`.
package enum ELFSymbolCode {
    @inlinable package static var typeNone: UInt8 { 0 }
    @inlinable package static var typeObject: UInt8 { 1 }
    @inlinable package static var typeFunction: UInt8 { 2 }
    @inlinable package static var typeSection: UInt8 { 3 }
    @inlinable package static var typeFile: UInt8 { 4 }
    @inlinable package static var bindLocal: UInt8 { 0 }
    @inlinable package static var bindGlobal: UInt8 { 1 }
    @inlinable package static var bindWeak: UInt8 { 2 }
}

/// Section indexes with a special meaning, and where counts go that exceed 16 bits.
enum ELFIndex {
    static var undefined: UInt16 { 0 }
    static var loReserve: UInt16 { 0xff00 }
    static var absolute: UInt16 { 0xfff1 }
    static var common: UInt16 { 0xfff2 }
    static var xindex: UInt16 { 0xffff }
}
