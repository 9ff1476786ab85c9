// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import HostIO

/// The commands that get a kernel's BTF on this distribution. They install nothing.
struct BaseHint {
    let release: KernelRelease
    /// The first root with an `os-release` determines the distribution.
    let roots: [String]
    /// How the user then names the base: `--base`, `BTF_BASE=`.
    let option: String

    var text: String {
        for root in roots {
            for path in ["/etc/os-release", "/usr/lib/os-release"] {
                let real = RootedPath.resolve(path, in: root)
                guard FileStatus(real).isRegular,
                    let file = try? FileReader.map(real, limit: 1 << 16)
                else { continue }
                let names = Self.distributions(
                    String(decoding: file.array.prefix(1 << 16), as: UTF8.self))
                for name in names {
                    if let text = commands(name, root: root) { return text }
                }
            }
        }
        return "pass the kernel's vmlinux, its vmlinuz or a raw BTF file with \(base("FILE"))"
    }

    /// `--base FILE`, `BTF_BASE=FILE`.
    private func base(_ file: String) -> String {
        option.hasSuffix("=") ? option + file : "\(option) \(file)"
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

    private func commands(_ distribution: String, root: String) -> String? {
        let r = release.text
        switch distribution {
        case "debian":
            guard let version = release.version else { return nil }
            return debian(
                version.major >= 7 ? Self.debian14Packages(r) : Self.debianPackages(r), root)
        case "ubuntu":
            return debian(
                ["linux-image-unsigned-\(r)", "linux-image-\(r)"].map {
                    Package(name: $0, file: "boot/vmlinuz-\(r)")
                }, root)
        case "fedora", "rhel", "centos":
            return "dnf download kernel-core-\(r) && rpm2cpio kernel-core-\(r).rpm | cpio -idm, "
                + "then \(base("lib/modules/\(r)/vmlinuz"))"
        case "arch":
            return "pacman -S linux-headers (of the kernel's own flavour: linux-lts-headers, ...), "
                + "whose build directory has a vmlinux"
        case "opensuse", "suse":
            return "zypper install kernel-default-\(r.replacingSuffix("-default", with: "")), "
                + "which has /boot/vmlinux-\(r).xz or vmlinux.xz beside the modules"
        default: return nil
        }
    }

    // MARK: Debian

    /// A package that may contain the image, and its path there.
    private struct Package {
        let name: String
        let file: String
    }

    /// Images are signed on some machines only, and then the archive often has just one of the two
    /// packages.
    private static func debianPackages(_ r: String) -> [Package] {
        let names = ["linux-image-\(r)-unsigned", "linux-image-\(r)"]
        return (isSigned(r) ? names : [names[1]]).map {
            Package(name: $0, file: "boot/vmlinuz-\(r)")
        }
    }

    /// Debian 14 moved the image out of linux-image.
    private static func debian14Packages(_ r: String) -> [Package] {
        let folder = "usr/lib/modules/\(r)"
        let plain = Package(name: "linux-binary-\(r)", file: folder + "/vmlinuz")
        let unsigned = Package(
            name: "linux-binary-unsigned-\(r)", file: folder + "/vmlinuz.unsigned")
        return isSigned(r) ? [unsigned, plain] : [plain]
    }

    private static func isSigned(_ r: String) -> Bool {
        ["amd64", "arm64", "686", "686-pae"].contains { r.hasSuffix("-" + $0) }
    }

    /// The package that the package lists know; if they know none, all of them, to be tried in
    /// turn.
    private func debian(_ packages: [Package], _ root: String) -> String {
        let known = packages.first { PackageLists.contain($0.name, root: root) }
        guard known != nil || packages.count > 1 else { return download(packages[0]) }
        if let known { return download(known) }
        let all = packages.map { "apt-get download \($0.name)" }.joined(separator: " || ")
        let files = Set(packages.map(\.file)).sorted().map { base("DIR/\($0)") }
        return
            "\(all) && dpkg -x linux-*\(release)*.deb DIR, then \(files.joined(separator: " or "))"
    }

    private func download(_ package: Package) -> String {
        "apt-get download \(package.name) && dpkg -x \(package.name)_*.deb DIR, "
            + "then \(base("DIR/\(package.file)"))"
    }
}

/// Package lists fetched by apt.
private enum PackageLists {
    /// Whether some list has the package. Lists may be compressed, and there may be no lists.
    static func contain(_ package: String, root: String) -> Bool {
        let folder = RootedPath.resolve("/var/lib/apt/lists", in: root)
        guard let names = try? Directory.list(folder) else { return false }
        let line = Array("Package: \(package)\n".utf8)
        for name in names.sorted() where name.contains("_Packages") {
            let path = "\(folder)/\(name)"
            guard FileStatus(path).isRegular, var view = try? FileReader.map(path) else { continue }
            if let format = CompressionFormat.detect(view) {
                guard let text = try? decompress(view, format: format, concatenated: true) else {
                    continue
                }
                view = text
            }
            if let at = view.find(line), at == 0 || view[at - 1] == UInt8(ascii: "\n") {
                return true
            }
        }
        return false
    }
}

extension String {
    fileprivate func replacingSuffix(_ suffix: String, with text: String) -> String {
        hasSuffix(suffix) ? String(dropLast(suffix.count)) + text : self
    }
}
