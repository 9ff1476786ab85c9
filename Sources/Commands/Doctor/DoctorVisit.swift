// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Console
import Diagnosis
import ELF
import HostIO
import KernelTree

/// Looks at everything that the command line names.
struct DoctorVisit {
    let surroundings: Surroundings
    /// `--release`
    let release: KernelRelease?
    let talk: Talk
    private(set) var report = DoctorReport()
    /// What is looked at has files only, and nobody builds or logs there.
    private var isOfPackages = false
    /// Modules that were looked at and are in order, by name.
    private var healthy: Set<String> = []
    private var fileTroubles: [String: [BTFTrouble]] = [:]
    /// Modules that came through a pipe, by path.
    private var held: [String: PackedFile.Contents] = [:]

    init(_ surroundings: Surroundings, release: KernelRelease?, _ talk: Talk) {
        self.surroundings = surroundings
        self.release = release
        self.talk = talk
    }

    // MARK: Arguments

    mutating func look(atArgument argument: String) throws(Failure) {
        let isInput = argument == "-"
        let path = isInput ? "/dev/stdin" : argument
        do throws(Failure) {
            try look(at: path, named: isInput ? "standard input" : argument)
        } catch {
            guard let unread = UnreadFile(path, error) else { throw error }
            report.add(unread)
        }
    }

    private mutating func look(at path: String, named name: String) throws(Failure) {
        let status = FileStatus(path)
        if status.isDirectory {
            if ["/lib/modules", "/usr/lib/modules"].contains(where: {
                SystemRoot(path).exists($0)
            }) {
                return look(at: SystemRoot(path))
            }
            return try look(atModules: [path])
        }
        if status.isRegular, isModule(path) { return try look(atModules: [path]) }
        // A compressed log is a log.
        let contents = try PackedFile.open(path) { $0.isSupported }
        guard ELFFile.isELF(contents.view) else {
            return try look(atLog: contents.view, named: name)
        }
        held[path] = contents
        // Cures would read it again.
        report.hasCures = false
        defer { report.hasCures = true }
        try look(atModules: [path])
    }

    /// Packages are one system: a kernel's image and its modules may come in several.
    mutating func look(at packages: UnpackedPackages) throws(Failure) {
        let root = SystemRoot(packages.path)
        (isOfPackages, report.hasCures) = (true, false)
        defer { (isOfPackages, report.hasCures) = (false, true) }
        if root.releases.isEmpty { return try look(atModules: [packages.path]) }
        look(at: root)
    }

    private func isModule(_ path: String) -> Bool {
        if ModuleName.suffixes.contains(where: { path.hasSuffix($0) }) { return true }
        guard let view = try? FileReader.map(path) else { return false }
        return ELFFile.isELF(view)
    }

    private mutating func look(atLog view: ByteView, named name: String) throws(Failure) {
        guard view.count <= 256 << 20 else {
            throw Failure("\(name): larger than 256 MiB, which no kernel's log is")
        }
        let text = String(decoding: view.array, as: UTF8.self)
        if text.utf8.prefix(4096).contains(0) {
            throw Failure(
                "\(name): neither a log, a module, a package nor a directory",
                hint: "kbtf doctor --help")
        }
        look(at: LogReading(text), named: name, root: SystemRoot("/"))
        report.looked.append(name)
    }

    private mutating func look(atModules arguments: [String]) throws(Failure) {
        let entries = try Inputs(arguments, suffixes: ModuleName.suffixes, talk).entries
        var groups: [(root: SystemRoot, release: KernelRelease, entries: [Inputs.Entry])] = []
        for entry in entries {
            let around = SystemRoot.around(entry.path)
            let root = around?.root ?? SystemRoot("/")
            let own: KernelRelease
            do throws(Failure) {
                own =
                    if let known = release ?? around?.release { known } else {
                        try releaseOfModule(entry)
                    }
            } catch {
                note(error, about: entry.path)
                continue
            }
            if let place = groups.firstIndex(where: {
                $0.release == own && $0.root.path == root.path
            }) {
                groups[place].entries.append(entry)
            } else {
                groups.append((root, own, [entry]))
            }
        }
        for group in groups {
            let search = search(group.root)
            examine(
                group.entries, of: SystemKernel(group.release, in: group.root, search), search)
        }
    }

    /// The kernel that a module says it is for.
    private func releaseOfModule(_ entry: Inputs.Entry) throws(Failure) -> KernelRelease {
        if let failure = entry.failure { throw failure }
        let contents =
            if let held = held[entry.path] { held } else {
                try BTFFile.contents(of: entry.path)
            }
        guard let release = KernelRelease.of(try openELF(contents.view, entry.path)) else {
            throw Failure("it has no vermagic: not a kernel module")
        }
        return release
    }

    /// Reports a file that could not be read, or does not say what kernel it is for.
    private mutating func note(_ failure: Failure, about path: String) {
        if let unread = UnreadFile(path, failure) { return report.add(unread) }
        report.add(
            BTFTrouble(
                .damagedFile, of: path, .notLoaded, isSure: true,
                evidence: [failure.words(about: path)], cure: nil))
    }

    private func search(_ root: SystemRoot) -> SearchPlaces {
        var search = SearchPlaces(surroundings)
        if !root.isLive { search.root = root.path }
        return search
    }

    // MARK: Systems

    mutating func look(at root: SystemRoot) {
        let search = search(root)
        let running = root.isLive ? surroundings.runningRelease.flatMap { KernelRelease($0) } : nil
        var releases = root.releases
        if let release { releases = [release] }
        if let running, !releases.contains(running) {
            report.unseen.append("the modules of the running kernel \(running): none are installed")
        }
        for error in root.unlistableReleases { note(Failure(error), about: error.path) }
        if releases.isEmpty { report.unseen.append("\(root.path): no kernel has modules there") }
        let pahole = isOfPackages ? nil : self.pahole(root)
        let packages = DKMS.packages(of: root)
        for release in releases {
            let kernel = SystemKernel(release, in: root, search)
            look(at: kernel, packages, search)
            guard !isOfPackages else { continue }
            let tools = ToolExam(
                kernel: kernel, pahole: pahole,
                machine: root.isLive ? surroundings.running.machine : kernel.base?.machine,
                roles: surroundings.ownFolder + "/../libexec/kbtf"
            ).run()
            for trouble in tools.troubles { report.add(trouble) }
            report.remarks += tools.remarks
        }
        if isOfPackages { return }
        if pahole == nil { report.unseen.append("the version of pahole: it cannot be told") }
        if root.isLive { lookAtRunningKernel(running) } else { lookAtSavedLogs(root) }
    }

    private func pahole(_ root: SystemRoot) -> ToolExam.Pahole? {
        guard root.isLive else { return .installed(in: root) }
        guard let text = ProgramOutput.of(["pahole", "--version"], surroundings) else {
            return .missing
        }
        return ToolExam.Pahole(version: text, from: "pahole")
    }

    private mutating func look(
        at kernel: SystemKernel, _ packages: [DKMS], _ search: SearchPlaces
    ) {
        let entries = kernel.root.modules(of: kernel.release).map { modules(in: $0) } ?? []
        var logs: [String: [KernelMessage]] = [:]
        for package in packages {
            let log = package.log(for: kernel.release)
            for complaint in log.map({ LogReading($0.text).complaints }) ?? [] {
                if let name = complaint.message.moduleName {
                    logs[name, default: []].append(complaint.message)
                }
            }
            guard !package.isBuilt(for: kernel.release), package.isWanted(for: kernel.release)
            else { continue }
            report.add(notBuilt(package, kernel, log))
        }
        examine(entries, of: kernel, search, logs)
    }

    /// The modules in a directory, which may have none.
    private func modules(in folder: String) -> [Inputs.Entry] {
        (try? Inputs([folder], suffixes: ModuleName.suffixes, talk))?.entries ?? []
    }

    private func notBuilt(
        _ package: DKMS, _ kernel: SystemKernel, _ log: (path: String, text: String)?
    ) -> BTFTrouble {
        var evidence = [
            "/var/lib/dkms/\(package.name)/\(package.version) has no build for \(kernel.release)"
        ]
        if !kernel.root.exists("/lib/modules/\(kernel.release)/build/Makefile") {
            evidence.append("\(kernel.headers): no headers, which builds need")
            let installer = kernel.root.installer
            return BTFTrouble(
                .notBuilt, of: "\(package.name)/\(package.version)", .notLoaded, isSure: true,
                evidence: evidence, cure: Cure(installer.install(installer.headers(kernel.release)))
            )
        }
        let first = log.flatMap { log in
            LogReading(log.text).complaints.first { $0.message.meaning != nil }
        }
        if let log, let first {
            evidence.append("\(log.path), line \(first.line): \(first.message.text)")
        }
        return BTFTrouble(
            .notBuilt, of: "\(package.name)/\(package.version)", .notLoaded, isSure: true,
            evidence: evidence,
            cure: Cure([
                "dkms", "install", "\(package.name)/\(package.version)", "-k",
                kernel.release.text,
            ]))
    }

    private mutating func examine(
        _ entries: [Inputs.Entry], of kernel: SystemKernel, _ search: SearchPlaces,
        _ logs: [String: [KernelMessage]] = [:]
    ) {
        if let failure = kernel.withoutBase, kernel.config?.hasModuleBTF != false {
            report.unseen.append(
                "whether the BTF of modules fits \(kernel.release): \(failure.message)")
        }
        var exam = ModuleExam(kernel, search)
        exam.buildLogs = logs
        exam.held = held
        let modules = entries.filter { !KernelBTFModule.isNamed($0.path) }
        var read = 0
        for outcome in exam.run(modules, talk) {
            if let unread = outcome.value.unread {
                report.add(unread)
                continue
            }
            read += 1
            let name = ModuleName.ofFile(outcome.path)
            let troubles = outcome.value.troubles
            if troubles.isEmpty {
                healthy.insert(name)
            } else {
                fileTroubles[name] = troubles
                for trouble in troubles { report.add(trouble, onto: kernel.base?.path) }
            }
        }
        guard read > 0 || modules.isEmpty else { return }
        report.looked.append(
            "\(read) module\(read == 1 ? "" : "s") of Linux \(kernel.release)")
    }

    // MARK: Logs

    private mutating func look(at reading: LogReading, named name: String, root: SystemRoot) {
        let exam = LogExam(reading: reading, name: name, installer: root.installer)
        if reading.omitted > 0 {
            report.unseen.append("\(reading.omitted) more complaints in \(name)")
        }
        // The files that it is about, unless they were looked at already.
        if let release = release ?? reading.release.flatMap({ KernelRelease($0) }),
            let folder = root.modules(of: release)
        {
            let names = Set(reading.complaints.compactMap(\.message.moduleName))
                .subtracting(healthy).subtracting(fileTroubles.keys)
            // They are in any of its directories that cannot be listed, too.
            let entries = modules(in: folder).filter {
                $0.failure != nil || names.contains(ModuleName.ofFile($0.path))
            }
            if !names.isEmpty, !entries.isEmpty {
                let search = search(root)
                examine(entries, of: SystemKernel(release, in: root, search), search)
            }
        }
        let found = exam.troubles(fileTroubles, healthy: healthy)
        for trouble in found.troubles { report.add(trouble) }
        report.remarks += found.remarks
    }

    private mutating func lookAtRunningKernel(_ running: KernelRelease?) {
        do throws(HostError) {
            let log = String(decoding: try KernelRing.read(), as: UTF8.self)
            look(at: LogReading(log), named: "the kernel's log", root: SystemRoot("/"))
            report.looked.append("the kernel's log")
        } catch {
            // Members of some groups may read the journal.
            let words = ["journalctl", "-k", "-b", "-q", "--no-pager"]
            if let log = ProgramOutput.of(words, surroundings), !log.isEmpty {
                look(at: LogReading(log), named: "the journal", root: SystemRoot("/"))
                report.looked.append("the journal")
            } else {
                report.unseen.append("the kernel's log: \(error); sudo kbtf doctor reads it")
            }
        }
        lookAtLoadedModules()
    }

    /// Modules that are loaded without BTF although their files have it.
    private mutating func lookAtLoadedModules() {
        let root = SystemRoot("/")
        let folder = "/sys/kernel/btf"
        guard root.exists(folder + "/vmlinux") else {
            report.unseen.append("loaded modules: there is no \(folder)/vmlinux")
            return
        }
        guard let text = root.text("/proc/modules") else {
            report.unseen.append("loaded modules: there is no /proc/modules")
            return
        }
        let shown = Set(root.list(folder))
        for line in text.split(separator: "\n") {
            guard let name = line.split(separator: " ").first.map(String.init),
                !shown.contains(name), healthy.contains(name)
            else { continue }
            report.add(
                BTFTrouble(
                    .unexplained, of: name, .withoutBTF, isSure: false,
                    evidence: [
                        "it is loaded, \(folder)/\(name) is missing, and its file is in order: the file is newer than what is loaded, or the kernel refused its BTF"
                    ], cure: Cure(["modprobe", "-r", name], remark: "and load it again")))
        }
        report.looked.append("loaded modules")
    }

    /// What a system that is not running left behind.
    private mutating func lookAtSavedLogs(_ root: SystemRoot) {
        var found = false
        for path in ["/var/log/dmesg", "/var/log/kern.log", "/var/log/messages"] {
            guard let text = root.text(path, atMost: 256 << 20) else { continue }
            found = true
            look(at: LogReading(text), named: path, root: root)
            report.looked.append(path)
        }
        if !found { report.unseen.append("the kernel's log: \(root.path)/var/log has none") }
    }

    // MARK: Cures

    mutating func tryCures() { report.tryCures(surroundings) }
}
