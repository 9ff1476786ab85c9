// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import Bytes
import Console
import HostIO
import Skeleton

/// `kbtf gen selftest`.
struct GenSelftest: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "selftest",
        abstract: "Write the test of a module that 'kbtf gen module' made.",
        discussion: """
            DIR is the module's folder; the test goes to DIR/selftest. It is a static program that prints KTAP: it \
            loads the module, finds its programs, maps and links among the kernel's, by name, type and target, makes \
            programs run and sees that they did, reads iterators and ring buffers, unloads the module and sees that \
            nothing is left, or that all stays where that was wanted. What the kernel has no programs or maps for is \
            skipped.

            What makes a program run is known for most hooks of the security layer and some functions. For others, \
            write DIR/selftest/own.c with a function trigger(); preload_test.h tells what it may use. kbtf \
            never writes that file.

            'make -C DIR/selftest text' generates module and test again and compares.

            Examples:
              kbtf gen module policy.bpf.o -o policy && make -C policy
              kbtf gen selftest policy
              make -C policy/selftest run KERNEL=6.1.0-56-cloud-amd64
              make -C policy/selftest run LOG_LEVEL=1
            """)

    @Argument(help: ArgumentHelp("The module's folder.", valueName: "DIR"), completion: .directory)
    var folder: String

    @OptionGroup var talkOptions: TalkOptions

    func run() throws {
        let harness = SelftestHarness(try manifest())
        let place = folder + "/selftest"
        do throws(HostError) {
            try Directory.make(place)
            for file in harness.files {
                try AtomicFile.replace("\(place)/\(file.name)", with: [ByteView(file.bytes)])
            }
        } catch { throw Failure(error) }
        talkOptions.talk.note("\(place): \(harness.files.count) files")
    }

    private func manifest() throws(Failure) -> ModuleManifest {
        let names: [String]
        do throws(HostError) { names = try Directory.list(folder) } catch { throw Failure(error) }
        let manifests = names.filter { $0.hasSuffix(".manifest") }
        guard let name = manifests.first else {
            throw Failure(
                "\(folder): no .manifest in it, so not a folder that kbtf made",
                hint: "kbtf gen module FILE -o \(folder)")
        }
        guard manifests.count == 1 else {
            throw Failure("\(folder): \(manifests.count) manifests in it, where one module has one")
        }
        let path = "\(folder)/\(name)"
        let bytes: ByteView
        do throws(HostError) { bytes = try FileReader.map(path) } catch { throw Failure(error) }
        guard let text = String(validating: bytes.array, as: UTF8.self) else {
            throw Failure("\(path): not text")
        }
        do throws(ManifestError) { return try ModuleManifest(parsing: text) } catch {
            throw Failure("\(path): \(error)")
        }
    }
}
