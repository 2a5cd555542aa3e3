import BOSHCore
import Bridge
import Primitives
import Testing

@testable import XMLCodec

@Suite("BodyWriter")
struct BodyWriterTests {
    /// The smallest rid.
    private static var rid: RequestID {
        guard let rid = RequestID(1) else { preconditionFailure("1 is a rid") }
        return rid
    }

    private func text(_ response: BodyResponse) -> String {
        var bytes: [UInt8] = []
        BodyWriter.append(response, into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private var grant: SessionGrant {
        SessionGrant(
            sid: SessionID(node: NodeName(ofHost: "n1"), worker: 3, high: 1, low: 0xabc), wait: .seconds(60),
            requests: 2, hold: 1,
            version: ProtocolVersion(major: 1, minor: 6), polling: .seconds(5), inactivity: .seconds(30),
            maxpause: .seconds(120), from: "example.test", stream: StreamName(bits: 0xfe),
            ack: Self.rid)
    }

    @Test func empty() {
        #expect(text(.empty) == "<body xmlns='http://jabber.org/protocol/httpbind'/>")
    }

    @Test("the payload is written as it is (N-07)")
    func payload() {
        let stanza = "<m xmlns='jabber:client' a=\"'\">&#9;<![CDATA[<]]>😀</m>"
        #expect(
            text(BodyResponse(payload: Array(stanza.utf8)))
                == "<body xmlns='http://jabber.org/protocol/httpbind'>\(stanza)</body>")
    }

    @Test("the stream prefix is declared on the body and is literal (X-02, L-12)")
    func streamPrefix() {
        #expect(
            text(BodyResponse(payload: Array("<stream:features/>".utf8), usesStreamPrefix: true))
                == "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:stream='http://etherx.jabber.org/streams'>"
                + "<stream:features/></body>")
    }

    @Test("the creation response (S-03 to S-11, X-03, X-04, X-05)")
    func creation() {
        let response = BodyResponse(
            .creation(grant), payload: Array("<stream:features/>".utf8), usesStreamPrefix: true,
            opening: Boxed(StreamIdentity(id: "s'1", version: ProtocolVersion(major: 1, minor: 0))))
        #expect(
            text(response)
                == "<body xmlns='http://jabber.org/protocol/httpbind' sid='n1.3.00000000000000010000000000000abc' wait='60'"
                + " requests='2' hold='1' ver='1.6' polling='5' inactivity='30' maxpause='120' from='example.test'"
                + " ack='1' stream='00000000000000fe' charsets='UTF-8' accept='gzip,deflate'"
                + " xmlns:xmpp='urn:xmpp:xbosh' xmpp:restartlogic='true' authid='s&apos;1' xmpp:version='1.0'"
                + " xmlns:stream='http://etherx.jabber.org/streams'><stream:features/></body>")
    }

    @Test("a legacy client is told no version (T-10)")
    func legacyCreation() {
        var legacy = grant
        legacy.version = nil
        #expect(!text(BodyResponse(.creation(legacy))).contains("ver="))
    }

    @Test("the stream's identity in a later response")
    func laterOpening() {
        let version = ProtocolVersion(major: 1, minor: 0)
        #expect(
            text(BodyResponse(opening: Boxed(StreamIdentity(id: "x", version: version))))
                == "<body xmlns='http://jabber.org/protocol/httpbind' authid='x' xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0'/>"
        )
        #expect(
            text(BodyResponse(opening: Boxed(StreamIdentity(id: "x", version: nil))))
                == "<body xmlns='http://jabber.org/protocol/httpbind' authid='x'/>")
        #expect(
            text(BodyResponse(opening: Boxed(StreamIdentity(id: "", version: nil))))
                == "<body xmlns='http://jabber.org/protocol/httpbind'/>")
    }

    @Test("ends and errors (T-03, T-09)", arguments: TerminalCondition.allCases)
    func terminate(condition: TerminalCondition) {
        #expect(
            text(BodyResponse(.terminate(condition)))
                == "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate' condition='\(condition.rawValue)'/>"
        )
    }

    @Test func terminateWithoutCondition() {
        #expect(
            text(BodyResponse(.terminate(nil)))
                == "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate'/>")
        #expect(text(BodyResponse(.error)) == "<body xmlns='http://jabber.org/protocol/httpbind' type='error'/>")
    }

    @Test("no value of a peer leaves its attribute, and the parser reads it back")
    func escaping() {
        let parser = BodyParser()
        for from in ["a'b", "a\"b", "<&>", "\t\r\n", "]]>", "é😀", "' x='", "&amp;"] {
            var grant = grant
            grant.from = from
            #expect(parser.attributes(text(BodyResponse(.creation(grant))))?.rare.from == PeerText(from))
        }
    }

    @Test("the same response is the same bytes (R-07)")
    func determinism() {
        let response = BodyResponse(.creation(grant), opening: Boxed(StreamIdentity(id: "q", version: nil)))
        #expect(text(response) == text(response))
        var bytes = Array("before".utf8)
        BodyWriter.append(response, into: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == "before" + text(response))
    }

    @Test("a response tells how far requests came, and which response is missing (A-01, A-04)")
    func acknowledgement() {
        var response = BodyResponse.empty
        response.ack = Self.rid.next
        response.mark(
            stream: nil, report: ResponseReport(rid: Self.rid, age: .milliseconds(1_234) + .microseconds(900)))
        #expect(
            text(response) == "<body xmlns='http://jabber.org/protocol/httpbind' ack='2' report='1' time='1234'/>")
    }

    @Test("the payload of one stream among several is named (M-04, M-08)")
    func stream() {
        var response = BodyResponse(
            .terminate(.remoteConnectionFailed), opening: Boxed(StreamIdentity(id: "", version: nil, from: "b.test")))
        response.mark(stream: StreamName(bits: 0xab))
        #expect(
            text(response)
                == "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate' condition='remote-connection-failed'"
                + " stream='00000000000000ab' from='b.test'/>")
    }
}
