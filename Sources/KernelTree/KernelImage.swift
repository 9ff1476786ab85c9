// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

/// A bootable kernel image that is identified by its header.
package struct KernelImage {
    /// Its name in messages.
    package let name: String
    /// The machine it is for in the notation of `uname -m`; nil if the header does not specify it.
    package let machine: String?
    /// The release in its header.
    package let release: KernelRelease?
    /// The location of the compressed kernel, if the header gives it.
    let payload: Payload?
    /// Only EFI firmware can start it, or a boot loader that unpacks it.
    package let isSelfExtractingEFI: Bool

    enum Payload {
        case at(offset: Int, count: Int)
        /// The header's range is not inside the file.
        case outside(offset: Int, count: Int)
    }

    /// The kind of image that `view` is; nil without a known header.
    package init?(_ view: ByteView) {
        if let image = KernelImage.x86(view) ?? KernelImage.zboot(view) ?? KernelImage.plain(view) {
            self = image
        } else {
            return nil
        }
    }

    /// Where systems have the image of `release`, below their root.
    package static func places(of release: KernelRelease) -> [String] {
        [
            "boot/vmlinuz-\(release)", "lib/modules/\(release)/vmlinuz",
            "usr/lib/modules/\(release)/vmlinuz", "usr/lib/modules/\(release)/vmlinuz.unsigned",
            // ppc64le boots the ELF file.
            "boot/vmlinux-\(release)",
        ]
    }

    private init(
        _ name: String, machine: String?, release: KernelRelease? = nil, payload: Payload? = nil,
        isSelfExtractingEFI: Bool = false
    ) {
        self.isSelfExtractingEFI = isSelfExtractingEFI
        self.name = name
        self.machine = machine
        self.release = release
        self.payload = payload
    }

    /// The Linux x86 boot protocol (Documentation/arch/x86/boot.rst): `HdrS` at 0x202, and since
    /// version 2.08 where in the protected-mode code the compressed kernel lies. Since 2.12 it says
    /// whether that is a 64-bit one (XLF_KERNEL_64 of xloadflags at 0x236); before, it is assumed.
    private static func x86(_ view: ByteView) -> KernelImage? {
        guard view.hasBytes("HdrS", at: 0x202), view.count >= 0x250, view.u16(0x1fe) == 0xaa55
        else {
            return nil
        }
        let name = "x86 vmlinuz"
        // kernel_version, minus 0x200; 0 if absent.
        let versionAt = view.u16(0x20e)
        let release = versionAt == 0 ? nil : KernelRelease.word(in: view, at: versionAt + 0x200)
        let version = view.u16(0x206)
        let machine = version >= 0x020c && view.u16(0x236) & 1 == 0 ? "i686" : "x86_64"
        guard version >= 0x0208 else {
            return KernelImage(name, machine: machine, release: release)
        }
        // "If this field contains 0, the value used is 4."
        let sectors = view[0x1f1] == 0 ? 4 : Int(view[0x1f1])
        let offset = (sectors + 1) * 512 + Int(view.u32(0x248))
        let count = Int(view.u32(0x24c))
        guard count > 0 else { return KernelImage(name, machine: machine, release: release) }
        return KernelImage(
            name, machine: machine, release: release, payload: range(offset, count, in: view))
    }

    /// The header of a self-extracting EFI image (drivers/firmware/efi/libstub/zboot-header.S):
    /// `MZ`, `zimg` at 4, offset and size of the payload behind it. Its PE header, at the offset in
    /// 0x3c, says the machine (PE format specification, "Machine Types").
    private static func zboot(_ view: ByteView) -> KernelImage? {
        guard view.hasBytes("MZ"), view.hasBytes("zimg", at: 4), view.count >= 64 else {
            return nil
        }
        let payload = range(Int(view.u32(8)), Int(view.u32(12)), in: view)
        let header = Int(view.u32(0x3c))
        var machine: String?
        if view.hasBytes("PE\0\0", at: header), header + 6 <= view.count {
            switch view.u16(header + 4) {
            case 0xaa64: machine = "aarch64"
            case 0x5064: machine = "riscv64"
            case 0x6264: machine = "loongarch64"
            default: break
            }
        }
        return KernelImage(
            "EFI zboot image", machine: machine, payload: payload, isSelfExtractingEFI: true)
    }

    /// Images that are the kernel itself (Documentation/arch/arm64/booting.rst,
    /// .../riscv/boot-image-header.rst).
    private static func plain(_ view: ByteView) -> KernelImage? {
        // The words that boot loaders for arm look for: the magic number at 0x24, and at 0x30 the
        // order of bytes (arch/arm/boot/compressed/head.S).
        if view.count >= 0x34, view.u32(0x24) == 0x016f_2818, view.u32(0x30) == 0x0403_0201 {
            return KernelImage("arm zImage", machine: "arm")
        }
        if view.hasBytes("ARMd", at: 56) { return KernelImage("arm64 Image", machine: "aarch64") }
        if view.hasBytes("RISCV", at: 48) { return KernelImage("RISC-V Image", machine: "riscv64") }
        // S390EP at 0x10008 (arch/s390/boot/head.S).
        if view.hasBytes("S390EP", at: 0x10008) {
            return KernelImage("s390 image", machine: "s390x")
        }
        return nil
    }

    private static func range(_ offset: Int, _ count: Int, in view: ByteView) -> Payload {
        view.slice(offset, count) == nil
            ? .outside(offset: offset, count: count) : .at(offset: offset, count: count)
    }
}
