// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import ELF
import KernelTree
import TestSupport
import Testing

@testable import VM

/// The machines of guests, and how a kernel's image says which one it is for.
@Suite struct ArchitectureTests {
    private let scratch: Scratch
    init() throws { scratch = try Scratch() }

    /// An ELF file, of either class, with these sections.
    private struct File {
        var machine: UInt16
        var is64Bit = true
        var isBigEndian = false
        var type: UInt16 = 2
        var sections: [(name: String, bytes: [UInt8])] = []

        var bytes: [UInt8] {
            var out = ByteWriter(bigEndian: isBigEndian)
            func word(_ value: Int) {
                if is64Bit { out.put(UInt64(value)) } else { out.put(UInt32(value)) }
            }
            let (header, entry) = is64Bit ? (64, 64) : (52, 40)
            var names: [UInt8] = [0]
            var all = sections
            all.append((".shstrtab", []))
            let starts = all.map { section in
                defer { names += Array(section.name.utf8) + [0] }
                return names.count
            }
            all[all.count - 1].bytes = names
            let size = all.reduce(0) { $0 + $1.bytes.count }
            out.put([0x7f, 0x45, 0x4c, 0x46, is64Bit ? 2 : 1, isBigEndian ? 2 : 1, 1, 0])
            out.put(UInt64(0))
            out.put(type)
            out.put(machine)
            out.put(UInt32(1))
            for value in [0, 0, header + size] { word(value) }
            out.put(UInt32(0))
            for value in [header, 0, 0, entry, all.count + 1, all.count] { out.put(UInt16(value)) }
            for section in all { out.put(section.bytes) }
            out.put([UInt8](repeating: 0, count: entry))
            var offset = header
            for (index, section) in all.enumerated() {
                out.put(UInt32(starts[index]))
                // SHT_STRTAB or SHT_PROGBITS
                out.put(UInt32(index == all.count - 1 ? 3 : 1))
                for value in [0, 0, offset, section.bytes.count] { word(value) }
                out.put(UInt32(0))
                out.put(UInt32(0))
                word(1)
                word(0)
                offset += section.bytes.count
            }
            return out.bytes
        }
    }

    /// Every machine of a guest by the numbers of gABI, and some of none.
    private static let files: [(File, Architecture?)] = [
        (File(machine: 62), .x86), (File(machine: 62, is64Bit: false), nil),
        (File(machine: 183), .arm64), (File(machine: 183, isBigEndian: true), nil),
        (File(machine: 22, isBigEndian: true), .s390x),
        (File(machine: 22, is64Bit: false, isBigEndian: true), nil),
        (File(machine: 243), .riscv64), (File(machine: 243, is64Bit: false), nil),
        (File(machine: 21), .ppc64le), (File(machine: 21, isBigEndian: true), nil),
        (File(machine: 40, is64Bit: false), .arm),
        (File(machine: 40, is64Bit: false, isBigEndian: true), nil),
        (File(machine: 3, is64Bit: false), .i686),
        (File(machine: 8, is64Bit: false), .mips), (File(machine: 8), .mips64),
        (File(machine: 8, is64Bit: false, isBigEndian: true), nil),
        (File(machine: 258), .loongarch64), (File(machine: 258, is64Bit: false), nil),
        (File(machine: 8, isBigEndian: true), nil), (File(machine: 43, isBigEndian: true), nil),
    ]

    @Test func eachFileHasOneMachine() throws {
        var found: [String] = []
        for (file, architecture) in Self.files {
            let elf = try ELFFile(ByteView(file.bytes), path: "file")
            #expect(Architecture.all.filter { $0.runs(elf) } == (architecture.map { [$0] } ?? []))
            if let architecture {
                #expect(KernelMachine.name(of: elf) == architecture.name)
                found.append(architecture.name)
            }
        }
        #expect(Set(found) == Set(Architecture.all.map(\.name)))
        #expect(found.count == Architecture.all.count)
        for architecture in Architecture.all {
            #expect(Architecture.named(architecture.name) == architecture)
        }
    }

    private func message(_ body: () throws(VMError) -> Void) -> String? {
        do throws(VMError) { try body() } catch {
            return error.description + (error.hint.map { "; " + $0 } ?? "")
        }
        return nil
    }

    private static let supported =
        "supported are "
        + "x86_64, aarch64, s390x, riscv64, ppc64le, arm, i686, mips, mips64, loongarch64"

    /// Some machines boot the ELF file; for all others it is what debuggers read.
    @Test func kernelsThatAreELF() throws {
        for (file, architecture) in Self.files {
            let path = try scratch.write("vmlinux-6.1.0-1-test", file.bytes)
            switch architecture {
            case .ppc64le, .mips, .mips64:
                let kernel = try Kernel(path, roots: [])
                #expect(kernel.architecture == architecture)
                #expect(kernel.release == KernelRelease("6.1.0-1-test"))
            case let other?:
                #expect(
                    message { () throws(VMError) in _ = try Kernel(path, roots: []) } == """
                        \(path): an ELF file, which \(other.name) guests do not boot; pass the \
                        kernel's image (vmlinuz)
                        """)
            case nil:
                #expect(
                    message { () throws(VMError) in _ = try Kernel(path, roots: []) }
                        == "\(path): an ELF file for an unsupported machine; \(Self.supported)")
            }
        }
        let object = try scratch.write("object", File(machine: 21, type: 1).bytes)
        #expect(
            message { () throws(VMError) in _ = try Kernel(object, roots: []) }
                == "\(object): not a kernel image but an ELF file of another type")
        // What the file says of itself comes before its name.
        var named = File(machine: 21)
        named.sections = [(".rodata", Array("Linux version 7.2.1-real (me@here)\n\0".utf8))]
        let path = try scratch.write("vmlinux-6.1.0-1-test", named.bytes)
        #expect(try Kernel(path, roots: []).release == KernelRelease("7.2.1-real"))
        let cut = try scratch.write("cut", Array(named.bytes.prefix(70)))
        #expect(message { () throws(VMError) in _ = try Kernel(cut, roots: []) } != nil)
    }

    /// `vmlinux-R` is the image only where there is no `vmlinuz-R`.
    @Test func kernelsInDirectories() throws {
        let root = scratch.path + "/root"
        let elf = File(machine: 21).bytes
        try scratch.write("root/boot/vmlinux-6.1.0-1-test", elf)
        #expect(try Kernel(root, roots: []).path == root + "/boot/vmlinux-6.1.0-1-test")
        #expect(
            try Kernel("6.1.0-1-test", roots: [root]).path == root + "/boot/vmlinux-6.1.0-1-test")
        try scratch.write("root/boot/vmlinuz-6.1.0-1-test", elf)
        #expect(Kernel.images(below: root) == [root + "/boot/vmlinuz-6.1.0-1-test"])
        #expect(
            try Kernel("6.1.0-1-test", roots: [root]).path == root + "/boot/vmlinuz-6.1.0-1-test")
        try scratch.write("root/boot/vmlinux-6.1.0-2-test", elf)
        #expect(Kernel.images(below: root).count == 2)
    }

    /// Images whose header has the machine.
    @Test func kernelsThatAreImages() throws {
        func image(_ parts: [(Int, [UInt8])]) throws -> String {
            var bytes = [UInt8](repeating: 0, count: 4096)
            for (at, part) in parts { bytes.replaceSubrange(at..<at + part.count, with: part) }
            return try scratch.write("vmlinuz-6.1.0-1-test", bytes)
        }
        let boot: [(Int, [UInt8])] = [(0x1fe, [0x55, 0xaa]), (0x202, Array("HdrS".utf8))]
        for (parts, architecture): ([(Int, [UInt8])], Architecture) in [
            ([(48, Array("RISCV".utf8))], .riscv64), ([(56, Array("ARMd".utf8))], .arm64),
            ([(0x24, [0x18, 0x28, 0x6f, 0x01]), (0x30, [1, 2, 3, 4])], .arm),
            (boot + [(0x206, [0x0f, 2])], .i686),
            (boot + [(0x206, [0x0f, 2]), (0x236, [1])], .x86),
        ] {
            #expect(try Kernel(try image(parts), roots: []).architecture == architecture)
        }
        // Self-extracting EFI images, by the machine in their PE header.
        func zboot(_ machine: UInt16) throws -> String {
            try image([
                (0, Array("MZ".utf8)), (4, Array("zimg".utf8)), (0x3c, [0x40]),
                (0x40, Array("PE\0\0".utf8) + [UInt8(machine & 0xff), UInt8(machine >> 8)]),
            ])
        }
        #expect(try Kernel(try zboot(0x6264), roots: []).architecture == .loongarch64)
        for (machine, name): (UInt16, String) in [(0xaa64, "aarch64"), (0x5064, "riscv64")] {
            let path = try zboot(machine)
            #expect(
                message { () throws(VMError) in _ = try Kernel(path, roots: []) } == """
                    \(path): an image (EFI zboot image) that QEMU does not unpack for \(name); \
                    pass the kernel's Image
                    """)
        }
        let other = try zboot(0x8664)
        #expect(
            message { () throws(VMError) in _ = try Kernel(other, roots: []) } == """
                \(other): an image (EFI zboot image) for an unsupported machine; \(Self.supported)
                """)
    }

    @Test func translation() {
        for (architecture, words) in [
            (.riscv64, "-accel tcg,thread=multi -cpu rv64"),
            (.ppc64le, "-accel tcg,thread=multi -cpu power9"),
            (.arm, "-accel tcg,thread=multi -cpu max"), (.i686, "-accel tcg,thread=multi -cpu max"),
            (.mips, "-accel tcg,thread=multi -cpu 24Kf"),
            (.loongarch64, "-accel tcg,thread=multi -cpu max"),
            // Its processors share one thread.
            (.mips64, "-accel tcg -cpu MIPS64R2-generic"),
        ] as [(Architecture, String)] {
            let line = Machine(architecture, acceleration: .tcg).command(
                kernel: "k", initramfs: "i"
            ).joined(separator: " ")
            #expect(line.contains(" \(words) "))
            #expect(line.hasPrefix(architecture.qemu + " -machine "))
            #expect(line.contains("chardev:console") || line.contains("chardev=console"))
        }
    }

    /// Libraries of a program of 32 bits, and of one of 64, in either order of bytes.
    @Test func neededLibraries() throws {
        let names: [UInt8] = Array("\0libone.so\0libtwo.so\0$ORIGIN/x:rel\0".utf8)
        for (file, _) in Self.files {
            var out = ByteWriter(bigEndian: file.isBigEndian)
            for (tag, value) in [(1, 1), (5, 77), (29, 21), (1, 11), (0, 0), (1, 1)] {
                for word in [tag, value] {
                    if file.is64Bit { out.put(UInt64(word)) } else { out.put(UInt32(word)) }
                }
            }
            var program = file
            program.sections = [(".dynamic", out.bytes), (".dynstr", names)]
            let elf = try ELFFile(ByteView(program.bytes), path: "/bin/program")
            let needs = try DynamicNeeds(elf)
            #expect(needs.libraries == ["libone.so", "libtwo.so"])
            let searched = needs.folders
            #expect(searched == ["/bin/x"])
        }
    }
}
