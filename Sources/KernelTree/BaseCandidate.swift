// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// A place where a kernel's BTF may be.
package struct BaseCandidate: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        /// The vmlinux in a build tree or headers package, usually a stub with only the BTF.
        case headers
        /// A vmlinux with or without debug information, or the module with its BTF.
        case vmlinux
        /// The image that boots.
        case image
        /// The running kernel's own.
        case sysfs
    }

    package let kind: Kind
    /// The path as seen from inside that system.
    package let path: String

    /// Places where the BTF of kernel `release` may be, in search order. The headers come first
    /// because modules are built against them, images late because they must be decompressed.
    package static func all(for release: KernelRelease) -> [BaseCandidate] {
        let r = release.text
        // Debian, Arch, openSUSE (/usr/src/linux-headers-R, /lib/modules/R/build), Fedora
        // (/usr/src/kernels/R), Gentoo (/usr/src/linux-R).
        let headers = [
            "/lib/modules/\(r)/build/vmlinux", "/usr/lib/modules/\(r)/build/vmlinux",
            "/usr/src/linux-headers-\(r)/vmlinux", "/usr/src/kernels/\(r)/vmlinux",
            "/usr/src/linux-\(r)/vmlinux",
        ]
        // Debian and Ubuntu (/usr/lib/debug/boot), Fedora (/usr/lib/debug/lib/modules), openSUSE
        // (.debug, and a compressed vmlinux beside the image).
        let vmlinux = [
            "/usr/lib/debug/boot/vmlinux-\(r)", "/usr/lib/debug/lib/modules/\(r)/vmlinux",
            "/usr/lib/debug/usr/lib/modules/\(r)/vmlinux", "/usr/lib/debug/boot/vmlinux-\(r).debug",
            "/usr/lib/debug/lib/modules/\(r)/vmlinux.debug",
            "/usr/lib/debug/usr/lib/modules/\(r)/vmlinux.debug", "/boot/vmlinux-\(r)",
            "/boot/vmlinux-\(r).xz", "/boot/vmlinux-\(r).gz", "/boot/vmlinux-\(r).zst",
            "/lib/modules/\(r)/vmlinux", "/lib/modules/\(r)/vmlinux.xz",
            "/lib/modules/\(r)/vmlinux.zst", "/lib/modules/\(r)/vmlinux.gz",
            "/usr/lib/modules/\(r)/vmlinux", "/usr/lib/modules/\(r)/vmlinux.xz",
            "/usr/lib/modules/\(r)/vmlinux.zst", "/usr/lib/modules/\(r)/vmlinux.gz",
        ]
        let modules = ["/lib/modules/\(r)/", "/usr/lib/modules/\(r)/"].flatMap { folder in
            KernelBTFModule.paths.map { folder + $0 }
        }
        // Image: arm64 and RISC-V; image: s390; vmlinuz.unsigned: Debian 14's
        // linux-binary-unsigned.
        let names = ["vmlinuz", "vmlinuz.unsigned", "Image", "Image.gz", "image"]
        let images =
            ["/boot/vmlinuz-\(r)"] + names.map { "/lib/modules/\(r)/\($0)" }
            + names.map { "/usr/lib/modules/\(r)/\($0)" }
            + ["/boot/Image-\(r)", "/boot/image-\(r)", "/boot/kernel-\(r)"]
        return headers.map { BaseCandidate(kind: .headers, path: $0) }
            + (vmlinux + modules).map { BaseCandidate(kind: .vmlinux, path: $0) }
            + images.map { BaseCandidate(kind: .image, path: $0) }
    }
}
