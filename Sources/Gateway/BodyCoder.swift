import Deflate
import HTTPWire
import XMLCodec

/// Undoes the content coding of request bodies and applies one to response bodies (`H-08`, `H-09`).
///
/// One for each worker. zlib's contexts are made when the first body needs them, and are used again for all others.
struct BodyCoder: ~Copyable {
    private var gzip: Deflater?
    private var deflate: Deflater?
    private var inflater: Inflater?

    /// Why a coded request body is refused.
    enum Refusal {
        /// It is not what its coding says.
        case damaged
        /// It is larger than any body may be (`H-23`).
        case tooLarge
        /// It becomes more than what came over the wire for it allows.
        case expandsTooFar
        case noMemory

        init(_ error: DeflateError, isBelowBodyLimit: Bool) {
            switch error {
            case .corrupt, .truncated, .trailingData: self = .damaged
            case .tooLarge: self = isBelowBodyLimit ? .expandsTooFar : .tooLarge
            case .outOfMemory: self = .noMemory
            }
        }

        /// How the request is answered.
        var status: HTTPStatus {
            switch self {
            case .damaged: .badRequest
            case .tooLarge, .expandsTooFar: .contentTooLarge
            case .noMemory: .serviceUnavailable
            }
        }
    }

    /// What a coded request body came to.
    enum Expansion {
        case bytes([UInt8])
        case refused(Refusal)
    }

    /// Undoes the coding of a request's body.
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

    /// Compresses a response as its request allows, if that makes it shorter and gives nothing away.
    mutating func compress(_ response: inout HTTPResponse, as coding: ContentCoding) {
        response.variesByCoding = true
        guard Self.mayCompress(response.bodyCount) else { return }
        guard coding != .identity, !SASLNamespace.isNamed(in: response.body.span) else { return }
        // Fewer bytes saved than `Content-Encoding: deflate` takes are none.
        let limit = response.body.count - 32
        var compressed: [UInt8] = []
        guard deflate(response.body.span, as: coding, limit: limit, into: &compressed) else { return }
        response.body = compressed
        response.coding = coding
    }

    /// Whether a response body of `count` bytes is compressed for whoever asks for it.
    static func mayCompress(_ count: Int) -> Bool { count <= mostCompressed }

    /// Everybody waits while a response is compressed, and what is hard to compress takes 25 to 35 us a KB.
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

/// The namespaces of authentication. A response in which one of them is named is not compressed: the length of what is
/// compressed tells something of its content to whoever sees the encrypted bytes pass, and here the content is a secret
/// (CRIME and BREACH, RFC 7457 §2.6).
enum SASLNamespace {
    /// What follows `urn:` in the namespaces of SASL (RFC 6120 §6) and of all versions of SASL2 (XEP-0388).
    private static let names = [Array("ietf:params:xml:ns:xmpp-sasl".utf8), Array("xmpp:sasl:".utf8)]

    /// Whether one of them stands in `bytes`. Most bytes are not even looked at.
    static func isNamed(in bytes: Span<UInt8>) -> Bool {
        // Looks for `urn:` by its last byte, and steps as far as no occurrence can be missed.
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
    /// How a body of this coding is framed.
    init(_ coding: ContentCoding, of body: Span<UInt8>) {
        self = coding == .gzip ? .gzip : DeflateFormat(deflateCoding: body)
    }
}

/// What a compressed body may become, by what came over the wire for it: its bytes, and what they take to be read.
struct ExpansionBounds {
    /// The most bytes any body may have (`H-23`).
    let body: Int
    /// How many times its size a compressed one may become.
    let ratio: Int

    /// The most bytes that `wireCount` bytes may become.
    func bytes(from wireCount: Int) -> Int {
        min(body, max(Self.leastBytes, wireCount * ratio))
    }

    /// Whether the ratio bounds it more narrowly than the limit of any body.
    func isBelowBodyLimit(_ wireCount: Int) -> Bool { bytes(from: wireCount) < body }

    /// Whether what `wireCount` bytes became takes no longer to be read than twenty times what a plain message of `wireCount`
    /// bytes takes to be served. The two numbers are those at which a search among dear shapes found some 20 times at most.
    func allowsWeight(_ weight: Int, from wireCount: Int) -> Bool {
        weight <= Self.leastWeight + wireCount * Self.weightByByte
    }

    /// What anything may become.
    private static let leastBytes = 3072
    private static let leastWeight = 110_000
    private static let weightByByte = 40
}
