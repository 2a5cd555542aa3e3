/// Finds the ends of top-level elements in a stream by counting tags.
///
/// It trusts its input to be well-formed. Only a measuring tool behind a checking connection manager may do that.
struct StanzaFramer {
    /// One piece of the stream.
    enum Piece: Equatable {
        /// `<stream:stream ...>`.
        case streamHeader
        /// A complete first-level element: its place in `bytes`, valid until the next call that changes the framer.
        case element(Range<Int>)
        /// `</stream:stream>`.
        case streamEnd
    }

    /// Bytes that have come and are not discarded yet.
    private(set) var bytes: [UInt8] = []
    private var position = 0
    private var start = 0
    private var depth = 0

    /// Adds received bytes.
    mutating func append(_ new: Span<UInt8>) {
        bytes.reserveCapacity(bytes.count + new.count)
        for index in new.indices { bytes.append(new[index]) }
    }

    /// The next complete piece; white space, declarations and text between elements are skipped.
    mutating func next() -> Piece? {
        while position < bytes.count {
            guard bytes[position] == UInt8(ascii: "<") else {
                position += 1
                continue
            }
            guard let end = tagEnd() else { return nil }
            let second = bytes[position + 1]
            let tag = position
            position = end + 1
            if second == UInt8(ascii: "?") || second == UInt8(ascii: "!") { continue }
            if second == UInt8(ascii: "/") {
                depth -= 1
                if depth == 0 { return .streamEnd }
                if depth == 1 { return .element(start..<position) }
            } else if bytes[end - 1] == UInt8(ascii: "/") {
                if depth == 1 { return .element(tag..<position) }
            } else {
                depth += 1
                if depth == 1 { return .streamHeader }
                if depth == 2 { start = tag }
            }
        }
        return nil
    }

    /// Begins a new stream on the same connection: the next start tag is its header.
    mutating func restart() {
        depth = 0
    }

    /// Forgets the returned pieces; an idle stream then holds no memory.
    mutating func discardUsed() {
        let used = depth >= 2 ? start : position
        if used == bytes.count {
            bytes.removeAll(keepingCapacity: false)
        } else {
            bytes.removeFirst(used)
        }
        position -= used
        start = max(start - used, 0)
    }

    private func tagEnd() -> Int? {
        var index = position + 1
        var quote: UInt8 = 0
        while index < bytes.count {
            let byte = bytes[index]
            if quote != 0 {
                if byte == quote { quote = 0 }
            } else if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
                quote = byte
            } else if byte == UInt8(ascii: ">") {
                return index
            }
            index += 1
        }
        return nil
    }
}
