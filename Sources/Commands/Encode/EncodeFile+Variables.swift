// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import Console
import DWARFToBTF
import KernelTree

extension EncodeFile {
    /// `--only-variables`: leaves the variables that the base lacks, and what they need.
    ///
    /// - Returns: whether there are any.
    func leaveVariables(
        _ encoded: inout Encoded, _ whole: BTF?, _ outcome: inout EncodeBatch.Outcome
    ) throws(Failure) -> Bool {
        guard let whole, let base else {
            throw Failure(
                "\(job.path): --only-variables needs a base, which has the other types",
                hint: "--base FILE, such as this file if it has BTF")
        }
        do throws(BTFError) {
            let btf = try BTF.parse(ByteView(encoded.bytes), base: whole)
            guard let variables = try btf.withVariablesAlone() else {
                outcome.messages.append(
                    .note(
                        "\(job.path): no variables that \(base.path) does not have: nothing is written"
                    ))
                return false
            }
            encoded.bytes = variables.serialized()
            encoded.typeCount = variables.ownIDs.count
            return true
        } catch { throw Failure("\(job.path): .BTF\(error)") }
    }
}
