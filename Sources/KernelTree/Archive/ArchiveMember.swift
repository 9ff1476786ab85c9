// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

/// One entry of an archive.
package struct ArchiveMember: Sendable {
    package enum Kind: Sendable, Equatable {
        case file
        /// Another name for a file that came before it.
        case hardLink(to: String)
        /// A directory, symbolic link, device, or what is only known to others.
        case other
    }

    /// As the archive has it, without `./` or `/` in front.
    package let path: String
    package let kind: Kind
    package let contents: ByteView

    /// It leads out of the directory where the archive is unpacked.
    package var climbsOut: Bool { path.split(separator: "/").contains("..") }

    init(_ path: String, _ kind: Kind, _ contents: ByteView) {
        var path = path[...]
        while path.hasPrefix("./") { path = path.dropFirst(2).drop { $0 == "/" } }
        self.path = String(path.drop { $0 == "/" })
        self.kind = kind
        self.contents = contents
    }
}

/// An archive that cannot be read.
package struct ArchiveError: Error, CustomStringConvertible {
    /// The format, as `tar`; of a part of a package, with the part's name.
    package let format: String
    /// In bytes, in the decompressed archive.
    package let offset: Int
    package let message: String

    package var description: String {
        "\(format)+0x\(String(offset, radix: 16)): \(message)"
    }
}

/// An archive of a kind that kernels and their modules come in.
package enum ArchiveFormat: Sendable {
    /// What .deb files are: ar(5).
    case ar
    case tar
    /// The `newc` format of initramfs images, one or several, each compressed or not.
    case cpio
    case rpm

    /// The format that a decompressed file begins with; nil for all others.
    package static func detect(_ view: ByteView) -> ArchiveFormat? {
        if view.hasBytes("!<arch>\n") { return .ar }
        if view.hasBytes("070701") || view.hasBytes("070702") { return .cpio }
        if view.matches([0xed, 0xab, 0xee, 0xdb], at: 0) { return .rpm }
        return view.hasBytes("ustar", at: 257) ? .tar : nil
    }
}

/// Calls `body` with each entry of the archive in `view`, in its order; packages are opened to the
/// files that they install.
///
/// - Throws: `ArchiveError` for what cannot be read, and what `body` throws.
package func forEachMember(
    _ view: ByteView, _ body: (ArchiveMember) throws -> Void
) throws {
    switch ArchiveFormat.detect(view) {
    case .ar: try forEachMember(ofDeb: view, body)
    case .tar: try forEachMember(ofTar: view, "tar", body)
    case .cpio: try forEachMember(ofCpio: view, "cpio", body)
    case .rpm: try forEachMember(ofRPM: view, body)
    case nil:
        guard let format = CompressionFormat.detect(view) else {
            throw ArchiveError(
                format: "archive", offset: 0, message: "expected ar, tar, cpio or rpm")
        }
        let unpacked = try decompress(part: view, format, "archive", at: 0)
        guard ArchiveFormat.detect(unpacked) != nil else {
            throw ArchiveError(
                format: format.name, offset: 0,
                message: "it contains no archive: expected ar, tar, cpio or rpm")
        }
        try forEachMember(unpacked, body)
    }
}

/// The decompressed part of an archive.
func decompress(
    part view: ByteView, _ format: CompressionFormat, _ name: String, at offset: Int
) throws(ArchiveError) -> ByteView {
    do throws(DecompressionError) {
        return try decompress(view, format: format, concatenated: true)
    } catch { throw ArchiveError(format: name, offset: offset, message: error.description) }
}
