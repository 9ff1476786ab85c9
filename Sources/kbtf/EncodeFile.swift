// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import DWARFToBTF
import ELF
import HostIO
import KernelTree

/// Encodes one file.
struct EncodeFile {
    let job: Destinations.Job
    let options: EncodeOptions
    let base: IndexedBase?
    /// Folders laid out like `/usr/lib/debug`.
    let debugRoots: [String]

    func run() -> EncodeBatch.Outcome {
        var outcome = EncodeBatch.Outcome(path: job.path)
        do throws(Failure) { try encode(&outcome) } catch { outcome.fail(error) }
        return outcome
    }

    private func encode(_ outcome: inout EncodeBatch.Outcome) throws(Failure) {
        let elf = try openELF(job.path)
        let debugInfo = try DebugInfo(of: elf, roots: debugRoots)
        let encoded: Encoded
        do throws(EncodeError) {
            encoded = try DWARFToBTF.encode(
                elf, debugInfo.data, base: base?.index, options: options)
        } catch { throw Failure(error, path: debugInfo.path) }
        outcome.ledger = encoded.ledger
        guard !encoded.bytes.isEmpty else {
            outcome.messages.append(
                .note(
                    "\(job.path): its debug information holds no types for BTF: nothing is written")
            )
            return
        }
        if debugInfo.path != job.path {
            outcome.messages.append(
                .detail("\(job.path): debug information from \(debugInfo.path)"))
        }
        let isSigned = try write(ByteView(encoded.bytes), elf)
        let place = base.map { "split, on \($0.path) (\($0.how))" } ?? "standalone"
        outcome.messages.append(
            .detail(
                "\(job.path): \(encoded.typeCount) types, \(encoded.bytes.count) bytes, \(place)"
                    + (job.detached.map { ", in \($0)" } ?? "")))
        if isSigned {
            outcome.messages.append(
                .note(
                    "\(job.path): its signature is gone, for the file is another now: sign it again"
                ))
        }
    }

    /// - Returns: true when that cost the file its signature.
    private func write(_ btf: ByteView, _ elf: ELFFile) throws(Failure) -> Bool {
        if let detached = job.detached {
            do throws(HostError) { try AtomicFile.replace(detached, with: [btf]) } catch {
                throw Failure(error)
            }
            return false
        }
        let image: [ByteView]
        do throws(ELFError) {
            // The old BTF's base and relocations have no meaning for the new one.
            image = try ELFEditor.image(
                of: elf, replacing: [(".BTF", btf)],
                removing: [".BTF.base", ".rel.BTF", ".rela.BTF"])
        } catch { throw Failure(error) }
        do throws(HostError) { try AtomicFile.replace(job.path, with: image) } catch {
            throw Failure(error)
        }
        // include/linux/module_signature.h: the text that a signed module ends in.
        return elf.bytes.hasBytes("~Module signature appended~\n", at: elf.bytes.count - 28)
    }
}

/// Maps the ELF file at `path`.
func openELF(_ path: String) throws(Failure) -> ELFFile {
    do throws(ELFError) { return try ELFFile(path: path) } catch {
        guard error.fault == .notELF, let view = try? FileReader.map(path),
            let format = CompressionFormat.detect(view)
        else { throw Failure(error) }
        throw Failure("\(path): not an ELF file: it is compressed (\(format.name))")
    }
}
