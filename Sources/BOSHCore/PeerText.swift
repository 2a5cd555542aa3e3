/// Text that a peer wrote, of a length that is known to be allowed. What is longer never becomes a string: it is remembered
/// as too long, so that the rules can say what that means.
///
/// Swift compares and hashes a `String` in a normal form, and putting a run of combining marks in order takes the square of
/// its length. Values of this type are compared and hashed as bytes.
package struct PeerText: Sendable {
    /// The text; nil when it was longer than allowed.
    package let text: String?

    /// Keeps the text of these bytes, of which there may be `longest`.
    package init(_ bytes: some Collection<UInt8>, atMost longest: Int) {
        text = bytes.count <= longest ? String(decoding: bytes, as: UTF8.self) : nil
    }

    /// Keeps a text that may be `longest` bytes long.
    package init(_ text: String, atMost longest: Int) {
        self.text = text.utf8.count <= longest ? text : nil
    }

    /// Whether it was longer than allowed.
    package var isTooLong: Bool { text == nil }

    /// Whether there is nothing in it.
    package var isEmpty: Bool { text?.isEmpty ?? false }
}

extension PeerText: Hashable {
    package static func == (left: PeerText, right: PeerText) -> Bool {
        guard let left = left.text, let right = right.text else { return left.text == nil && right.text == nil }
        return left.utf8.elementsEqual(right.utf8)
    }

    package func hash(into hasher: inout Hasher) {
        guard let text else { return }
        for byte in text.utf8 { hasher.combine(byte) }
    }
}

extension PeerText: ExpressibleByStringLiteral {
    /// Text of this program's own.
    package init(stringLiteral value: String) {
        text = value
    }
}

/// A name that is compared without case and in all its spellings: a domain, or a host and a port.
///
/// Its text is a `String` in lower case whose comparison takes time by its length alone: a name in which more than
/// `mostMarks` marks stand in a row is none.
struct CaselessName: Sendable, Hashable {
    /// The name in lower case.
    let text: String

    /// No script piles up that many on one letter.
    private static let mostMarks = 8

    /// Nil for what was too long, and for what no name looks like.
    init?(_ name: PeerText) {
        guard let text = name.text else { return nil }
        if text.utf8.allSatisfy({ $0 < 0x80 }) {
            self.text = text.lowercased()
            return
        }
        var marks = 0
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .nonspacingMark, .spacingMark, .enclosingMark: marks += 1
            default: marks = 0
            }
            guard marks <= Self.mostMarks else { return nil }
        }
        self.text = text.lowercased()
    }
}
