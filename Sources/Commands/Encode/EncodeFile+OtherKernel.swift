// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import Console
import DWARFToBTF
import KernelTree

extension EncodeFile {
    /// A warning if the module's types show that its base is of another kernel, which a base
    /// without a release does not say itself.
    ///
    /// - Returns: nil also where only types below `struct module` differ: modules may define some
    ///   of their own.
    func otherKernel(_ encoded: Encoded) throws(Failure) -> Failure? {
        guard let base, encoded.base == nil,
            BTF.hasOwnModuleStruct(encoded.bytes, on: base.index), let whole = try parseBase()
        else { return nil }
        let btf: BTF
        do throws(BTFError) { btf = try BTF.parse(ByteView(encoded.bytes), base: whole) } catch {
            throw Failure("\(job.path): .BTF\(error)")
        }
        guard let difference = DifferingTypes.moduleItself(btf, in: base.index) else { return nil }
        return Failure(
            "\(job.path): its struct module differs from that of \(base.path) (\(difference)): it was built for "
                + "another kernel than that base is of",
            hint: "kbtf base --module \(job.path) searches for the right one")
    }
}
