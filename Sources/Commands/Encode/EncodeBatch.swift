// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Console
import DWARFToBTF
import ELF
import KernelTree

/// Encodes many files.
struct EncodeBatch {
    /// `--base`; nil: decided by the kind of file.
    let base: String?
    let search: SearchPlaces
    let options: EncodeOptions
    let jobs: Int
    let request: FeatureRequest
    /// `--target`.
    var target: NamedTarget?
    /// Hide the implicit arguments of kernel functions; kernel builds do that in a later step.
    var hidesImplicitArguments = false
    let talk: Talk
    /// Fill in `.BTF_ids` of files that get their BTF written into them.
    var fillsIDs = false
    /// Describe the BTF in the modinfo of modules that get their BTF written into them.
    var marks = false
    /// `--strict`: warnings are errors.
    var isStrict = false
    /// Write only the variables that the base lacks.
    var leavesVariables = false
    /// Write the BTF; if not, only the ledger comes of it.
    var isWriting = true
    /// What to do with a file whose base is not found.
    var withoutBase = WithoutBase.fail

    enum WithoutBase: String, CaseIterable {
        case fail
        /// Leave the file unchanged.
        case skip
        /// Generate standalone BTF.
        case standalone
    }

    /// Its value is the ledger.
    typealias Outcome = FileOutcome<Ledger?>

    func run(_ files: [Destinations.Job]) -> [Outcome] {
        let tree = search.surroundings.kbuildTree
        let debugFiles = DebugInfo.search(
            folders: search.folders,
            separation: options.features.sectionSeparation)
        var batch = BaseBatch<EncodeBase>(
            search: search, jobs: jobs, talk: talk, activity: "encoding"
        ) { choice, jobs throws(Failure) in
            try choice.loadIndexed(search, jobs: jobs).map { EncodeBase($0) }
        }
        batch.refusesForeign = isStrict
        batch.lacking = substitute
        return batch.run(files, nil) { file throws(Failure) in
            try PackedFile.open(file.path)
        } need: { file, contents throws(Failure) in
            let elf = try openELF(contents.view, file.path)
            // Only modules have a .modinfo, and it names their kernel.
            let own = elf.section(named: ".modinfo") == nil ? nil : KernelRelease.of(elf)
            let choice = try BaseChoice(
                option: base ?? (own == nil ? "" : "auto"), path: file.path, own: own,
                bigEndian: elf.isBigEndian, search: search)
            return .init(choice: choice, release: own, machine: KernelMachine.name(of: elf))
        } work: { file, contents, setting, outcome throws(Failure) in
            var options = options
            options.jobs = setting.jobs
            try EncodeFile(
                job: file, contents: contents.view, options: options, request: request,
                target: target, hidesImplicitArguments: hidesImplicitArguments, kbuildTree: tree,
                roots: search.folders, base: setting.base?.indexed,
                wholeBase: setting.base?.whole, debugFiles: debugFiles, fillsIDs: fillsIDs,
                marks: marks, isStrict: isStrict, isWriting: isWriting,
                leavesVariables: leavesVariables
            ).run(&outcome)
        }
    }

    private func substitute(
        _ choice: BaseChoice, _ failure: Failure
    ) -> BaseBatch<EncodeBase>.Substitute {
        guard case .auto = choice else { return .nothing }
        switch withoutBase {
        case .fail: return .nothing
        case .skip:
            return .skipping(
                .warning("\(failure.message): no BTF is generated", hint: failure.hint))
        case .standalone:
            return .noBase(
                .warning(
                    "\(failure.message): standalone BTF is generated, which the kernel does not read",
                    hint: failure.hint))
        }
    }
}

/// What files are encoded against.
struct EncodeBase: SearchedBase {
    let indexed: IndexedBase
    /// The base itself, for what an index does not say.
    let whole: LazyBTF

    init(_ indexed: IndexedBase) {
        self.indexed = indexed
        whole = LazyBTF(indexed.bytes)
    }

    var path: String { indexed.path }
    var release: KernelRelease? { indexed.release }
    var machine: String? { indexed.machine }
}
