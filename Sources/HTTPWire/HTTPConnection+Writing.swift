import Primitives

/// Writes a request again, for a process that takes over its connection.
extension HTTPConnection {
    /// Appends a request of this connection as bytes which a new connection with the same rules reads as the same
    /// request.
    ///
    /// Only what `RequestHead` keeps is written. Two things differ: a chunked body gets a `Content-Length`, and the
    /// reader does not expect `100 Continue`, because the body is there. The head is never longer than the one that
    /// came, so it stays within the limits.
    package func appendWire(_ request: borrowing HTTPRequest, to bytes: inout [UInt8]) {
        bytes.reserveCapacity(bytes.count + request.head.path.utf8.count + request.body.count + 256)
        request.head.appendWire(bodyCount: request.body.count, rules: rules, to: &bytes)
        bytes.append(contentsOf: request.body)
    }
}

extension RequestHead {
    fileprivate func appendWire(bodyCount: Int, rules: HTTPRules, to bytes: inout [UInt8]) {
        bytes.append(text: method.name)
        bytes.append(ByteClass.space)
        bytes.append(text: path)
        if let query {
            bytes.append(UInt8(ascii: "?"))
            bytes.append(text: query)
        }
        bytes.append(text: version == .http11 ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n")
        appendProvenance(rules, to: &bytes)
        if let origin { bytes.append(line: "Origin:", text: origin) }
        appendForwarded(rules.captures, to: &bytes)
        if !referer.isEmpty { bytes.append(line: "Referer:", referer) }
        if !agent.isEmpty { bytes.append(line: "User-Agent:", agent) }
        if rules.capturesScheme, let forwardedScheme {
            bytes.append(line: "X-Forwarded-Proto:", text: forwardedScheme.token)
        }
        switch acceptedCoding {
        case .identity: break
        // The client may have written no more than this, and means the same.
        case .gzip: bytes.append(line: "Accept-Encoding:", text: "*")
        case .deflate: bytes.append(line: "Accept-Encoding:", text: "deflate")
        }
        // Any coding that this server cannot undo stands for all others.
        if coding != .identity { bytes.append(line: "Content-Encoding:", text: coding?.token ?? "br") }
        // The names have no spaces, only the list has.
        if let requestedHeaders {
            bytes.append(
                line: "Access-Control-Request-Headers:", requestedHeaders.utf8.lazy.filter { $0 != ByteClass.space })
        }
        if upgradeLines.isEmpty {
            switch (version, keepAlive) {
            case (.http11, true), (.http10, false): break
            case (.http11, false): bytes.append(line: "Connection:", text: "close")
            case (.http10, true): bytes.append(line: "Connection:", text: "keep-alive")
            }
        } else {
            eachUpgradeField { field, value in bytes.append(line: field.name, value) }
        }
        if framing != .none {
            bytes.append(text: "Content-Length:")
            bytes.append(decimal: bodyCount)
            bytes.append(text: "\r\n")
        }
        bytes.append(text: "\r\n")
    }

    private func appendForwarded(_ captures: CapturedField, to bytes: inout [UInt8]) {
        guard !forwarded.isEmpty else { return }
        switch captures {
        case .xForwardedFor: bytes.append(line: "X-Forwarded-For:", forwarded)
        case .forwarded: bytes.append(line: "Forwarded:", forwarded)
        case .xRealIP: bytes.append(line: "X-Real-IP:", forwarded)
        case .none, .provenance: break
        }
    }

    /// Appends `Host`, `Sec-Fetch-Site` and `Authorization`: those that came, if they are kept, or else such that the reader finds the
    /// same `isFromElsewhere`. No listener both keeps them and lists origins.
    private func appendProvenance(_ rules: HTTPRules, to bytes: inout [UInt8]) {
        if rules.captures == .provenance {
            for line in forwarded.split(separator: ByteClass.lf) {
                switch line.first {
                case Self.hostMark: bytes.append(line: "Host:", line.dropFirst())
                case Self.authorizationMark: bytes.append(line: "Authorization:", line.dropFirst())
                default: bytes.append(line: "Sec-Fetch-Site:", line.dropFirst())
                }
            }
            return
        }
        // The field has no value, so no page's origin equals it.
        let noHost = version == .http11 ? "Host:\r\n" : ""
        if isFromElsewhere {
            bytes.append(text: noHost)
            // An origin that is not UTF-8 is of elsewhere, and is not kept.
            if origin == nil { bytes.append(line: "Origin:", CollectionOfOne(0xFF)) }
            return
        }
        guard rules.crossOrigin.variesByOrigin, let origin else {
            bytes.append(text: noHost)
            return
        }
        // Which of the two ways the client was known is not kept. So the shorter one is taken.
        let bySite = noHost + "Sec-Fetch-Site:same-origin\r\n"
        let byHost = PageOrigin.host(of: Array(origin.utf8).span).map { "Host:\($0)\r\n" }
        if let byHost, byHost.utf8.count < bySite.utf8.count {
            bytes.append(text: byHost)
        } else {
            bytes.append(text: bySite)
        }
    }
}

extension HTTPMethod {
    /// The name as it is written; for an unknown method, the shortest name that is none of the others.
    package var name: String {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .options: "OPTIONS"
        case .put: "PUT"
        case .delete: "DELETE"
        case .patch: "PATCH"
        case .trace: "TRACE"
        case .connect: "CONNECT"
        case .unknown: "X"
        }
    }
}

extension [UInt8] {
    /// Appends a field line whose name ends with its colon, without the usual space behind it.
    fileprivate mutating func append(line name: String, _ value: some Sequence<UInt8>) {
        append(text: name)
        append(contentsOf: value)
        append(text: "\r\n")
    }

    /// The same with a text as the value.
    fileprivate mutating func append(line name: String, text value: String) {
        append(text: name)
        append(text: value)
        append(text: "\r\n")
    }
}
