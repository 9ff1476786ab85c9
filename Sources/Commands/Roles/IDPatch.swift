// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTFIDs
import Bytes
import Console
import ELF
import HostIO

/// `resolve_btfids --patch_btfids`: copies prepared contents to a file's `.BTF_ids`.
struct IDPatch {
    typealias Refusal = ResolveBTFIDsRole.Refusal

    let blob: String
    let path: String

    func run() throws(Refusal) {
        let elf: ELFFile
        do throws(ELFError) { elf = try ELFFile(path: path) } catch {
            if case .host(let error) = error {
                throw Refusal("FAILED to open \(path): \(HostError.text(of: error.errno))")
            }
            throw Refusal("FAILED cannot create ELF descriptor: \(error)")
        }
        guard let section = elf.section(named: IDSection.name) else {
            throw Refusal("FAILED: section .BTF_ids not found in \(path)")
        }
        let old: ByteView
        do throws(ELFError) { old = try elf.data(of: section) } catch {
            throw Refusal("FAILED to get .BTF_ids section data from \(path): \(error)")
        }
        let new: ByteView
        do throws(HostError) { new = try FileReader.map(blob) } catch {
            throw Refusal("FAILED to stat \(blob): \(HostError.text(of: error.errno))")
        }
        guard old.count == new.count else {
            throw Refusal(
                "FAILED: size mismatch - .BTF_ids section in \(path) is \(old.count) bytes, "
                    + "\(blob) is \(new.count) bytes")
        }
        do throws(Failure) { try IDWriter(elf: elf, path: path, isInPlace: true).write(new) } catch
        {
            throw Refusal(error.reworded("FAILED to update ELF file \(error.message)"))
        }
    }
}
