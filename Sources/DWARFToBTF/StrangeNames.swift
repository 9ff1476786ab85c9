// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes
internal import Synchronization

/// Whether any name of the file's entries, but for base types, is one that kernels may refuse: it
/// has characters that C identifiers do not have, begins with a digit, or is too long. Few files
/// have one, and the others need not look at names again.
///
/// Every name is looked at before other threads can find its number. What is refused depends on the
/// name alone, so that the order in which threads find names does not matter.
final class StrangeNames: Sendable {
    private let found = Atomic<Bool>(false)
    private let longest: Int

    init(_ target: TargetRules?) { longest = min(target?.maxNameLength ?? 511, 511) }

    /// True as soon as some thread has the number of such a name.
    @inline(__always)
    var areThere: Bool { found.load(ordering: .relaxed) }

    func look(at name: ScannedName) {
        if areThere || name.count == 0 { return }
        if name.count > longest || !name.isPlain { found.store(true, ordering: .relaxed) }
    }

    func look(at name: ByteView) {
        if areThere || name.isEmpty { return }
        if name.count > longest || !name.isPlainWord {
            found.store(true, ordering: .relaxed)
        }
    }
}

/// What one thread has found about names.
struct NameVerdicts: ~Copyable {
    enum Verdict: UInt8 { case unknown, accepted, refused }

    /// By number: names take two bytes at least.
    private var known = Arena<UInt8>()

    subscript(_ name: UInt32) -> Verdict {
        get {
            let index = Int(name >> 1)
            return index < known.count ? Verdict(rawValue: known[index]) ?? .unknown : .unknown
        }
        set {
            while known.count <= Int(name >> 1) { known.append(0) }
            known[Int(name >> 1)] = newValue.rawValue
        }
    }
}

extension UnitEncoder {
    /// Whether kernels accept this as the name of a type, member, value or parameter.
    @inline(__always)
    mutating func isAccepted(_ name: UInt32) -> Bool {
        !mayBeStrange || name == 0 || isAcceptedNow(name)
    }

    @inline(never)
    private mutating func isAcceptedNow(_ name: UInt32) -> Bool {
        switch verdicts[name] {
        case .accepted: return true
        case .refused: return false
        case .unknown: break
        }
        let bytes = context.names.bytes(of: name)[...]
        // Dots are for functions and variables, unless the target takes them everywhere.
        let isAccepted =
            isIdentifier(bytes, for: context.target)
            && (context.target != nil || !bytes.contains(UInt8(ascii: ".")))
        verdicts[name] = isAccepted ? .accepted : .refused
        return isAccepted
    }

    /// The name of an entry; 0, with a note, if it has one that kernels do not accept there.
    @inline(__always)
    mutating func acceptedName(_ name: UInt32) -> UInt32 {
        if isAccepted(name) { return name }
        note(name, .invalidName)
        return 0
    }

    /// Whether a name may be one that kernels do not accept.
    @inline(__always)
    var mayBeStrange: Bool { context.strangeNames.areThere }

    /// Removes names that kernels do not accept from the members or parameters of the record just
    /// written.
    ///
    /// - Parameters:
    ///   - first: the position of the first name.
    ///   - stride: words from one name to the next.
    @inline(__always)
    mutating func dropStrangeNames(from first: Int, stride: Int) {
        if mayBeStrange { dropStrangeNamesNow(from: first, stride: stride) }
    }

    @inline(never)
    private mutating func dropStrangeNamesNow(from first: Int, stride: Int) {
        for position in Swift.stride(from: first, to: types.position, by: stride) {
            let name = types[position]
            if name != 0 { types[position] = acceptedName(name) }
        }
    }

    /// Removes values with names that kernels do not accept from `scratch`, where each has three
    /// words.
    mutating func dropStrangeValues(_ values: Range<Int>) {
        var kept = values.lowerBound
        for at in Swift.stride(from: values.lowerBound, to: values.upperBound, by: 3) {
            let name = scratch[at]
            if name != 0, acceptedName(name) == 0 { continue }
            for word in 0..<3 { scratch[kept + word] = scratch[at + word] }
            kept += 3
        }
        scratch.truncate(to: kept)
    }
}
