// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFObject
import Bytes
import HostIO

/// The license that a BPF object names in its section `license`.
enum ObjectLicense {
    static func read(_ path: String) throws(Failure) -> String {
        let bytes: ByteView
        do throws(HostError) { bytes = try FileReader.map(path) } catch { throw Failure(error) }
        let object: BPFObject
        do throws(BPFObjectError) { object = try BPFObject(bytes, path: path) } catch {
            throw Failure(error)
        }
        guard let license = object.license else {
            throw Failure(
                "\(path): no license",
                hint: "char LICENSE[] SEC(\"license\") = \"GPL\"; in the source")
        }
        return license
    }
}
