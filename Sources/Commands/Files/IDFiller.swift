// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import BTFIDs
import Bytes
import Console
import ELF

/// Fills in a file's `.BTF_ids` and reports what it did not find.
struct IDFiller {
    let elf: ELFFile
    let section: IDSection
    let path: String

    /// - Parameters:
    ///   - btf: the BTF for the new ids.
    ///   - old: the BTF of ids that were already filled in; if its base is not available, the file
    ///     is examined.
    /// - Returns: the section's new contents.
    func fill(
        from btf: BTF, old: BTF?, _ say: (Talk.Message) -> Void
    ) throws(Failure) -> [UInt8] {
        let resolved: ResolvedIDs
        do throws(IDError) {
            resolved = try section.resolved(
                in: btf, old: old,
                withoutBase: section.isFilled ? SplitWithoutBase.inFile(elf) : nil)
        } catch {
            throw Failure(error)
        }
        for repeated in resolved.repeated {
            say(
                .note(
                    "\(path): .BTF_ids: several types are \(repeated.kind) \(repeated.name): "
                        + "\(repeated.used) is used, not \(repeated.other)"))
        }
        for entry in resolved.unresolved {
            say(
                .note(
                    "\(path): .BTF_ids+0x\(String(entry.place, radix: 16)): no type is "
                        + "\(entry.kind) \(entry.name): its id is 0"))
        }
        return resolved.bytes
    }
}

extension Talk.Message {
    static func signatureIsGone(_ path: String) -> Talk.Message {
        .note("\(path): its signature was removed because the file has changed: sign it again")
    }
}
