// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import Console

extension ModuleBTF {
    /// What `.BTF.inline` says, which continues the module's BTF; nil without such a section.
    ///
    /// - Throws: if it is damaged: it could not follow the BTF.
    func inlineSites(on btf: BTF) throws(Failure) -> BTF? {
        guard let inline else { return nil }
        do throws(BTFError) {
            let sites = try BTF.parse(inline, base: btf)
            if let fault = check(sites).firstError {
                throw BTFError(offset: fault.offset, fault.message)
            }
            return sites
        } catch {
            throw Failure(
                "\(path): \(NewBTF.inlineName)\(error)",
                hint: "objcopy --remove-section \(NewBTF.inlineName) \(path), if it may be lost")
        }
    }

    /// The same after the module's BTF has become `moved`.
    func following(
        _ sites: BTF?, _ ids: [UInt32], onto moved: BTF
    ) throws(Failure) -> [UInt8]? {
        guard let sites else { return nil }
        do throws(BTFError) { return try sites.following(ids, onto: moved) } catch {
            throw Failure("\(path): \(NewBTF.inlineName)\(error)")
        }
    }
}
