// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// What the values of a LOC_PARAM mean (`enum btf_loc_param_flags` in include/uapi/linux/btf.h).
package enum LocationFlags {
    /// The constant or the offset is signed.
    package static let signed: UInt32 = 0x1
    package static let constant: UInt32 = 0x2
    /// With `constant`: an address, relative to where the kernel or module is loaded.
    package static let address: UInt32 = 0x4
    /// The first value is the number of a register in DWARF.
    package static let register: UInt32 = 0x8
    /// The parameter is in memory, at the address that the register and offset give.
    package static let dereferenced: UInt32 = 0x10
    /// The values after the register are an offset, low half first.
    package static let offset: UInt32 = 0x20

    /// In place of a register: the frame base.
    package static let frameBase: UInt32 = 0xffff_ffff
}
