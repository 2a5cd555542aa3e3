import Primitives

/// Text that a peer wrote, within a bound that holds before anything else is done with it.
///
/// It is compared and hashed by its bytes. Swift compares and hashes a `String` in normalisation form C, and putting a run of
/// combining marks in order takes time that grows with the square of its length; so no `String` is made of a peer's bytes
/// before their number is known.
package struct PeerText: Sendable, Hashable, ExpressibleByStringLiteral {
    /// The bytes, UTF-8. What was too long is one NUL, which XML cannot carry: it equals nothing that a peer could write.
    package let bytes: [UInt8]

    private init(unchecked bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Text of at most `most` bytes; `tooLong` for more, of which nothing is kept.
    package init(_ bytes: [UInt8], most: Int) {
        self = bytes.count <= most ? PeerText(unchecked: bytes) : .tooLong
    }

    /// Text of this program's own.
    package init(_ text: String) {
        bytes = Array(text.utf8)
    }

    /// Text of this program's own.
    package init(stringLiteral text: String) {
        self.init(text)
    }

    /// Stands for what had more bytes than its bound.
    package static let tooLong = PeerText(unchecked: [0])

    /// Whether it had more bytes than its bound.
    package var isTooLong: Bool { self == .tooLong }

    /// Whether nothing stands in it.
    package var isEmpty: Bool { bytes.isEmpty }

    /// How many bytes it has.
    package var count: Int { bytes.count }

    /// Whether all of it is ASCII.
    package var isASCII: Bool { bytes.allSatisfy { $0 < 0x80 } }

    /// Its bytes with the letters `A` to `Z` in lower case.
    package var lowercasedBytes: [UInt8] { bytes.map(\.asciiLowercased) }

    /// The text as a `String`, for what is written somewhere. It is not for comparing or as a key.
    package var text: String { isTooLong ? "" : String(decoding: bytes, as: UTF8.self) }

    /// Whether both have the same bytes, letters of ASCII compared without case.
    package func isSame(_ other: PeerText) -> Bool {
        guard bytes.count == other.bytes.count else { return false }
        return bytes.indices.allSatisfy { bytes[$0].asciiLowercased == other.bytes[$0].asciiLowercased }
    }
}

/// How many bytes an attribute of `<body/>` may have to mean something.
package enum AttributeBound {
    /// `to`: a domain (RFC 7622 §3.2).
    package static let domain = 1_023
    /// `from`: a JID with all its parts (RFC 7622 §3.1).
    package static let address = 3_071
    /// `route`: a scheme, a host name and a port.
    package static let route = 300
    /// `key` and `newkey`: forty digits are a key (XEP-0124 §15.3); some more are let pass.
    package static let key = 64
    /// `stream`: sixteen digits are a name here.
    package static let stream = 64
    /// `content`: a media type with its parameters.
    package static let content = 128
    /// `xml:lang`: a language tag is short; longer ones are none (RFC 5646 §4.4.1).
    package static let language = 64
}
