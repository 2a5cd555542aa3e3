import Deflate
import HTTPWire
import XMLCodec

/// Decodes the content coding of request bodies and applies one to response bodies (`H-08`, `H-09`).
///
/// Each worker has one. It makes zlib's contexts when the first body needs them, and uses them again for all others.
struct BodyCoder: ~Copyable {
    private var gzip: Deflater?
    private var deflate: Deflater?
    private var inflater: Inflater?

    /// The reason for which a coded request body is refused.
    enum Refusal {
        /// The body is not valid data of its coding.
        case damaged
        /// The body is larger than any body may be (`H-23`).
        case tooLarge
        /// The body expands to more than its size on the wire allows.
        case expandsTooFar
        case noMemory

        init(_ error: DeflateError, isBelowBodyLimit: Bool) {
            switch error {
            case .corrupt, .truncated, .trailingData: self = .damaged
            case .tooLarge: self = isBelowBodyLimit ? .expandsTooFar : .tooLarge
            case .outOfMemory: self = .noMemory
            }
        }

        /// The status of the answer.
        var status: HTTPStatus {
            switch self {
            case .damaged: .badRequest
            case .tooLarge, .expandsTooFar: .contentTooLarge
            case .noMemory: .serviceUnavailable
            }
        }
    }

    /// The result of expanding a coded request body.
    enum Expansion {
        case bytes([UInt8])
        case refused(Refusal)
    }

    /// Decodes the body of a request.
    mutating func expand(_ body: Span<UInt8>, coding: ContentCoding, _ bounds: ExpansionBounds) -> Expansion {
        if inflater == nil { inflater = Inflater() }
        var bytes: [UInt8] = []
        do throws(DeflateError) {
            guard inflater != nil else { throw .outOfMemory }
            try inflater?.inflate(
                body, as: DeflateFormat(coding, of: body), limit: bounds.bytes(from: body.count), into: &bytes)
        } catch {
            return .refused(Refusal(error, isBelowBodyLimit: bounds.isBelowBodyLimit(body.count)))
        }
        guard bounds.allowsWeight(BodyWeight.of(bytes.span), from: body.count) else { return .refused(.expandsTooFar) }
        return .bytes(bytes)
    }

    /// Compresses a response as its request allows, if that makes it shorter and leaks no secret.
    mutating func compress(_ response: inout HTTPResponse, as coding: ContentCoding) {
        response.variesByCoding = true
        guard Self.mayCompress(response.bodyCount) else { return }
        guard coding != .identity, !SASLNamespace.isNamed(in: response.body.span) else { return }
        // Compression must save more bytes than the field `Content-Encoding: deflate` takes.
        let limit = response.body.count - 32
        var compressed: [UInt8] = []
        guard deflate(response.body.span, as: coding, limit: limit, into: &compressed) else { return }
        response.body = compressed
        response.coding = coding
    }

    /// Whether a response body of `count` bytes may be compressed.
    static func mayCompress(_ count: Int) -> Bool { count <= mostCompressed }

    /// The limit exists because everybody waits while a response is compressed: badly compressible data takes 25 to 35
    /// us a KB.
    private static let mostCompressed = 64 * 1024

    private mutating func deflate(
        _ bytes: Span<UInt8>, as coding: ContentCoding, limit: Int, into output: inout [UInt8]
    ) -> Bool {
        switch coding {
        case .identity:
            return false
        case .gzip:
            if gzip == nil { gzip = Deflater(.gzip) }
            return gzip?.deflate(bytes, limit: limit, into: &output) ?? false
        case .deflate:
            if deflate == nil { deflate = Deflater(.zlib) }
            return deflate?.deflate(bytes, limit: limit, into: &output) ?? false
        }
    }
}

/// Finds the namespaces of authentication. A response that names one of them is not compressed, because it contains a
/// secret: the length of compressed data tells an observer of the encrypted bytes something about their content (CRIME
/// and BREACH, RFC 7457 §2.6).
enum SASLNamespace {
    /// The part after `urn:` of the namespaces of SASL (RFC 6120 §6) and of all versions of SASL2 (XEP-0388).
    private static let names = [Array("ietf:params:xml:ns:xmpp-sasl".utf8), Array("xmpp:sasl:".utf8)]

    /// Whether `bytes` contains one of the namespaces. Most bytes are skipped unread.
    static func isNamed(in bytes: Span<UInt8>) -> Bool {
        // Looks for `urn:` by its last byte, and always steps as far as possible without missing one.
        var index = 3
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: ":"):
                let isURN =
                    bytes[index - 1] == UInt8(ascii: "n") && bytes[index - 2] == UInt8(ascii: "r")
                    && bytes[index - 3] == UInt8(ascii: "u")
                if isURN, names.contains(where: { stands($0, in: bytes, at: index + 1) }) { return true }
                index += 4
            case UInt8(ascii: "n"): index += 1
            case UInt8(ascii: "r"): index += 2
            case UInt8(ascii: "u"): index += 3
            default: index += 4
            }
        }
        return false
    }

    private static func stands(_ name: [UInt8], in bytes: Span<UInt8>, at start: Int) -> Bool {
        guard bytes.count - start >= name.count else { return false }
        return name.indices.allSatisfy { bytes[start + $0] == name[$0] }
    }
}

extension DeflateFormat {
    /// The format in which a body of this coding is framed.
    init(_ coding: ContentCoding, of body: Span<UInt8>) {
        self = coding == .gzip ? .gzip : DeflateFormat(deflateCoding: body)
    }
}

/// How far a compressed body may expand, depending on its size on the wire: in bytes, and in the time to parse it.
struct ExpansionBounds {
    /// How many bytes any body may have at most (`H-23`).
    let body: Int
    /// How many times its own size a compressed body may expand to.
    let ratio: Int

    /// How many bytes `wireCount` bytes may expand to at most.
    func bytes(from wireCount: Int) -> Int {
        min(body, max(Self.leastBytes, wireCount * ratio))
    }

    /// Whether the ratio sets a lower limit than the limit of any body.
    func isBelowBodyLimit(_ wireCount: Int) -> Bool { bytes(from: wireCount) < body }

    /// Whether parsing what `wireCount` bytes expanded to takes at most about twenty times as long as serving a plain
    /// message of that size. The two constants come from a search among expensive bodies, which found no factor much
    /// above 20.
    func allowsWeight(_ weight: Int, from wireCount: Int) -> Bool {
        weight <= Self.leastWeight + wireCount * Self.weightByByte
    }

    /// What any body may expand to, however small it is.
    private static let leastBytes = 3072
    private static let leastWeight = 110_000
    private static let weightByByte = 40
}
