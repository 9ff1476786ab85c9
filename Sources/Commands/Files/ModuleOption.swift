// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Console
import ELF
import HostIO
import KernelTree

/// A file that `--module` names.
enum ModuleOption {
    /// - Throws: for a BPF object, which has BTF like a kernel module but is none.
    static func check(_ path: String) throws(Failure) {
        guard FileStatus(path).isRegular, let view = try? PackedFile.read(path),
            ELFFile.isELF(view), let elf = try? ELFFile(view, path: path)
        else { return }
        try check(elf, path)
    }

    static func check(_ elf: ELFFile, _ path: String) throws(Failure) {
        guard elf.machine == ELFMachine.bpf else { return }
        throw Failure(
            "--module \(path): a BPF object, not a kernel module",
            hint: "kbtf gen module \(path) -o DIR && make -C DIR")
    }
}
