// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// The numbers that a map is made of, whoever asks the kernel for it.
package struct MapValues: Sendable, Equatable {
    /// BPF_MAP_TYPE_*.
    package var type: UInt32
    /// Bytes.
    package var keySize: UInt32
    package var valueSize: UInt32
    package var maxEntries: UInt32
    /// BPF_F_*.
    package var flags: UInt32
    /// Created for a data section (`.data`, `.rodata`, `.bss`, `.kconfig`), not declared in
    /// `.maps`.
    package var isInternal: Bool

    package init(
        type: UInt32, keySize: UInt32, valueSize: UInt32, maxEntries: UInt32, flags: UInt32,
        isInternal: Bool
    ) {
        self.type = type
        self.keySize = keySize
        self.valueSize = valueSize
        self.maxEntries = maxEntries
        self.flags = flags
        self.isInternal = isInternal
    }
}
