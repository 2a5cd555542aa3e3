import Primitives

/// The content codings that this server applies and undoes (RFC 9110 §8.4.1).
package enum ContentCoding: UInt8, Sendable, Equatable, CaseIterable {
    /// No coding.
    case identity
    case gzip
    /// The zlib format. In requests also raw DEFLATE data, because some clients mean that by the name.
    case deflate

    /// The name in `Content-Encoding`.
    package var token: String {
        switch self {
        case .identity: "identity"
        case .gzip: "gzip"
        case .deflate: "deflate"
        }
    }

    /// The `Accept-Encoding` of a 415, which tells the client what is accepted (RFC 9110 §15.5.16).
    package static let decodable = "gzip, deflate"

    /// The coding of this name in any case, `x-gzip` included (RFC 9110 §8.4.1.3); nil for any other.
    init?(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        if bytes.isEqual(range, ignoringCase: FieldText.gzip) || bytes.isEqual(range, ignoringCase: FieldText.xGzip) {
            self = .gzip
        } else if bytes.isEqual(range, ignoringCase: FieldText.deflate) {
            self = .deflate
        } else if bytes.isEqual(range, ignoringCase: FieldText.identity) {
            self = .identity
        } else {
            return nil
        }
    }
}

/// What `Accept-Encoding` says, collected over all its lines (RFC 9110 §12.5.3, H-08).
///
/// Doubts count against a coding: a coding that was not listed is not applied, nor one whose weight cannot be read, and
/// of two weights for one coding the lower counts.
struct AcceptEncoding: Sendable, Equatable {
    // Weights in thousandths; nil for a coding that was not named.
    private var gzip: UInt16?
    private var deflate: UInt16?
    private var identity: UInt16?
    /// `*`: every coding that is not named.
    private var other: UInt16?

    init() {}

    /// The coding to apply: the one with the higher weight, and gzip when they are equal, because readers disagree
    /// about the format of `deflate`. Identity when neither is allowed or identity has a higher weight.
    var preferred: ContentCoding {
        let gzip = gzip ?? other ?? 0
        let deflate = deflate ?? other ?? 0
        let best = max(gzip, deflate)
        guard best > 0, best >= identity ?? other ?? 0 else { return .identity }
        return gzip == best ? .gzip : .deflate
    }

    /// Takes in the value of one field line.
    mutating func read(_ bytes: Span<UInt8>, _ value: Range<Int>) {
        FieldValue.eachElement(bytes, value) { element in
            var nameEnd = element.lowerBound
            while nameEnd < element.upperBound, bytes[nameEnd] != UInt8(ascii: ";") { nameEnd += 1 }
            let name = bytes.trimmed(element.lowerBound..<nameEnd)
            let weight =
                nameEnd == element.upperBound
                ? 1000 : Self.weight(bytes, bytes.trimmed(nameEnd + 1..<element.upperBound))
            switch ContentCoding(bytes, name) {
            case .gzip: gzip = min(gzip ?? weight, weight)
            case .deflate: deflate = min(deflate ?? weight, weight)
            case .identity: identity = min(identity ?? weight, weight)
            case nil where name.count == 1 && bytes[name.lowerBound] == UInt8(ascii: "*"):
                other = min(other ?? weight, weight)
            case nil: break
            }
        }
    }

    /// `"q=" qvalue` in thousandths (RFC 9110 §12.4.2); 0 for anything else.
    private static func weight(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt16 {
        guard (3...7).contains(range.count), bytes[range.lowerBound] | 0x20 == UInt8(ascii: "q"),
            bytes[range.lowerBound + 1] == UInt8(ascii: "=")
        else { return 0 }
        let first = range.lowerBound + 2
        guard bytes[first] == UInt8(ascii: "0") || bytes[first] == UInt8(ascii: "1") else { return 0 }
        var weight: UInt16 = bytes[first] == UInt8(ascii: "1") ? 1000 : 0
        guard first + 1 < range.upperBound else { return weight }
        guard bytes[first + 1] == UInt8(ascii: ".") else { return 0 }
        var unit: UInt16 = 100
        for index in first + 2..<range.upperBound {
            guard bytes[index].isASCIIDigit else { return 0 }
            weight += unit * UInt16(bytes[index] - 0x30)
            unit /= 10
        }
        return weight <= 1000 ? weight : 0
    }
}

/// What `Content-Encoding` says about a request's body, collected over all its lines (RFC 9110 §8.4, H-09).
struct ContentEncoding: Sendable, Equatable {
    /// The one coding to undo. Nil for a coding that this server cannot undo, and for more than one: only an attacker
    /// codes a body twice, to hide its size.
    private(set) var coding: ContentCoding? = .identity

    /// Takes in the value of one field line. An unregistered name is ignored: libpurple writes a media type here.
    mutating func read(_ bytes: Span<UInt8>, _ value: Range<Int>) {
        FieldValue.eachElement(bytes, value) { element in
            switch ContentCoding(bytes, element) {
            case .identity: break
            case let known?: coding = coding == .identity ? known : nil
            case nil where Self.isUnsupported(bytes, element): coding = nil
            case nil: break
            }
        }
    }

    /// Whether the name is in IANA's registry of content codings, but none of the three above.
    private static func isUnsupported(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        FieldText.otherCodings.contains { bytes.isEqual(range, ignoringCase: $0) }
    }
}
