import BOSHCore
import Bridge

/// Writes `<body/>` responses.
///
/// The prefixes `stream` and `xmpp` are fixed, because some clients look for the names as text (`L-12`). There is no
/// XML declaration (`L-15`). The same response always gives the same bytes, so a replay is exact (`R-07`).
package enum BodyWriter {
    /// Appends the whole response.
    package static func append(_ response: BodyResponse, into bytes: inout [UInt8]) {
        appendStart(of: response, into: &bytes)
        guard !response.payload.isEmpty else { return }
        bytes.append(contentsOf: response.payload)
        bytes.append(contentsOf: end)
    }

    /// The text after the payload.
    package static let end = Array("</body>".utf8)

    /// Appends the text before the payload, or the whole response when there is no payload.
    package static func appendStart(of response: BodyResponse, into bytes: inout [UInt8]) {
        bytes.append(literal: "<body xmlns='http://jabber.org/protocol/httpbind'")
        var isXMPPDeclared = false
        switch response.kind {
        case .plain: break
        case .creation(let grant):
            append(grant, into: &bytes)
            isXMPPDeclared = true
        case .terminate(let condition):
            bytes.append(literal: " type='terminate'")
            if let condition { AttributeText.append("condition", condition.rawValue, into: &bytes) }
        case .error:
            bytes.append(literal: " type='error'")
        }
        if let ack = response.ack { AttributeText.append("ack", Int64(ack.value), into: &bytes) }
        if let report = response.report {
            AttributeText.append("report", Int64(report.rid.value), into: &bytes)
            AttributeText.append("time", report.age.wholeMilliseconds, into: &bytes)
        }
        if let stream = response.stream { AttributeText.append("stream", stream.text, into: &bytes) }
        if let identity = response.opening?.value {
            append(identity, isXMPPDeclared: isXMPPDeclared, into: &bytes)
        }
        if response.usesStreamPrefix {
            bytes.append(literal: " xmlns:stream='http://etherx.jabber.org/streams'")
        }
        if response.payload.isEmpty {
            bytes.append(literal: "/>")
        } else {
            bytes.append(UInt8(ascii: ">"))
        }
    }

    /// The creation response's own attributes, `sid` first so that a balancer finds it early (XEP-0124 §7.2).
    private static func append(_ grant: SessionGrant, into bytes: inout [UInt8]) {
        AttributeText.append("sid", grant.sid.text, into: &bytes)
        AttributeText.append("wait", grant.wait.components.seconds, into: &bytes)
        AttributeText.append("requests", Int64(grant.requests), into: &bytes)
        AttributeText.append("hold", Int64(grant.hold), into: &bytes)
        if let version = grant.version { AttributeText.append("ver", version.text, into: &bytes) }
        AttributeText.append("polling", grant.polling.components.seconds, into: &bytes)
        AttributeText.append("inactivity", grant.inactivity.components.seconds, into: &bytes)
        AttributeText.append("maxpause", grant.maxpause.components.seconds, into: &bytes)
        AttributeText.append("from", grant.from, into: &bytes)
        AttributeText.append("ack", Int64(grant.ack.value), into: &bytes)
        AttributeText.append("stream", grant.stream.text, into: &bytes)
        bytes.append(literal: " charsets='UTF-8' accept='gzip,deflate'")
        bytes.append(literal: " xmlns:xmpp='urn:xmpp:xbosh' xmpp:restartlogic='true'")
    }

    /// Appends what the first response after the stream's opening says about the stream (XEP-0206 §4).
    private static func append(_ identity: StreamIdentity, isXMPPDeclared: Bool, into bytes: inout [UInt8]) {
        if let from = identity.from { AttributeText.append("from", from, into: &bytes) }
        if !identity.id.isEmpty { AttributeText.append("authid", identity.id, into: &bytes) }
        guard let version = identity.version else { return }
        if !isXMPPDeclared { bytes.append(literal: " xmlns:xmpp='urn:xmpp:xbosh'") }
        AttributeText.append("xmpp:version", version.text, into: &bytes)
    }
}

extension Duration {
    /// Whole milliseconds, rounded down.
    fileprivate var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
        return overflow ? .max : scaled + attoseconds / 1_000_000_000_000_000
    }
}
