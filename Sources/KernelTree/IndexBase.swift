// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import HostIO

/// Indexes a base, its strings in parallel with its types if there are threads for both.
func indexBase(_ btf: BTF, jobs: Int) -> BaseIndex {
    enum Half: Sendable {
        case strings(BaseIndex.Strings)
        case types(BaseIndex.Types)
    }
    guard jobs > 1 else { return BaseIndex(btf) }
    let halves = parallelMap(count: 2, jobs: 2) { half -> Half in
        half == 0 ? .strings(BaseIndex.Strings(btf)) : .types(BaseIndex.Types(btf))
    }
    guard case .strings(let strings) = halves[0], case .types(let types) = halves[1] else {
        return BaseIndex(btf)
    }
    return BaseIndex(btf, strings: strings, types: types)
}
