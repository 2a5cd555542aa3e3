import Primitives

/// Text that a peer wrote, whose length was checked before anything else was done with it.
///
/// Texts are compared and hashed by their bytes. Swift compares and hashes a `String` in normalisation form C, and
/// normalising a run of combining marks takes time that grows with the square of its length. So no `String` is made
/// from a peer's bytes before their number is bounded.
package struct PeerText: Sendable, Hashable, ExpressibleByStringLiteral {
    /// The bytes, UTF-8. A text that was too long is one NUL, which XML cannot carry, so it equals nothing that a peer
    /// could write.
    package let bytes: [UInt8]

    private init(unchecked bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Text of at most `most` bytes; `tooLong`, which keeps nothing of the text, for more.
    package init(_ bytes: [UInt8], most: Int) {
        self = bytes.count <= most ? PeerText(unchecked: bytes) : .tooLong
    }

    /// Text that this program wrote.
    package init(_ text: String) {
        bytes = Array(text.utf8)
    }

    /// Text that this program wrote.
    package init(stringLiteral text: String) {
        self.init(text)
    }

    /// Stands for a text that had more bytes than its bound.
    package static let tooLong = PeerText(unchecked: [0])

    /// Whether the text had more bytes than its bound.
    package var isTooLong: Bool { self == .tooLong }

    /// Whether the text has no bytes.
    package var isEmpty: Bool { bytes.isEmpty }

    /// The number of bytes.
    package var count: Int { bytes.count }

    /// Whether all bytes are ASCII.
    package var isASCII: Bool { bytes.allSatisfy { $0 < 0x80 } }

    /// The bytes, with the letters `A` to `Z` in lower case.
    package var lowercasedBytes: [UInt8] { bytes.map(\.asciiLowercased) }

    /// The text as a `String`, to be written out. Do not compare it or use it as a key.
    package var text: String { isTooLong ? "" : String(decoding: bytes, as: UTF8.self) }

    /// Whether both have the same bytes; ASCII letters are compared without case.
    package func isSame(_ other: PeerText) -> Bool {
        guard bytes.count == other.bytes.count else { return false }
        return bytes.indices.allSatisfy { bytes[$0].asciiLowercased == other.bytes[$0].asciiLowercased }
    }
}

/// The most bytes that an attribute of `<body/>` may have; a longer value is treated as `PeerText.tooLong`.
package enum AttributeBound {
    /// `to`: a domain (RFC 7622 §3.2).
    package static let domain = 1_023
    /// `from`: a JID with all its parts (RFC 7622 §3.1).
    package static let address = 3_071
    /// `route`: a scheme, a host name and a port.
    package static let route = 300
    /// `key` and `newkey`: a key has forty digits (XEP-0124 §15.3); somewhat longer ones are let through.
    package static let key = 64
    /// `stream`: this program's names have sixteen digits.
    package static let stream = 64
    /// `content`: a media type with its parameters.
    package static let content = 128
    /// `xml:lang`: language tags are short; a longer one counts as none (RFC 5646 §4.4.1).
    package static let language = 64
}
