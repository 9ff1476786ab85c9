// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Console

/// All options of pahole 1.32: names may be abbreviated, and which abbreviations are unique depends
/// on all of them.
enum PaholeOption: Sendable {
    case help, usage, version, numericVersion, supportedFeatures
    case encode, detached, base, jobs, quiet, verbose, formats
    case languages, excludedLanguages
    case features, strictFeatures
    case floats, optimized, force, attributes, everything
    case noVariables, noDeclTags, noTypeTags, noEnum64, noInconsistent
    /// Belongs to encoding, but is always on or has no meaning here.
    case settled
    /// Not related to encoding.
    case foreign(String)

    typealias Table = [OptionScanner<PaholeOption>.Option]

    static let table: Table = encoding + printing

    private static let encoding: Table = [
        .init(key: .help, long: "help", short: "?"),
        .init(key: .usage, long: "usage"),
        .init(key: .version, long: "version"),
        .init(key: .version, long: "devel_version"),
        .init(key: .numericVersion, long: "numeric_version"),
        .init(key: .supportedFeatures, long: "supported_btf_features"),
        .init(key: .encode, long: "btf_encode", short: "J"),
        .init(key: .detached, long: "btf_encode_detached", argument: .required),
        .init(key: .base, long: "btf_base", argument: .required),
        .init(key: .jobs, long: "jobs", short: "j", argument: .optional),
        .init(key: .quiet, long: "quiet", short: "q"),
        .init(key: .verbose, long: "verbose", short: "V"),
        .init(key: .formats, long: "format_path", short: "F", argument: .required),
        .init(key: .languages, long: "lang", argument: .required),
        .init(key: .excludedLanguages, long: "lang_exclude", argument: .required),
        .init(key: .features, long: "btf_features", argument: .required),
        .init(key: .features, long: "features", argument: .required),
        .init(key: .strictFeatures, long: "btf_features_strict", argument: .required),
        .init(key: .floats, long: "btf_gen_floats"),
        .init(key: .optimized, long: "btf_gen_optimized"),
        .init(key: .everything, long: "btf_gen_all"),
        .init(key: .force, long: "btf_encode_force"),
        .init(key: .attributes, long: "btf_attributes"),
        .init(key: .noVariables, long: "skip_encoding_btf_vars"),
        .init(key: .noDeclTags, long: "skip_encoding_btf_decl_tag"),
        .init(key: .noTypeTags, long: "skip_encoding_btf_type_tag"),
        .init(key: .noEnum64, long: "skip_encoding_btf_enum64"),
        .init(key: .noInconsistent, long: "skip_encoding_btf_inconsistent_proto"),
        .init(key: .settled, long: "reproducible_build"),
        .init(key: .settled, long: "hashbits", argument: .required),
    ]

    private static let printing: Table =
        [
            ("anon_include", "a"), ("nested_anon_include", "A"), ("classes_as_structs", nil),
            ("compile", nil), ("recursive", "d"), ("expand_types", "E"), ("first_obj_only", nil),
            ("fixup_silly_bitfields", nil), ("flat_arrays", nil), ("hex", nil),
            ("show_decl_info", "I"), ("show_first_biggest_size_base_type_member", "l"),
            ("nr_methods", "m"), ("show_only_data_members", "M"), ("nr_members", "n"),
            ("class_name_len", "N"), ("packed", nil), ("ptr_table_stats", nil),
            ("expand_pointers", "p"), ("packable", "P"), ("running_kernel_vmlinux", nil),
            ("rel_offset", "r"), ("reorganize", "R"), ("show_private_classes", nil),
            ("skip_emitting_atomic_typedefs", nil), ("skip_missing", nil), ("sort", nil),
            ("structs", nil), ("suppress_aligned_attribute", nil),
            ("suppress_force_paddings", nil), ("suppress_packed", nil), ("sizes", "s"),
            ("show_reorg_steps", "S"), ("nr_definitions", "T"), ("unions", nil),
            ("defined_in", "u"), ("with_embedded_flexible_array", nil),
            ("with_flexible_array", nil), ("ctf_encode", "Z"),
        ].map { .init(key: .foreign($0), long: $0, short: $1) }
        + [
            ("bit_holes", "B"), ("contains_enumerator", nil), ("count", nil),
            ("cacheline_size", "c"), ("class_name", "C"), ("decl_exclude", "D"),
            ("find_pointers_to", "f"), ("header_type", nil), ("holes", "H"), ("contains", "i"),
            ("kabi_prefix", nil), ("padding_ge", nil), ("prettify", nil), ("range", nil),
            ("seek_bytes", nil), ("size_bytes", nil), ("skip", nil), ("separator", "t"),
            ("word_size", "w"), ("exclude", "x"), ("cu_exclude", "X"), ("prefix_filter", "y"),
            ("hole_size_ge", "z"),
        ].map { .init(key: .foreign($0), long: $0, short: $1, argument: .required) }
}
