import TestSupport
import Testing

/// Servers whose first bytes are not a stream.
@Suite struct HostileUpstreamHeaderTests {
    @Test("S-17: what a server says that is no XML", arguments: HostileOpening.noXML)
    func noXML(opening: HostileOpening) throws {
        try opening.play()
    }

    @Test("S-17: what stands before the header", arguments: HostileOpening.beforeHeader)
    func beforeHeader(opening: HostileOpening) throws {
        try opening.play()
    }

    @Test("S-17: a header that is none", arguments: HostileOpening.headers)
    func headers(opening: HostileOpening) throws {
        try opening.play()
    }
}

extension HostileOpening {
    private static let features = ScriptedStream.features
    /// The usual header without its declaration.
    private static let header = String(ScriptedStream.header().dropFirst("<?xml version='1.0'?>".count))
    private static let streams = "http://etherx.jabber.org/streams"

    /// A header with exactly these attributes, and the features after it.
    private static func header(_ attributes: String, root: String = "stream:stream") -> String {
        "<?xml version='1.0'?><\(root) \(attributes)>" + features
    }

    fileprivate static let noXML = [
        Self("an HTTP answer", "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
        Self("an SMTP greeting", "220 mail.example.org ESMTP\r\n"),
        Self("an SSH greeting", "SSH-2.0-OpenSSH_9.2\r\n"),
        Self("a web page", "<!DOCTYPE html><html><body>404</body></html>"),
        Self("a JSON object", "{\"error\": \"not here\"}"),
        Self("a TLS alert", [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28]),
        Self("a TLS ServerHello", [0x16, 0x03, 0x03, 0x00, 0x04, 0x02, 0x00, 0x00, 0x00]),
        Self("the PROXY protocol", [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]),
        Self("every byte there is", Array(0...255)),
        Self("a million zero bytes", [UInt8](repeating: 0, count: 1_000_000)),
        Self("zlib data", [0x78, 0x9C, 0x4B, 0x4C, 0x4A, 0x06, 0x00, 0x02, 0x4D, 0x01, 0x27]),
        Self("a header in UTF-16", [0xFF, 0xFE] + ScriptedStream.header().utf16.flatMap { [UInt8($0 & 0xFF), 0] }),
        Self("a header in UTF-16 without a byte order mark", ScriptedStream.header().utf16.flatMap { [0, UInt8($0)] }),
        Self("a header in UTF-32", ScriptedStream.header().utf8.flatMap { [0, 0, 0, $0] }),
    ]

    fileprivate static let beforeHeader = [
        Self("a byte order mark", [0xEF, 0xBB, 0xBF] + (header + features).utf8),
        Self("a byte order mark and junk", [0xEF, 0xBB, 0xBF] + "junk".utf8),
        Self("text", "hello " + header + features),
        Self("an element", "<hello/>" + header + features),
        Self("an end tag", "</stream:stream>" + header + features),
        Self("a comment", "<!-- hello -->" + header + features),
        Self("an instruction", "<?hello world?>" + header + features),
        Self("a DTD", "<!DOCTYPE stream:stream [<!ENTITY a 'b'>]>" + header + features),
        Self(
            "an external DTD",
            "<?xml version='1.0'?><!DOCTYPE stream:stream SYSTEM 'file:///etc/passwd'>" + header
                + features),
        Self("a CDATA section", "<![CDATA[x]]>" + header + features),
        Self("an entity", "&lt;" + header + features),
        Self("two XML declarations", "<?xml version='1.0'?><?xml version='1.0'?>" + header + features),
        Self("an XML declaration without a version", "<?xml encoding='UTF-8'?>" + header + features),
        Self("XML 1.1", "<?xml version='1.1'?>" + header + features),
        Self("ISO-8859-1", "<?xml version='1.0' encoding='ISO-8859-1'?>" + header + features),
        Self("UTF-7", "<?xml version='1.0' encoding='UTF-7'?>" + header + features),
        Self("a declaration that is a lie", "<?xml version='1.0' encoding='UTF-16'?>" + header + features),
        Self("a declaration with something else in it", "<?xml version='1.0' hello='world'?>" + header + features),
        Self("a declaration without end", "<?xml " + String(repeating: " ", count: 1_200_000)),
        Self("half a declaration and no more", reason: "upstream-lost") {
            try $0.send("<?xml version='1.0'")
            $0.wire.close()
        },
    ]

    fileprivate static let headers = [
        Self(
            "another root",
            header("xmlns='jabber:client' xmlns:stream='\(streams)' version='1.0'", root: "stream:flood")),
        Self(
            "a root without prefix",
            header("xmlns='jabber:client' xmlns:stream='\(streams)' version='1.0'", root: "stream")),
        Self("another namespace", header("xmlns='jabber:client' xmlns:stream='urn:example' version='1.0'")),
        Self(
            "the namespace in capitals", header("xmlns='jabber:client' xmlns:stream='HTTP://ETHERX.JABBER.ORG/STREAMS'")
        ),
        Self("the namespace and a space", header("xmlns='jabber:client' xmlns:stream='\(streams) ' version='1.0'")),
        Self("a prefix that nobody declared", header("xmlns='jabber:client' version='1.0'")),
        Self("a server's content", header("xmlns='jabber:server' xmlns:stream='\(streams)' version='1.0'")),
        Self("a component's content", header("xmlns='jabber:component:accept' xmlns:stream='\(streams)'")),
        Self("no namespace of its content", header("xmlns:stream='\(streams)' version='1.0'")),
        Self("BOSH's content", header("xmlns='http://jabber.org/protocol/httpbind' xmlns:stream='\(streams)'")),
        Self("a BOSH body", "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate'/>"),
        Self("the framing of WebSocket", "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' version='1.0'/>"),
        Self("an empty root", "<stream:stream xmlns='jabber:client' xmlns:stream='\(streams)' version='1.0'/>"),
        Self("an attribute twice", header("xmlns='jabber:client' xmlns:stream='\(streams)' id='1' id='2'")),
        Self("an attribute without quotes", header("xmlns='jabber:client' xmlns:stream='\(streams)' id=1")),
        Self("an attribute without a value", header("xmlns='jabber:client' xmlns:stream='\(streams)' id")),
        Self("an entity in an attribute", header("xmlns='jabber:client' xmlns:stream='\(streams)' id='&x;'")),
        Self("a < in an attribute", header("xmlns='jabber:client' xmlns:stream='\(streams)' id='<'")),
        Self("a NUL in an attribute", header("xmlns='jabber:client' xmlns:stream='\(streams)' id='\u{0}'")),
        Self("a reference to NUL", header("xmlns='jabber:client' xmlns:stream='\(streams)' id='&#0;'")),
        Self(
            "an id that is not UTF-8",
            Array("<stream:stream xmlns='jabber:client' xmlns:stream='\(streams)' version='1.0' id='".utf8)
                + [0xC0, 0xAF] + Array("'>\(features)".utf8)),
        Self(
            "too many attributes",
            header("xmlns='jabber:client' xmlns:stream='\(streams)' " + (0..<1_100).map { "a\($0)='' " }.joined())),
        Self(
            "a hundred namespaces",
            header("xmlns='jabber:client' xmlns:stream='\(streams)' " + (0..<100).map { "xmlns:a\($0)='u' " }.joined())),
        Self(
            "a long namespace",
            header("xmlns='jabber:client' xmlns:stream='\(streams)' xmlns:a='\(String(repeating: "a", count: 20_000))'")
        ),
        Self("a name without end", "<stream:stream" + String(repeating: "a", count: 1_200_000)),
        Self("white space without end", "<stream:stream" + String(repeating: " ", count: 1_200_000)),
        Self("an attribute without end", "<stream:stream id='" + String(repeating: "a", count: 1_200_000)),
        Self("half of it and the end", reason: "upstream-lost") {
            try $0.send(String(header.dropLast(20)))
            $0.wire.close()
        },
        Self("half of it and a reset", reason: "upstream-lost") {
            try $0.send(String(header.dropLast(20)))
            try $0.wire.reset()
        },
    ]
}
