// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import Console
import ELF
import HostIO

/// The BTF that says where functions are inlined: `.BTF.inline` of an ELF file, or `NAME.inline`
/// beside raw BTF called `NAME`, as in /sys/kernel/btf. It continues the BTF that it belongs to.
enum InlineSites {
    /// - Parameter btf: what `file` holds.
    static func read(beside file: String, on btf: BTF) throws(Failure) -> BTF {
        let contents = try BTFFile.contents(of: file)
        guard ELFFile.isELF(contents.view) else {
            let path = file + ".inline"
            guard FileStatus(path).exists else {
                throw Failure("\(file): no inline sites: there is no \(path)")
            }
            return try parse(try BTFFile.contents(of: path).view, path + ": ", on: btf)
        }
        let bytes: ByteView?
        do throws(ELFError) {
            let elf = try ELFFile(contents.view, path: file)
            bytes = try elf.onlySection(named: NewBTF.inlineName).map { section throws(ELFError) in
                try elf.data(of: section)
            }
        } catch { throw Failure(error) }
        guard let bytes else {
            throw Failure("\(file): \(NewBTF.inlineName): no such section")
        }
        return try parse(bytes, "\(file): \(NewBTF.inlineName)", on: btf)
    }

    private static func parse(
        _ bytes: ByteView, _ place: String, on btf: BTF
    ) throws(Failure) -> BTF {
        do throws(BTFError) { return try BTF.parse(bytes, base: btf, isForReading: true) } catch {
            throw Failure("\(place)\(error)")
        }
    }
}
