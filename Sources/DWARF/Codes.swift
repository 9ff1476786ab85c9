// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

// The codes of DWARF 4 and 5 that are known here (DWARF 5 section 7.5), and vendor codes found in
// kernels. Code sets are open: an unknown tag or attribute is data, an unknown form is not.

/// DW_TAG codes (DWARF 5 section 7.5.3).
@usableFromInline @frozen
package struct Tag: Hashable, BitwiseCopyable, Sendable {
    @usableFromInline package let rawValue: UInt16
    @inlinable package init(rawValue: UInt16) { self.rawValue = rawValue }

    @inlinable package static var arrayType: Tag { Tag(rawValue: 0x01) }
    @inlinable package static var classType: Tag { Tag(rawValue: 0x02) }
    @inlinable package static var enumerationType: Tag { Tag(rawValue: 0x04) }
    @inlinable package static var formalParameter: Tag { Tag(rawValue: 0x05) }
    @inlinable package static var label: Tag { Tag(rawValue: 0x0a) }
    @inlinable package static var lexicalBlock: Tag { Tag(rawValue: 0x0b) }
    @inlinable package static var member: Tag { Tag(rawValue: 0x0d) }
    @inlinable package static var pointerType: Tag { Tag(rawValue: 0x0f) }
    @inlinable package static var referenceType: Tag { Tag(rawValue: 0x10) }
    @inlinable package static var compileUnit: Tag { Tag(rawValue: 0x11) }
    @inlinable package static var stringType: Tag { Tag(rawValue: 0x12) }
    @inlinable package static var structureType: Tag { Tag(rawValue: 0x13) }
    @inlinable package static var subroutineType: Tag { Tag(rawValue: 0x15) }
    @inlinable package static var typedef: Tag { Tag(rawValue: 0x16) }
    @inlinable package static var unionType: Tag { Tag(rawValue: 0x17) }
    @inlinable package static var unspecifiedParameters: Tag { Tag(rawValue: 0x18) }
    @inlinable package static var variant: Tag { Tag(rawValue: 0x19) }
    @inlinable package static var inheritance: Tag { Tag(rawValue: 0x1c) }
    @inlinable package static var inlinedSubroutine: Tag { Tag(rawValue: 0x1d) }
    @inlinable package static var ptrToMemberType: Tag { Tag(rawValue: 0x1f) }
    @inlinable package static var subrangeType: Tag { Tag(rawValue: 0x21) }
    @inlinable package static var baseType: Tag { Tag(rawValue: 0x24) }
    @inlinable package static var constType: Tag { Tag(rawValue: 0x26) }
    @inlinable package static var enumerator: Tag { Tag(rawValue: 0x28) }
    @inlinable package static var subprogram: Tag { Tag(rawValue: 0x2e) }
    @inlinable package static var variantPart: Tag { Tag(rawValue: 0x33) }
    @inlinable package static var templateTypeParameter: Tag { Tag(rawValue: 0x2f) }
    @inlinable package static var templateValueParameter: Tag { Tag(rawValue: 0x30) }
    @inlinable package static var variable: Tag { Tag(rawValue: 0x34) }
    @inlinable package static var volatileType: Tag { Tag(rawValue: 0x35) }
    @inlinable package static var restrictType: Tag { Tag(rawValue: 0x37) }
    @inlinable package static var interfaceType: Tag { Tag(rawValue: 0x38) }
    @inlinable package static var namespace: Tag { Tag(rawValue: 0x39) }
    @inlinable package static var importedModule: Tag { Tag(rawValue: 0x3a) }
    @inlinable package static var unspecifiedType: Tag { Tag(rawValue: 0x3b) }
    @inlinable package static var partialUnit: Tag { Tag(rawValue: 0x3c) }
    @inlinable package static var importedUnit: Tag { Tag(rawValue: 0x3d) }
    @inlinable package static var typeUnit: Tag { Tag(rawValue: 0x41) }
    @inlinable package static var rvalueReferenceType: Tag { Tag(rawValue: 0x42) }
    @inlinable package static var coarrayType: Tag { Tag(rawValue: 0x44) }
    @inlinable package static var dynamicType: Tag { Tag(rawValue: 0x46) }
    @inlinable package static var atomicType: Tag { Tag(rawValue: 0x47) }
    @inlinable package static var callSite: Tag { Tag(rawValue: 0x48) }
    @inlinable package static var callSiteParameter: Tag { Tag(rawValue: 0x49) }
    @inlinable package static var skeletonUnit: Tag { Tag(rawValue: 0x4a) }
    @inlinable package static var immutableType: Tag { Tag(rawValue: 0x4b) }
    @inlinable package static var gnuCallSite: Tag { Tag(rawValue: 0x4109) }
    @inlinable package static var gnuAnnotation: Tag { Tag(rawValue: 0x6001) }
    @inlinable package static var llvmAnnotation: Tag { Tag(rawValue: 0x6000) }
    @inlinable package static var llvmPtrauthType: Tag { Tag(rawValue: 0x4300) }
}

/// DW_AT codes (DWARF 5 section 7.5.4).
@usableFromInline @frozen
package struct Attribute: Hashable, BitwiseCopyable, Sendable {
    @usableFromInline package let rawValue: UInt16
    @inlinable package init(rawValue: UInt16) { self.rawValue = rawValue }

    @inlinable package static var sibling: Attribute { Attribute(rawValue: 0x01) }
    @inlinable package static var ranges: Attribute { Attribute(rawValue: 0x55) }
    @inlinable package static var location: Attribute { Attribute(rawValue: 0x02) }
    @inlinable package static var name: Attribute { Attribute(rawValue: 0x03) }
    @inlinable package static var byteSize: Attribute { Attribute(rawValue: 0x0b) }
    @inlinable package static var bitOffset: Attribute { Attribute(rawValue: 0x0c) }
    @inlinable package static var bitSize: Attribute { Attribute(rawValue: 0x0d) }
    @inlinable package static var lowPc: Attribute { Attribute(rawValue: 0x11) }
    @inlinable package static var entryPc: Attribute { Attribute(rawValue: 0x52) }
    @inlinable package static var rnglistsBase: Attribute { Attribute(rawValue: 0x74) }
    @inlinable package static var language: Attribute { Attribute(rawValue: 0x13) }
    @inlinable package static var constValue: Attribute { Attribute(rawValue: 0x1c) }
    @inlinable package static var `inline`: Attribute { Attribute(rawValue: 0x20) }
    @inlinable package static var frameBase: Attribute { Attribute(rawValue: 0x40) }
    @inlinable package static var producer: Attribute { Attribute(rawValue: 0x25) }
    @inlinable package static var abstractOrigin: Attribute { Attribute(rawValue: 0x31) }
    @inlinable package static var count: Attribute { Attribute(rawValue: 0x37) }
    @inlinable package static var dataMemberLocation: Attribute { Attribute(rawValue: 0x38) }
    @inlinable package static var declaration: Attribute { Attribute(rawValue: 0x3c) }
    @inlinable package static var encoding: Attribute { Attribute(rawValue: 0x3e) }
    @inlinable package static var external: Attribute { Attribute(rawValue: 0x3f) }
    @inlinable package static var specification: Attribute { Attribute(rawValue: 0x47) }
    @inlinable package static var type: Attribute { Attribute(rawValue: 0x49) }
    @inlinable package static var dataBitOffset: Attribute { Attribute(rawValue: 0x6b) }
    @inlinable package static var upperBound: Attribute { Attribute(rawValue: 0x2f) }
    @inlinable package static var lowerBound: Attribute { Attribute(rawValue: 0x22) }
    @inlinable package static var signature: Attribute { Attribute(rawValue: 0x69) }
    @inlinable package static var linkageName: Attribute { Attribute(rawValue: 0x6e) }
    @inlinable package static var strOffsetsBase: Attribute { Attribute(rawValue: 0x72) }
    @inlinable package static var addrBase: Attribute { Attribute(rawValue: 0x73) }
    @inlinable package static var loclistsBase: Attribute { Attribute(rawValue: 0x8c) }
    @inlinable package static var prototyped: Attribute { Attribute(rawValue: 0x27) }
    @inlinable package static var callingConvention: Attribute { Attribute(rawValue: 0x36) }
    @inlinable package static var `import`: Attribute { Attribute(rawValue: 0x18) }
    @inlinable package static var alignment: Attribute { Attribute(rawValue: 0x88) }
    @inlinable package static var bitStride: Attribute { Attribute(rawValue: 0x2e) }
    @inlinable package static var byteStride: Attribute { Attribute(rawValue: 0x51) }
    @inlinable package static var artificial: Attribute { Attribute(rawValue: 0x34) }
    @inlinable package static var gnuAnnotation: Attribute { Attribute(rawValue: 0x2139) }
    @inlinable package static var compDir: Attribute { Attribute(rawValue: 0x1b) }
    @inlinable package static var dwoName: Attribute { Attribute(rawValue: 0x76) }
    // GNU's form of split DWARF 4.
    @inlinable package static var gnuDwoName: Attribute { Attribute(rawValue: 0x2130) }
    @inlinable package static var gnuDwoID: Attribute { Attribute(rawValue: 0x2131) }
    @inlinable package static var gnuAddrBase: Attribute { Attribute(rawValue: 0x2133) }
}

extension Tag {
    /// Entries with this tag are types that C has.
    var isType: Bool {
        switch self {
        case .structureType, .unionType, .classType, .enumerationType, .baseType, .typedef,
            .arrayType, .subroutineType, .pointerType:
            true
        default: false
        }
    }
}

/// DW_FORM codes (DWARF 5 section 7.5.6).
@usableFromInline @frozen
package struct Form: Hashable, BitwiseCopyable, Sendable {
    @usableFromInline package let rawValue: UInt16
    @inlinable package init(rawValue: UInt16) { self.rawValue = rawValue }

    @inlinable package static var addr: Form { Form(rawValue: 0x01) }
    @inlinable package static var block2: Form { Form(rawValue: 0x03) }
    @inlinable package static var block4: Form { Form(rawValue: 0x04) }
    @inlinable package static var data2: Form { Form(rawValue: 0x05) }
    @inlinable package static var data4: Form { Form(rawValue: 0x06) }
    @inlinable package static var data8: Form { Form(rawValue: 0x07) }
    @inlinable package static var string: Form { Form(rawValue: 0x08) }
    @inlinable package static var block: Form { Form(rawValue: 0x09) }
    @inlinable package static var block1: Form { Form(rawValue: 0x0a) }
    @inlinable package static var data1: Form { Form(rawValue: 0x0b) }
    @inlinable package static var flag: Form { Form(rawValue: 0x0c) }
    @inlinable package static var sdata: Form { Form(rawValue: 0x0d) }
    @inlinable package static var strp: Form { Form(rawValue: 0x0e) }
    @inlinable package static var udata: Form { Form(rawValue: 0x0f) }
    @inlinable package static var refAddr: Form { Form(rawValue: 0x10) }
    @inlinable package static var ref1: Form { Form(rawValue: 0x11) }
    @inlinable package static var ref2: Form { Form(rawValue: 0x12) }
    @inlinable package static var ref4: Form { Form(rawValue: 0x13) }
    @inlinable package static var ref8: Form { Form(rawValue: 0x14) }
    @inlinable package static var refUdata: Form { Form(rawValue: 0x15) }
    @inlinable package static var indirect: Form { Form(rawValue: 0x16) }
    @inlinable package static var secOffset: Form { Form(rawValue: 0x17) }
    @inlinable package static var exprloc: Form { Form(rawValue: 0x18) }
    @inlinable package static var flagPresent: Form { Form(rawValue: 0x19) }
    @inlinable package static var strx: Form { Form(rawValue: 0x1a) }
    @inlinable package static var addrx: Form { Form(rawValue: 0x1b) }
    @inlinable package static var refSup4: Form { Form(rawValue: 0x1c) }
    @inlinable package static var strpSup: Form { Form(rawValue: 0x1d) }
    @inlinable package static var data16: Form { Form(rawValue: 0x1e) }
    @inlinable package static var lineStrp: Form { Form(rawValue: 0x1f) }
    @inlinable package static var refSig8: Form { Form(rawValue: 0x20) }
    @inlinable package static var implicitConst: Form { Form(rawValue: 0x21) }
    @inlinable package static var loclistx: Form { Form(rawValue: 0x22) }
    @inlinable package static var rnglistx: Form { Form(rawValue: 0x23) }
    @inlinable package static var refSup8: Form { Form(rawValue: 0x24) }
    @inlinable package static var strx1: Form { Form(rawValue: 0x25) }
    @inlinable package static var strx2: Form { Form(rawValue: 0x26) }
    @inlinable package static var strx3: Form { Form(rawValue: 0x27) }
    @inlinable package static var strx4: Form { Form(rawValue: 0x28) }
    @inlinable package static var addrx1: Form { Form(rawValue: 0x29) }
    @inlinable package static var addrx2: Form { Form(rawValue: 0x2a) }
    @inlinable package static var addrx3: Form { Form(rawValue: 0x2b) }
    @inlinable package static var addrx4: Form { Form(rawValue: 0x2c) }
    @inlinable package static var gnuAddrIndex: Form { Form(rawValue: 0x1f01) }
    @inlinable package static var gnuStrIndex: Form { Form(rawValue: 0x1f02) }
    @inlinable package static var gnuRefAlt: Form { Form(rawValue: 0x1f20) }
    @inlinable package static var gnuStrpAlt: Form { Form(rawValue: 0x1f21) }
}
