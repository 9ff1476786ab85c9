// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Console
import ELF
import KernelTree

extension EncodeFile {
    /// Checks the existing BTF of a file before it is replaced.
    ///
    /// - Returns: a warning if more than one BTF is replaced.
    /// - Throws: for a BPF object and other files that refer to their BTF by id, and for a file
    ///   with several sections `.BTF`.
    func checkOldBTF(_ elf: ELFFile) throws(Failure) -> Failure? {
        guard elf.machine != ELFMachine.bpf else {
            throw Failure(
                "\(job.path): this is a BPF object: the compiler wrote its BTF, which its loader and "
                    + "relocations depend on",
                hint:
                    "keep the BTF of 'clang -target bpf -g' or bpf-gcc; 'kbtf check \(job.path)' checks it"
            )
        }
        let old: ELFSection?
        do throws(ELFError) { old = try elf.onlySection(named: ".BTF") } catch {
            throw Failure("\(error)", hint: "link it from objects built without -gbtf")
        }
        guard let old, old.hasData else { return nil }
        guard elf.section(named: ".BTF.ext") == nil else {
            throw Failure(
                "\(job.path): .BTF.ext: it refers to types of the .BTF beside it by id, and would not match "
                    + "new BTF",
                hint: "build it without -gbtf, or remove both first: objcopy -R .BTF -R .BTF.ext")
        }
        guard job.detached == nil, let bytes = try? elf.data(of: old),
            let second = Header.secondBTF(in: bytes)
        else {
            return nil
        }
        return Failure(
            "\(job.path): .BTF+0x\(String(second, radix: 16)): several BTF blobs, one after the other (gcc -gbtf, "
                + "joined by ld -r): all of them are replaced",
            hint: "link it from objects built without -gbtf")
    }

    /// A warning if the old BTF was built against another base although both claim to be of one
    /// kernel: only one of them is.
    func otherBuild(_ mark: BTFMark?) -> Failure? {
        guard let mark, let base, job.detached == nil,
            let difference = mark.difference(to: base.digest)
        else { return nil }
        if let old = mark.base, let new = base.release ?? base.kernel, old != new { return nil }
        return Failure(
            "\(job.path): its old BTF was not built against \(base.path): \(difference)",
            hint: "kernels of one release may have different BTF: see which one the module is for")
    }
}
