/// Writes this program's own elements on an XMPP stream (RFC 6120 §4.2, §4.4, §5.4; XEP-0138 §4).
package enum StreamHeaderWriter {
    /// The request for TLS.
    package static let startTLS = Array("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>".utf8)
    /// The request to compress the stream by zlib.
    package static let compress = Array(
        "<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>".utf8)
    /// The stream's end.
    package static let streamEnd = Array("</stream:stream>".utf8)

    /// Appends the XML declaration and the stream header, always with version 1.0. `from`, which must be valid UTF-8,
    /// and `language` only when given.
    package static func append(to domain: String, from: [UInt8]?, language: String?, into bytes: inout [UInt8]) {
        bytes.append(
            literal:
                "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
        )
        AttributeText.append("to", domain, into: &bytes)
        if let from, !from.isEmpty { AttributeText.append("from", from, into: &bytes) }
        bytes.append(literal: " version='1.0'")
        if let language, !language.isEmpty { AttributeText.append("xml:lang", language, into: &bytes) }
        bytes.append(UInt8(ascii: ">"))
    }
}
