// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFLoad
import BPFObject
import Bytes
import Console
import HostIO

/// An object for which libbpf can generate a loader, and the facts to use instead of this
/// machine's.
struct LoaderInput {
    /// The object file: for messages, and for the default name.
    let path: String
    let bytes: ByteView
    let object: BPFObject
    let facts: HostFacts
    /// The file of `--kconfig`.
    let configuration: ByteView?

    /// Reads and checks the object at `path`.
    init(_ path: String, kernel: TargetKernel, talk: Talk) throws(Failure) {
        let bytes: ByteView
        do throws(HostError) { bytes = try FileReader.map(path) } catch { throw Failure(error) }
        try self.init(bytes, path: path, kernel: kernel, talk: talk)
    }

    /// Checks an object that was already read. If there are several problems, each is reported, and
    /// the last one thrown.
    init(_ bytes: ByteView, path: String, kernel: TargetKernel, talk: Talk) throws(Failure) {
        self.path = path
        self.bytes = bytes
        do throws(BPFObjectError) { object = try BPFObject(bytes, path: path) } catch {
            throw Failure(error)
        }
        var obstacles = object.loaderObstacles(
            kernel: try kernel.types(), of: LibBPF.version)
        var facts = HostFacts()
        configuration = try kernel.configuration()
        switch object.hostFacts(try kernel.facts(configuration)) {
        case .success(let settled): facts = settled
        case .failure(let missing): obstacles += missing.errors
        }
        self.facts = facts
        for obstacle in obstacles.dropLast() { talk.say(Failure(obstacle)) }
        if let last = obstacles.last { throw Failure(last) }
    }

    /// The license in the section `license`.
    func license() throws(Failure) -> String {
        guard let license = object.license else {
            throw Failure(
                "\(path): no license",
                hint: "char LICENSE[] SEC(\"license\") = \"GPL\"; in the source")
        }
        return license
    }
}
