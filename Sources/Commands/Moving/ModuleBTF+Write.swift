// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import BTFIDs
import Bytes
import Console
import ELF
import HostIO
import KernelTree

extension ModuleBTF {
    /// Writes the new contents, unless this is a dry run, and reports it.
    ///
    /// - Parameter text: the description of the new contents.
    func finish(
        _ moved: NewBTF, _ text: String, detached: String?, dryRun: Bool,
        _ outcome: inout MoveBatch.Outcome
    ) throws(Failure) {
        if dryRun {
            outcome.value.line = "\(path): \(text)"
            return
        }
        outcome.messages.append(
            .detail("\(path): \(text)" + (detached.map { ", in \($0)" } ?? "")))
        if detached == nil, let elf { outcome.messages += moved.messages(path, elf) }
        switch try write(moved, detached: detached) {
        case .written: break
        case .signatureLost: outcome.messages.append(.signatureIsGone(path))
        case .unchanged:
            if moved.isWritten {
                outcome.messages.append(
                    .detail("\(path): already has this BTF: not written again"))
            }
        }
    }

    /// Renumbers the ids of `.BTF_ids`, if any.
    ///
    /// - Parameter map: the new id for each old one.
    /// - Returns: the outcome for the ids; nil if there are none.
    func renumberIDs(
        _ map: [UInt32], from old: BTF, to new: BTF, _ outcome: inout MoveBatch.Outcome
    ) throws(Failure) -> RenumberedIDs? {
        guard let section = ids else { return nil }
        let ids: RenumberedIDs
        do throws(IDError) { ids = try section.renumbered(map, from: old, to: new) } catch {
            throw Failure(error)
        }
        outcome.messages += ids.messages(path)
        outcome.value.facts.append(("ids", ids))
        return ids
    }

    /// Copies the existing contents to the destination of new ones.
    func writeAsItIs(detached: String) throws(Failure) {
        try write(
            NewBTF(btf: bytes.array, base: distilledBase?.array, ids: ids?.bytes),
            detached: detached)
    }

    private enum Writing { case written, signatureLost, unchanged }

    /// Writes the new contents to the file, or raw beside it: `OUT`, `OUT.base`, `OUT.ids`,
    /// `OUT.inline`.
    ///
    /// - Returns: whether the file was written, and whether it lost its signature.
    @discardableResult
    private func write(_ moved: NewBTF, detached: String?) throws(Failure) -> Writing {
        if let detached {
            let parts = [
                (detached + ".base", moved.base), (detached + ".ids", moved.ids),
                (detached + ".inline", moved.inline),
                (detached, moved.btf),
            ]
            for (path, bytes) in parts {
                if let bytes { try replace(path, [ByteView(bytes)]) }
            }
            return .written
        }
        let image = try elf.map { elf throws(Failure) in try moved.image(of: elf) }
        guard
            try PackedFile.update(
                path, from: elf?.bytes ?? bytes, with: image ?? [ByteView(moved.btf)])
        else {
            return .unchanged
        }
        return elf?.isSigned == true ? .signatureLost : .written
    }

    private func replace(_ path: String, _ chunks: [ByteView]) throws(Failure) {
        do throws(HostError) { try AtomicFile.replace(path, with: chunks) } catch {
            throw Failure(error)
        }
    }
}
