// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Console
import ELF

extension EncodeFile {
    /// Looks at the BTF that a file has before new BTF takes its place.
    ///
    /// - Returns: a warning where more is replaced than one BTF.
    /// - Throws: for a BPF object and others whose BTF is referred to by number, and for a file with several
    ///   sections `.BTF`.
    func checkOldBTF(_ elf: ELFFile) throws(Failure) -> Talk.Message? {
        guard elf.machine != ELFMachine.bpf else {
            throw Failure(
                "\(job.path): this is a BPF object: its compiler writes its BTF, which its loader and "
                    + "relocations depend on",
                hint:
                    "leave it as 'clang -target bpf -g' or bpf-gcc made it; 'kbtf check \(job.path)' checks it"
            )
        }
        let old: ELFSection?
        do throws(ELFError) { old = try elf.onlySection(named: ".BTF") } catch {
            throw Failure("\(error)", hint: "link it from objects built without -gbtf")
        }
        guard let old, old.hasData else { return nil }
        guard elf.section(named: ".BTF.ext") == nil else {
            throw Failure(
                "\(job.path): .BTF.ext: it refers to types of the .BTF beside it by number, and would not fit "
                    + "new BTF",
                hint: "build it without -gbtf, or remove both first: objcopy -R .BTF -R .BTF.ext")
        }
        guard job.detached == nil, let bytes = try? elf.data(of: old),
            let second = Header.secondBTF(in: bytes)
        else {
            return nil
        }
        return .note(
            "\(job.path): warning: .BTF+0x\(String(second, radix: 16)): several BTFs, one after the other "
                + "(gcc -gbtf, joined by ld -r): all of them are replaced")
    }
}
