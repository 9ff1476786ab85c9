@testable import BPFObject
import Bytes
import Foundation
import Testing

@Suite struct SmokeTests {
    @Test func smoke() throws {
        guard let list = ProcessInfo.processInfo.environment["OBJS"] else { return }
        var out = ""
        for path in try String(contentsOfFile: list, encoding: .utf8).split(separator: "\n") {
            let data = try Data(contentsOf: URL(fileURLWithPath: String(path)))
            out += "== \(path)\n"
            do throws(BPFObjectError) {
                let o = try BPFObject(ByteView([UInt8](data)), path: String(path))
                for f in o.programs { out += "  P \(f.name) \(f.sectionName) \(f.kind?.type.rawValue ?? 0) \(f.kind?.attachType?.rawValue ?? 0) \(f.isAutoloaded ? 1 : 0)\n" }
                for m in o.maps { let d = m.definition; out += "  M \(m.name) \(d.type) \(d.keySize) \(d.valueSize) \(d.maxEntries) \(d.flags) \(d.numaNode) \(d.extra) \(m.isInternal ? 1 : 0) \(d.isPinned ? 1 : 0)\n" }
                for e in o.loaderObstacles() { out += "  OBST \(e) ## \(e.hint ?? "")\n" }
                switch o.hostFacts(nil) {
                case .success: break
                case .failure(let e): for e in e.errors { out += "  HOST \(e) ## \(e.hint ?? "")\n" }
                }
                out += "  LEN \(LoaderLength(of: o).count)\n"
            } catch { out += "REFUSED \(error) ## \(error.hint ?? "")\n" }
        }
        try out.write(toFile: "/tmp/t-object/ours.out", atomically: true, encoding: .utf8)
    }
}
