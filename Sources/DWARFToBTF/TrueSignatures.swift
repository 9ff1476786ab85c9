// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes
internal import DWARF

// Functions whose signature clang changed (DW_CC_nocall), as their code has it: the feature
// `true_signature`. Only what the debug information proves is written.
extension UnitEncoder {
    /// The function without the parameters that the compiler removed, and without a result, since
    /// nothing shows whether it removed that as well.
    ///
    /// A parameter counts as removed if it is a constant, or an integer without a location: of
    /// pointers and structs without a location, parts may be passed that no entry describes. All
    /// others must be where the calling convention puts them once those are removed.
    ///
    /// - Returns: nil if that is not certain.
    mutating func trueView(
        of index: Int, _ name: UInt32, tags: [DeclarationTag]
    ) throws(DWARFError) -> FunctionView? {
        let function = declared.functions[index]
        guard !function.isVariadic else { return nil }
        let word = pointerSize(function)
        var arguments = ArgumentTrack(context.convention, reading: context.reading)
        let returns = try typeID(definition(of: index).returns)
        // The address of a result in memory may be the first argument, or may have been.
        guard returns == 0 || argumentShape(returns, word: word).kind == .integer,
            !arguments.isOver
        else { return nil }
        let start = findings.parameters.count
        var kept: [Int] = []
        let first = Int(function.firstParameter)
        for value in first..<first + Int(function.parameterCount) {
            let parameter = try parameter(value)
            let shape = argumentShape(parameter.type, word: word)
            if isMissing(value), shape.kind == .integer,
                declared.values[value].isConstant || !shape.isPointer
            {
                continue
            }
            guard parameter.name != 0, isAccepted(parameter.name), shape.kind == .integer,
                shape.size <= word, let expected = arguments.take(shape),
                try register(of: value, expected: expected) == expected
            else {
                findings.parameters.truncate(to: start)
                return nil
            }
            kept.append(value - first)
            findings.parameters.append(Parameter(name: parameter.name, type: parameter.type))
        }
        return FunctionView(
            name: name, unit: function.context, returns: 0,
            parameters: UInt32(start)..<UInt32(findings.parameters.count), isVariadic: false,
            rank: rank(of: function, name), hasUnexpectedRegister: false,
            isMisread: arguments.isMisread, isReordered: false, hasOptimizedParameter: false,
            isChanged: false,
            tags: tags.compactMap { tag in
                if tag.component < 0 { return tag }
                return kept.firstIndex(of: tag.component).map {
                    DeclarationTag(target: tag.target, value: tag.value, component: $0)
                }
            })
    }
}
