// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
package import ELF
import HostIO

extension KernelRelease {
    /// The release of a build tree or headers directory, as recorded by kbuild; nil if it is not.
    package static func ofTree(_ folder: String) -> KernelRelease? {
        let written = folder + "/include/config/kernel.release"
        if FileStatus(written).isRegular, let view = try? FileReader.map(written),
            let release = word(in: view, at: 0)
        {
            return release
        }
        let header = folder + "/include/generated/utsrelease.h"
        guard FileStatus(header).isRegular, let view = try? FileReader.map(header) else {
            return nil
        }
        return inUtsRelease(view)
    }

    /// The release that the module at `path` was built for, from its `vermagic`. The module may be
    /// compressed. nil for a file without it.
    ///
    /// - Throws: if the file cannot be read or decompressed, or is not an ELF file.
    package static func ofModule(_ path: String) throws(KernelTreeError) -> KernelRelease? {
        var view: ByteView
        do throws(HostError) { view = try FileReader.map(path) } catch {
            throw KernelTreeError(error)
        }
        if let format = CompressionFormat.detect(view) {
            do throws(DecompressionError) {
                view = try decompress(view, format: format, concatenated: true)
            } catch { throw KernelTreeError(.damaged, path: path, error.description) }
        }
        do throws(ELFError) { return of(try ELFFile(view, path: path)) } catch {
            throw KernelTreeError(.damaged, path: path, error.text(without: path))
        }
    }

    /// The release of the kernel in an ELF file or, for a module, the release it was built for; nil
    /// if the file does not name it.
    package static func of(_ file: ELFFile) -> KernelRelease? {
        if file.type == ELFType.relocatable {
            guard let section = file.section(named: ".modinfo"),
                let data = try? file.rawData(of: section)
            else { return nil }
            return inModinfo(data)
        }
        if let section = file.section(named: ".rodata"), section.hasData,
            let data = try? file.rawData(of: section), let release = inBanner(data)
        {
            return release
        }
        return inBannerSymbol(file)
    }

    /// The release in `linux_banner`, whichever section holds it.
    private static func inBannerSymbol(_ file: ELFFile) -> KernelRelease? {
        guard let strings = try? file.symbolStrings(), !strings.isEmpty else { return nil }
        var banner: ELFSymbol?
        try? file.forEachSymbol { symbol in
            if symbol.sectionIndex != nil,
                strings.hasBytes("linux_banner\0", at: Int(symbol.nameOffset))
            {
                banner = symbol
            }
        }
        guard let banner, let index = banner.sectionIndex, index < file.sections.count,
            file.sections[index].hasData, banner.value >= file.sections[index].address,
            let offset = Int(exactly: banner.value - file.sections[index].address),
            let data = try? file.rawData(of: file.sections[index]),
            let text = data.slice(offset, min(data.count - offset, 512))
        else { return nil }
        return inBanner(text)
    }
}

extension ELFError {
    /// The error without the file's name, for use after that name.
    func text(without path: String) -> String {
        let text = description
        return text.hasPrefix(path + ": ") ? String(text.dropFirst(path.count + 2)) : text
    }
}
