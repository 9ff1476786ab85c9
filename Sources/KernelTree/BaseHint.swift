// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import HostIO

/// The commands that get a kernel's BTF, for the distribution at hand. Nothing is installed by them.
enum BaseHint {
    /// - Parameter roots: the first that has an `os-release` names the distribution.
    static func text(for release: KernelRelease, roots: [String]) -> String {
        for root in roots {
            for path in ["/etc/os-release", "/usr/lib/os-release"] {
                let real = RootedPath.resolve(path, in: root)
                guard FileStatus(real).isRegular,
                    let file = try? FileReader.map(real, limit: 1 << 16)
                else { continue }
                let names = distributions(
                    String(decoding: file.array.prefix(1 << 16), as: UTF8.self))
                for name in names {
                    if let text = commands(name, release) { return text }
                }
            }
        }
        return "give the kernel's vmlinux, its vmlinuz or a raw BTF file with --base FILE"
    }

    /// ID, then the words of ID_LIKE (os-release(5)).
    static func distributions(_ text: String) -> [String] {
        var id: [String] = []
        var like: [String] = []
        for line in text.split(separator: "\n") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            let words = line[line.index(after: equals)...]
                .filter { $0 != "\"" && $0 != "'" }.split(separator: " ").map(String.init)
            switch line[..<equals] {
            case "ID": id = words
            case "ID_LIKE": like = words
            default: continue
            }
        }
        return id + like
    }

    private static func commands(_ distribution: String, _ release: KernelRelease) -> String? {
        let r = release.text
        switch distribution {
        case "debian":
            // Debian 14 moved the image out of linux-image into linux-binary.
            guard let version = release.version else { return nil }
            let package = version.major >= 7 ? "linux-binary-\(r)" : "linux-image-\(r)"
            let file =
                version.major >= 7 ? "DIR/usr/lib/modules/\(r)/vmlinuz" : "DIR/boot/vmlinuz-\(r)"
            return
                "apt-get download \(package) && dpkg -x \(package)_*.deb DIR, then --base \(file)"
        case "ubuntu":
            let package = "linux-image-unsigned-\(r)"
            return "apt-get download \(package) && dpkg -x \(package)_*.deb DIR, "
                + "then --base DIR/boot/vmlinuz-\(r)"
        case "fedora", "rhel", "centos":
            return "dnf download kernel-core-\(r) && rpm2cpio kernel-core-\(r).rpm | cpio -idm, "
                + "then --base lib/modules/\(r)/vmlinuz"
        case "arch":
            return "pacman -S linux-headers (of the kernel's own flavour: linux-lts-headers, ...), "
                + "whose build folder has a vmlinux"
        case "opensuse", "suse":
            return "zypper install kernel-default-\(r.replacingSuffix("-default", with: "")), "
                + "which has /boot/vmlinux-\(r).xz or vmlinux.xz beside the modules"
        default: return nil
        }
    }
}

extension String {
    fileprivate func replacingSuffix(_ suffix: String, with text: String) -> String {
        hasSuffix(suffix) ? String(dropLast(suffix.count)) + text : self
    }
}
