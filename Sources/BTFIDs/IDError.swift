// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import ELF

/// What is wrong with a `.BTF_ids` section or its symbols.
package enum IDFault: Equatable, Sendable, CustomStringConvertible {
    /// `__BTF_ID__func__x`: without the number, or without a name.
    case malformedName(String)
    /// `__BTF_ID__enum__x__1`
    case unknownKind(String)
    /// The symbol's words do not all lie inside the section.
    case outside(String, sectionSize: Int)
    /// A set's size does not match its count or is not a multiple of its entries' size.
    case setSize(String, size: UInt64, entry: Int)
    /// The symbol points at a word that is not an id: the count or the flags of a set.
    case notAnID(String, set: String)
    /// The word of one symbol begins inside that of another.
    case overlap(String, with: String)
    case severalSections(Int)
    /// Relocations would change the ids when the file is linked or loaded.
    case relocated(by: String)
    /// A filled-in id has no type in the BTF.
    case noSuchType(UInt32, last: Int)
    /// A filled-in id belongs to a type that no symbol requests.
    case otherType(UInt32, is: String)
    /// Ids were filled in and sorted, and it is unknown which flags belong to which id.
    case lostFlags(set: String, function: String)

    package var description: String {
        switch self {
        case .malformedName(let symbol):
            "symbol \(symbol): expected __BTF_ID__<kind>__<name>__<number>"
        case .unknownKind(let symbol):
            "symbol \(symbol): expected struct, union, typedef, func, set or set8 after __BTF_ID__"
        case .outside(let symbol, let size):
            "symbol \(symbol) lies outside the section (\(size) bytes)"
        case .setSize(let symbol, let size, let entry):
            "symbol \(symbol) has size \(size), expected a multiple of \(entry), not 0, inside the section"
        case .notAnID(let symbol, let set):
            "symbol \(symbol) is inside set \(set), but not at one of its ids"
        case .overlap(let symbol, let other): "symbol \(symbol) overlaps \(other)"
        case .severalSections(let count): "\(count) sections have this name, expected one"
        case .relocated(let section): "it has relocations (\(section)), expected none"
        case .noSuchType(let id, let last):
            "id \(id) was filled in, but the last type of its BTF is \(last)"
        case .otherType(let id, let what):
            "id \(id) was filled in, which is \(what) in its BTF, but no symbol requests that"
        case .lostFlags(let set, let function):
            "set \(set) was already filled in, and the BTF of its ids does not show which flags "
                + "belong to \(function)"
        }
    }
}

/// Why `.BTF_ids` could not be read or filled in. The description names file, section and offset.
package enum IDError: Error, Equatable, CustomStringConvertible {
    case elf(ELFError)
    /// `offset` counts from the section's start; nil for a fault of the whole section.
    case section(path: String, offset: UInt64?, fault: IDFault)

    package var description: String {
        switch self {
        case .elf(let error): error.description
        case .section(let path, let offset, let fault):
            "\(path): \(IDSection.name)\(offset.map { "+0x" + String($0, radix: 16) } ?? ""): \(fault)"
        }
    }
}
