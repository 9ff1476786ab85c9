// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import ELF

/// What differs between the machines that guests run on, one row each.
package struct Architecture: Sendable, Equatable {
    /// In the notation of `uname -m`.
    package let name: String
    /// QEMU's program for it.
    package let qemu: String
    /// The Debian package that contains that program.
    package let package: String
    /// `e_machine` of its programs and modules.
    let machine: UInt16
    let isBigEndian: Bool
    /// QEMU's machine and processor. TCG's `max` has every emulated feature.
    let board: [String]
    let emulatedProcessor: String
    /// The device that connects the console to QEMU's standard output, and its name in the guest.
    let consoleDevice: [String]
    let console: String
    /// Words of the command line for a guest that is translated on a busy host.
    let patience: [String]
    /// QEMU's disk device with the most widespread driver, and the modules of its bus, where they
    /// are modules.
    let diskDevice: String
    let diskDrivers: [String]
    /// QEMU can save such a machine, and the guest's init can find memory that the host shares.
    let canBeSaved: Bool

    package static let all = [x86, arm64, s390x]

    package static let x86 = Architecture(
        name: "x86_64", qemu: "qemu-system-x86_64", package: "qemu-system-x86",
        machine: ELFMachine.amd64, isBigEndian: false,
        board: ["-machine", "pc"], emulatedProcessor: "max",
        consoleDevice: ["-serial", "chardev:console"], console: "ttyS0",
        // The kernel takes an interrupt that is late for a board without a timer, and panics.
        patience: ["no_timer_check"], diskDevice: "virtio-blk-pci", diskDrivers: ["virtio_pci"],
        canBeSaved: true)

    /// Emulating pointer authentication, which `max` enables by default, costs a third of the time.
    package static let arm64 = Architecture(
        name: "aarch64", qemu: "qemu-system-aarch64", package: "qemu-system-arm",
        machine: ELFMachine.aarch64, isBigEndian: false,
        board: ["-machine", "virt"], emulatedProcessor: "max,pauth-impdef=on",
        consoleDevice: ["-serial", "chardev:console"], console: "ttyAMA0",
        patience: [], diskDevice: "virtio-blk-pci", diskDrivers: ["virtio_pci"], canBeSaved: false)

    package static let s390x = Architecture(
        name: "s390x", qemu: "qemu-system-s390x", package: "qemu-system-misc",
        machine: ELFMachine.s390, isBigEndian: true,
        board: ["-machine", "s390-ccw-virtio"], emulatedProcessor: "max",
        consoleDevice: ["-device", "sclpconsole,chardev=console"], console: "ttysclp0",
        patience: [], diskDevice: "virtio-blk-ccw", diskDrivers: ["virtio_ccw"], canBeSaved: false)

    package static func named(_ name: String) -> Architecture? { all.first { $0.name == name } }

    /// True when `file` is for this machine.
    func runs(_ file: ELFFile) -> Bool {
        file.machine == machine && file.isBigEndian == isBigEndian && file.is64Bit
    }
}
