// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Console
import ELF
import HostIO
import KernelTree

extension EncodeFile {
    /// Writes the base's BTF, unchanged, to the module that holds the kernel's own: what kernel
    /// builds do with the vmlinux that they have just linked.
    func writeKernelBTF(
        to elf: ELFFile, _ outcome: inout EncodeBatch.Outcome
    ) throws(Failure) {
        guard let base, base.path != job.path else { throw Failure.holdsKernelBTF(job.path) }
        guard isWriting else { return }
        if let detached = job.detached {
            do throws(HostError) { try AtomicFile.replace(detached, with: [base.bytes]) } catch {
                throw Failure(error)
            }
        } else {
            let image = try NewBTF(btf: base.bytes.array).image(of: elf)
            if try PackedFile.update(job.path, from: elf.bytes, with: image), elf.isSigned {
                outcome.messages.append(.signatureIsGone(job.path))
            }
        }
        outcome.messages.append(
            .detail(
                "\(job.path): \(base.bytes.count) bytes, the BTF of \(base.path) (\(base.how))"
                    + (job.detached.map { ", in \($0)" } ?? "")))
    }
}
