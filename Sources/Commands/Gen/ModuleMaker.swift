// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import CEmit
import Console
import HostIO
import Skeleton

/// Generates a module's files from an object, or from a header with preload methods.
struct ModuleMaker {
    /// The object, or the header.
    let path: String
    /// The name from the command line; nil: the file's.
    let name: String?
    let mode: ModuleManifest.Mode
    /// The license from the command line; nil: the object's.
    let license: String?
    let published: [(program: String, file: String?)]
    let unattached: [String]
    let parameters: [ModuleParameter.Wish]
    /// What is specified about the target kernel.
    let kernel: TargetKernel
    /// For the manifest: the module's options, except names of files.
    let options: [String]
    let talk: Talk

    struct Module {
        let name: String
        /// Paths in the directory, and contents.
        let files: [(path: String, contents: ByteView)]
    }

    func make() throws(Failure) -> Module {
        let bytes: ByteView
        do throws(HostError) { bytes = try FileReader.map(path) } catch { throw Failure(error) }
        if bytes.hasBytes("\u{7f}ELF") { return try module(ofObject: bytes) }
        return try module(ofHeader: bytes)
    }

    // MARK: An object

    private func module(ofObject bytes: ByteView) throws(Failure) -> Module {
        let input = try LoaderInput(bytes, path: path, kernel: kernel, talk: talk)
        let skeleton = try SkeletonSource(
            input: input, name: try objectName(), definesTypes: true, ending: "_skel"
        ).read()
        let license = if let license { license } else { try input.license() }
        var options = options
        var extra: [(path: String, contents: ByteView)] = [("\(skeleton.name).bpf.o", bytes)]
        if let configuration = input.configuration {
            // Under its name in the directory, because its origin does not matter.
            extra.append(("\(skeleton.name).kconfig", configuration))
            options += ["--kconfig", "\(skeleton.name).kconfig"]
        }
        // The copy beside the manifest would give another one.
        if mode == .preload { options += ["--name", skeleton.name] }
        if let version = kernel.version { options += ["--kernel-version", String(version)] }
        do throws(ModuleError) {
            let plan = try ModulePlan(
                skeleton, mode: mode, license: license, unattached: unattached,
                published: published, parameters: parameters)
            let folder = ModuleFolder(
                plan,
                manifest: plan.manifest(object: "\(skeleton.name).bpf.o", options: options))
            return Module(name: skeleton.name, files: folder.contents + extra)
        } catch { throw failure(error) }
    }

    /// The file's name without its suffix for BPF objects, unless another name is given. An object
    /// to be preloaded has the name that `gen skeleton` gives it.
    private func objectName() throws(Failure) -> String {
        if let name { return name }
        let suffixes = mode == .preload ? [".o"] : [".o", ".bpf"]
        guard let name = CIdentifier.named(after: path, without: suffixes) else {
            throw Failure(
                "\(path): the file's name does not give a valid C identifier",
                hint: "kbtf gen module --name NAME -o DIR \(path)")
        }
        return name
    }

    // MARK: A header

    private func module(ofHeader bytes: ByteView) throws(Failure) -> Module {
        let limit = 64 << 20
        guard bytes.count <= limit else {
            throw Failure("\(path): \(bytes.count) bytes is too large for a header")
        }
        do throws(ModuleError) {
            let header = try PreloadHeader(parsing: String(decoding: bytes.array, as: UTF8.self))
            try checkOptionsForHeader()
            let folder = try ModuleFolder(header, license: license ?? header.license)
            return Module(name: header.manifest.name, files: folder.contents)
        } catch { throw failure(error) }
    }

    private func checkOptionsForHeader() throws(ModuleError) {
        let hint = "kbtf gen module of the object"
        guard mode == .preload else {
            throw ModuleError(
                "a header with preload methods is for --mode preload only", hint: hint)
        }
        guard name == nil, published.isEmpty, unattached.isEmpty, parameters.isEmpty, kernel.isEmpty
        else {
            throw ModuleError(
                "--name, --publish, --no-attach, --param and the kernel options are for objects; a header is used unchanged",
                hint: hint)
        }
    }

    private func failure(_ error: ModuleError) -> Failure {
        Failure("\(path): \(error)", hint: error.hint)
    }
}

extension ModuleFolder {
    /// Its files as bytes.
    fileprivate var contents: [(path: String, contents: ByteView)] {
        files.map { ($0.path, ByteView(Array($0.text.utf8))) }
    }
}
