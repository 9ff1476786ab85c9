// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import ELF

/// What differs between the machines that guests run on, one row each.
package struct Architecture: Sendable, Equatable {
    /// As `KernelMachine` names it.
    package let name: String
    /// The prefix of its cross compiler, as GCC and Debian name it.
    package let triplet: String
    /// Debian's directory for its libraries below `/lib` and `/usr/lib`.
    let libraries: String
    /// QEMU's program for it.
    package let qemu: String
    /// The Debian package that contains that program.
    package let package: String
    /// `e_machine` of its programs and modules.
    let machine: UInt16
    let is64Bit: Bool
    let isBigEndian: Bool
    /// Its bootable kernels are ELF files, instead of images with a header of their own.
    let bootsELF: Bool
    /// QEMU unpacks self-extracting EFI images for it, in every version that boots Linux.
    let unpacksEFI: Bool
    /// QEMU's machine and processor. TCG's `max` has every emulated feature.
    let board: [String]
    let emulatedProcessor: String
    /// QEMU can translate each of its processors in a thread of its own.
    let hasThreads: Bool
    /// The device that connects the console to QEMU's standard output, and its name in the guest.
    let consoleDevice: [String]
    let console: String
    /// Words of the command line for a guest that is translated.
    let patience: [String]
    /// QEMU's disk device with the most widespread driver, and the modules of its bus, where they
    /// are modules.
    let diskDevice: String
    let diskDrivers: [String]
    /// QEMU can save such a machine, and the guest's init can find memory that the host shares.
    let canBeSaved: Bool

    private init(
        _ name: String, triplet: String? = nil, libraries: String? = nil, qemu: String,
        package: String, machine: UInt16, is64Bit: Bool = true, isBigEndian: Bool = false,
        bootsELF: Bool = false, unpacksEFI: Bool = false, board: String,
        emulatedProcessor: String = "max",
        hasThreads: Bool = true, consoleDevice: [String] = ["-serial", "chardev:console"],
        console: String = "ttyS0", patience: [String] = [], diskDevice: String = "virtio-blk-pci",
        diskDrivers: [String] = ["virtio_pci"], canBeSaved: Bool = false
    ) {
        self.name = name
        self.triplet = triplet ?? "\(name)-linux-gnu"
        self.libraries = libraries ?? self.triplet
        self.qemu = qemu
        self.package = package
        self.machine = machine
        self.is64Bit = is64Bit
        self.isBigEndian = isBigEndian
        self.bootsELF = bootsELF
        self.unpacksEFI = unpacksEFI
        self.board = ["-machine", board]
        self.emulatedProcessor = emulatedProcessor
        self.hasThreads = hasThreads
        self.consoleDevice = consoleDevice
        self.console = console
        self.patience = patience
        self.diskDevice = diskDevice
        self.diskDrivers = diskDrivers
        self.canBeSaved = canBeSaved
    }

    package static let all = [
        x86, arm64, s390x, riscv64, ppc64le, arm, i686, mips, mips64, loongarch64,
    ]

    /// The kernel takes an interrupt that is late for a board without a timer, and panics.
    private static let withoutTimerCheck = ["no_timer_check"]

    package static let x86 = Architecture(
        "x86_64", qemu: "qemu-system-x86_64", package: "qemu-system-x86",
        machine: ELFMachine.amd64, board: "pc", patience: withoutTimerCheck, canBeSaved: true)

    /// Emulating pointer authentication, which `max` enables by default, costs a third of the time.
    package static let arm64 = Architecture(
        "aarch64", qemu: "qemu-system-aarch64", package: "qemu-system-arm",
        machine: ELFMachine.aarch64, board: "virt", emulatedProcessor: "max,pauth-impdef=on",
        console: "ttyAMA0")

    package static let s390x = Architecture(
        "s390x", qemu: "qemu-system-s390x", package: "qemu-system-misc",
        machine: ELFMachine.s390, isBigEndian: true, board: "s390-ccw-virtio",
        consoleDevice: ["-device", "sclpconsole,chardev=console"], console: "ttysclp0",
        diskDevice: "virtio-blk-ccw", diskDrivers: ["virtio_ccw"])

    /// QEMU 7.2 has no `max` for it.
    package static let riscv64 = Architecture(
        "riscv64", qemu: "qemu-system-riscv64", package: "qemu-system-misc",
        machine: ELFMachine.riscv, board: "virt", emulatedProcessor: "rv64")

    package static let ppc64le = Architecture(
        "ppc64le", triplet: "powerpc64le-linux-gnu", qemu: "qemu-system-ppc64",
        package: "qemu-system-ppc", machine: ELFMachine.ppc64, bootsELF: true, board: "pseries",
        emulatedProcessor: "power9", consoleDevice: ["-device", "spapr-vty,chardev=console"],
        console: "hvc0")

    package static let arm = Architecture(
        "arm", triplet: "arm-linux-gnueabihf", qemu: "qemu-system-arm",
        package: "qemu-system-arm", machine: ELFMachine.arm, is64Bit: false, board: "virt",
        console: "ttyAMA0")

    package static let i686 = Architecture(
        "i686", libraries: "i386-linux-gnu", qemu: "qemu-system-i386", package: "qemu-system-x86",
        machine: ELFMachine.i386, is64Bit: false, board: "pc", patience: withoutTimerCheck)

    /// Little-endian, as Debian's kernels for the Malta board.
    package static let mips = Architecture(
        "mips", triplet: "mipsel-linux-gnu", qemu: "qemu-system-mipsel",
        package: "qemu-system-mips", machine: ELFMachine.mips, is64Bit: false, bootsELF: true,
        board: "malta", emulatedProcessor: "24Kf")

    package static let mips64 = Architecture(
        "mips64", triplet: "mips64el-linux-gnuabi64", qemu: "qemu-system-mips64el",
        package: "qemu-system-mips", machine: ELFMachine.mips, bootsELF: true, board: "malta",
        emulatedProcessor: "MIPS64R2-generic", hasThreads: false)

    /// Without firmware there are no ACPI tables, and the driver of the keyboard controller, which
    /// Debian's kernel has built in, then reads from a port that is not mapped and panics.
    package static let loongarch64 = Architecture(
        "loongarch64", qemu: "qemu-system-loongarch64", package: "qemu-system-misc",
        machine: ELFMachine.loongarch, unpacksEFI: true, board: "virt",
        patience: ["initcall_blacklist=i8042_init"])

    package static func named(_ name: String) -> Architecture? { all.first { $0.name == name } }

    /// True when `file` is for this machine.
    func runs(_ file: ELFFile) -> Bool {
        file.machine == machine && file.isBigEndian == isBigEndian && file.is64Bit == is64Bit
    }
}
