// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// What kernels, and the programs that load and build modules, say about BTF and about modules.
package struct KernelMessage: Sendable, Equatable {
    package enum Sort: String, Sendable, CaseIterable {
        /// The kernel's first line, with its release.
        case banner
        /// A module's BTF was refused.
        case refusedBTF = "refused-btf"
        /// A line of the kernel's reader of BTF.
        case readerLine = "reader-line"
        /// A kernel that allows it loads modules without their BTF. Said once per boot.
        case mismatch
        case notInSysfs = "not-in-sysfs"
        /// A set of kernel functions, or the like, was not registered: the module has no BTF.
        case noModuleBTF = "no-module-btf"
        case noKernelBTF = "no-kernel-btf"
        case vermagic
        case symbolVersion = "symbol-version"
        case unknownSymbol = "unknown-symbol"
        case unsigned
        case unsignedAllowed = "unsigned-allowed"
        case lockdown
        case damagedFile = "damaged-file"
        case otherStructModule = "other-struct-module"
        /// A build linked a module, or gave it BTF.
        case linked
        case madeBTF = "made-btf"
        /// A build gave a module no BTF.
        case skippedBTF = "skipped-btf"
        case noResolver = "no-resolver"
        case foreignResolver = "foreign-resolver"
        case noPahole = "no-pahole"
        case paholeRejects = "pahole-rejects"
        case paholeFails = "pahole-fails"
        case unresolvedSymbol = "unresolved-symbol"
        case baseUnreadable = "base-unreadable"
    }

    package let sort: Sort
    /// The module's name in the kernel, or as the message has it.
    package var module: String?
    /// A symbol, program, feature or release.
    package var subject: String?
    /// Positive.
    package var errno: Int?
    /// The line without time and sender.
    package let text: String

    /// The message in a line, which may have a time and a sender; nil for all others.
    package static func recognise(_ line: Substring) -> KernelMessage? {
        let words = LogLine.words(of: line)
        for row in table {
            guard let values = row.pattern.match(words), isPlausible(values) else { continue }
            return KernelMessage(
                sort: row.sort, module: values["module"].map(String.init),
                subject: values["subject"].map(String.init),
                errno: values["errno"].flatMap { Int($0) }.map(abs),
                text: String(words))
        }
        return nil
    }

    /// A module's name is one short word.
    private static func isPlausible(_ values: [String: Substring]) -> Bool {
        guard let module = values["module"] else { return true }
        return !module.isEmpty && module.utf8.count < 4096 && !module.contains(" ")
    }

    private struct Row: Sendable {
        let sort: Sort
        let pattern: MessagePattern

        init(_ sort: Sort, _ text: String) {
            self.sort = sort
            pattern = MessagePattern(text)
        }
    }

    // The kernel's: kernel/bpf/btf.c, kernel/module/*.c and security/lockdown of 6.1 to 7.3.
    // The first match counts.
    private static let table: [Row] = [
        Row(.refusedBTF, "failed to validate module [{module}] BTF: {errno}"),
        Row(.readerLine, "BPF:{subject}"),
        Row(.mismatch, "Kernel module BTF mismatch detected"),
        Row(.notInSysfs, "failed to register module [{module}] BTF in sysfs: {errno}"),
        Row(.noModuleBTF, "missing module BTF, cannot register {subject}"),
        Row(.noModuleBTF, "missing module {module} BTF, cannot register {subject}"),
        Row(.noKernelBTF, "missing vmlinux BTF, cannot register {subject}"),
        Row(.banner, "Linux version {subject} ("),
        Row(.vermagic, "{module}: version magic '{own}' should be '{subject}'"),
        Row(.symbolVersion, "{module}: disagrees about version of symbol {subject}"),
        Row(.symbolVersion, "{module}: no symbol version for {subject}"),
        Row(.unknownSymbol, "{module}: Unknown symbol {subject} (err {errno})"),
        Row(.unsigned, "Loading of {subject} is rejected"),
        Row(.unsigned, "{module}: loading of {subject} is rejected"),
        Row(.unsignedAllowed, "{module}: module verification failed: signature"),
        Row(.lockdown, "Lockdown: {subject}: unsigned module loading is restricted"),
        Row(.damagedFile, "Invalid ELF header {subject}"),
        Row(.damagedFile, "Invalid architecture in ELF header{subject}"),
        Row(.damagedFile, "Invalid ELF section {subject}"),
        Row(.damagedFile, "module decompression failed{subject}"),
        Row(.otherStructModule, "module {module}: .gnu.linkonce.this_module section size"),
        Row(.otherStructModule, "module {module}: .gnu.linkonce.this_module{subject}"),
        // Builds.
        Row(.linked, "LD [M]  {module}"),
        Row(.madeBTF, "BTF [M] {module}"),
        Row(
            .skippedBTF,
            "Skipping BTF generation for {module} due to unavailability of vmlinux"),
        Row(.noResolver, "{shell}resolve_btfids: not found"),
        Row(.noResolver, "{shell}resolve_btfids: No such file or directory"),
        Row(.noResolver, "{shell}resolve_btfids: Permission denied"),
        Row(.foreignResolver, "{shell}resolve_btfids: cannot execute binary file{subject}"),
        Row(.foreignResolver, "{shell}resolve_btfids: Exec format error"),
        Row(.noPahole, "{shell}pahole: not found"),
        Row(.noPahole, "{shell}pahole: command not found"),
        Row(.noPahole, "{shell}pahole: No such file or directory"),
        Row(.noPahole, "BTF: {module}: pahole (pahole) is not available"),
        Row(.paholeRejects, "pahole: unrecognized option '{subject}'"),
        Row(.paholeRejects, "pahole: invalid option {subject}"),
        Row(.paholeRejects, "Feature in '{subject}' is not supported"),
        Row(.paholeFails, "{subject}error encoding BTF"),
        Row(.paholeFails, "Encountered error while encoding BTF"),
        Row(.unresolvedSymbol, "WARN: resolve_btfids: unresolved symbol {subject}"),
        Row(.unresolvedSymbol, "FAILED unresolved symbol {subject}"),
        Row(.baseUnreadable, "FAILED: load BTF from {subject}"),
        Row(.baseUnreadable, "Failed to parse base BTF '{subject}'"),
        Row(.baseUnreadable, "libbpf: failed to find '.BTF' ELF section in {subject}"),
    ]
}
