import Deflate
import HTTPWire

/// Undoes the content coding of request bodies and applies one to response bodies (`H-08`, `H-09`).
///
/// One for each worker. zlib's contexts are made when the first body needs them, and are used again for all others.
struct BodyCoder: ~Copyable {
    private var gzip: Deflater?
    private var deflate: Deflater?
    private var inflater: Inflater?

    /// What a coded request body came to.
    enum Expansion {
        case bytes([UInt8])
        /// The request is answered with this status.
        case refused(HTTPStatus)
    }

    /// Undoes the coding of a request's body.
    ///
    /// - Parameter limit: the bytes a body may have, the same as for one that came uncoded (`H-23`).
    mutating func expand(_ body: Span<UInt8>, coding: ContentCoding, limit: Int) -> Expansion {
        let format: DeflateFormat = coding == .gzip ? .gzip : DeflateFormat(deflateCoding: body)
        if inflater == nil { inflater = Inflater() }
        var bytes: [UInt8] = []
        do throws(DeflateError) {
            guard inflater != nil else { throw .outOfMemory }
            try inflater?.inflate(body, as: format, limit: limit, into: &bytes)
        } catch {
            switch error {
            case .corrupt, .truncated, .trailingData: return .refused(.badRequest)
            case .tooLarge: return .refused(.contentTooLarge)
            case .outOfMemory: return .refused(.serviceUnavailable)
            }
        }
        return .bytes(bytes)
    }

    /// Compresses a response as its request allows, if that makes it shorter and gives nothing away.
    mutating func compress(_ response: inout HTTPResponse, as coding: ContentCoding) {
        response.variesByCoding = true
        guard coding != .identity, !SASLNamespace.isNamed(in: response.body.span) else { return }
        // Fewer bytes saved than `Content-Encoding: deflate` takes are none.
        let limit = response.body.count - 32
        var compressed: [UInt8] = []
        guard deflate(response.body.span, as: coding, limit: limit, into: &compressed) else { return }
        response.body = compressed
        response.coding = coding
    }

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
