// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes

/// `text` as a JSON string, with its quotes.
package func jsonString(_ text: String) -> String {
    var out: [UInt8] = []
    out.put(json: text)
    return String(decoding: out, as: UTF8.self)
}
