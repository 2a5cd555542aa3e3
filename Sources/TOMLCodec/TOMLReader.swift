import CTOML

/// Reads TOML 1.0 by toml++.
package enum TOMLReader {
    /// The members of the document's root, in the order of their places.
    ///
    /// - Throws: `TOMLSyntaxError` for the first place where the text is no TOML.
    package static func read(_ text: [UInt8]) throws(TOMLSyntaxError) -> [TOMLMember] {
        let document = try Document(text)
        return document.members(in: 0..<document.count)
    }
}

/// A document of toml++, which lives as long as this value.
///
/// C API: CTOML.h.
@safe
private struct Document: ~Copyable {
    private let handle: OpaquePointer

    init(_ text: [UInt8]) throws(TOMLSyntaxError) {
        let handle = unsafe text.withUnsafeBufferPointer { unsafe holdfast_toml_read($0.baseAddress, $0.count) }
        guard let handle = unsafe handle else {
            throw TOMLSyntaxError(position: TOMLPosition(line: 1, column: 1), reason: "there is no memory to read it")
        }
        guard unsafe holdfast_toml_is_fault(handle) else {
            unsafe self.handle = handle
            return
        }
        var place = holdfast_toml_place()
        let words = unsafe Self.string(holdfast_toml_fault(handle, &place))
        unsafe holdfast_toml_free(handle)
        throw TOMLSyntaxError(position: TOMLPosition(place), reason: words)
    }

    deinit { unsafe holdfast_toml_free(handle) }

    /// How many nodes there are.
    var count: Int { unsafe holdfast_toml_count(handle) }

    /// The nodes of the range that stand side by side, as members of one table.
    func members(in range: Range<Int>) -> [TOMLMember] {
        // toml++ sorts by name.
        nodes(in: range).sorted { $0.position < $1.position }
    }

    /// The nodes of the range that stand side by side. Those of an array have no key.
    private func nodes(in range: Range<Int>) -> [TOMLMember] {
        var members: [TOMLMember] = []
        var index = range.lowerBound
        while index < range.upperBound {
            let node = unsafe holdfast_toml_at(handle, index)
            let inside = unsafe index + 1..<index + 1 + node.count
            let value = unsafe TOMLValue(
                content: content(of: node, inside), begin: TOMLPosition(node.begin), end: TOMLPosition(node.end))
            unsafe members.append(
                TOMLMember(key: Self.string(node.key), position: TOMLPosition(node.key_place), value: value))
            index = inside.upperBound
        }
        return members
    }

    private func content(of node: holdfast_toml_node, _ inside: Range<Int>) -> TOMLContent {
        switch unsafe node.kind {
        case .table: .table(members(in: inside))
        case .array: .array(nodes(in: inside).map(\.value))
        case .string: unsafe .string(Self.string(node.text))
        case .integer: unsafe .integer(Int(node.number))
        case .boolean: unsafe .boolean(node.number != 0)
        case .float: .float
        case .date: .date
        case .time: .time
        case .date_time: .dateTime
        }
    }

    /// toml++ accepts nothing but UTF-8, so nothing is replaced.
    private static func string(_ text: holdfast_toml_text) -> String {
        unsafe String(decoding: UnsafeBufferPointer(start: text.bytes, count: text.count), as: UTF8.self)
    }
}

extension TOMLPosition {
    fileprivate init(_ place: holdfast_toml_place) {
        self.init(line: Int(place.line), column: Int(place.column))
    }
}
