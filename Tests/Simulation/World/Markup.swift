/// The parts of a document that comes in pieces: its outermost tag, the elements in it, its end.
///
/// It reads what the inhabitants of a world send each other, which is simple: no comments, no `>` in attributes.
struct Markup {
    enum Item {
        /// The outermost start tag.
        case begin([UInt8])
        case element([UInt8])
        case end
    }

    private var buffer: [UInt8] = []
    private var scanned = 0
    private var depth = 0
    private var elementStart = 0

    mutating func append(_ bytes: some Sequence<UInt8>) { buffer.append(contentsOf: bytes) }

    /// Forgets its place: another document begins, as after a restart of a stream.
    mutating func beginAgain() { depth = 0 }

    var isWithinElement: Bool { depth > 1 }

    /// Whether nothing has begun that is not complete.
    var isBetweenElements: Bool { depth <= 1 && buffer.allSatisfy { $0 == 0x20 || $0 == 0x0A } }

    mutating func next() -> Item? {
        while let open = buffer[scanned...].firstIndex(of: UInt8(ascii: "<")) {
            guard let close = buffer[open...].firstIndex(of: UInt8(ascii: ">")) else { return nil }
            let tag = buffer[open...close]
            scanned = close + 1
            let second = buffer[open + 1]
            if second == UInt8(ascii: "?") { continue }
            if second == UInt8(ascii: "/") {
                depth -= 1
                if depth == 1 { return .element(takeElement()) }
                // A stream may also end when it should begin again.
                if depth <= 0 {
                    dropScanned()
                    return .end
                }
                continue
            }
            let isEmpty = buffer[close - 1] == UInt8(ascii: "/")
            // A client may begin its stream again at any time.
            if depth == 1, Array(tag).has("<stream:stream ") { depth = 0 }
            if depth == 0 {
                let begin = Array(tag)
                dropScanned()
                if isEmpty {
                    // What follows is the end of the same tag.
                    buffer.insert(contentsOf: "</x>".utf8, at: 0)
                }
                depth = 1
                return .begin(begin)
            }
            if depth == 1 { elementStart = open }
            if !isEmpty { depth += 1 } else if depth == 1 { return .element(takeElement()) }
        }
        return nil
    }

    private mutating func takeElement() -> [UInt8] {
        let element = Array(buffer[elementStart..<scanned])
        dropScanned()
        return element
    }

    private mutating func dropScanned() {
        buffer.removeFirst(scanned)
        scanned = 0
        elementStart = 0
    }
}

extension [UInt8] {
    /// The value of an attribute in the first tag; nil when it is not there.
    func attribute(_ name: StaticString) -> String? {
        let length = name.utf8CodeUnitCount
        let end = firstIndex(of: UInt8(ascii: ">")) ?? count
        var index = 1
        while index + length + 2 < end {
            if self[index - 1] == UInt8(ascii: " "), self[index + length] == UInt8(ascii: "="), has(name, at: index) {
                let quote = self[index + length + 1]
                let start = index + length + 2
                guard let close = self[start...].firstIndex(of: quote) else { return nil }
                return String(decoding: self[start..<close], as: UTF8.self)
            }
            index += 1
        }
        return nil
    }

    func has(_ text: StaticString, at index: Int = 0) -> Bool {
        guard index + text.utf8CodeUnitCount <= count else { return false }
        for offset in 0..<text.utf8CodeUnitCount where self[index + offset] != text.utf8Start[offset] { return false }
        return true
    }

    func contains(_ text: StaticString) -> Bool {
        indices.contains { self[$0] == text.utf8Start[0] && has(text, at: $0) }
    }

    /// The condition of a stream error: the name of its first element, or that it is the server's own.
    var streamCondition: String {
        // The server's own errors have a text.
        guard !contains("<text") else { return "remote-stream-error" }
        let inner = drop { $0 != UInt8(ascii: ">") }.dropFirst(2)
        let end = inner.firstIndex { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "/") } ?? inner.endIndex
        return String(decoding: inner[inner.startIndex..<end], as: UTF8.self)
    }

    /// The text between the first tag and the next.
    var text: String {
        guard let start = firstIndex(of: UInt8(ascii: ">")),
            let end = self[start...].firstIndex(of: UInt8(ascii: "<"))
        else { return "" }
        return String(decoding: self[(start + 1)..<end], as: UTF8.self)
    }
}

/// `count` letters. `String(repeating:count:)` takes a hundred times as long for them.
func letters(_ letter: Unicode.Scalar, _ count: Int) -> String {
    String(decoding: repeatElement(UInt8(ascii: letter), count: count), as: UTF8.self)
}
