import Reactor
import Testing

@testable import holdfast_bench

/// A stream of the null server between two ends of a socket pair, without its event loop.
@Suite struct NullStreamTests {
    private final class Fixture {
        let client: StreamSocket
        let stream: NullStream
        var buffer = ReadBuffer()

        init() throws {
            let pair = try Descriptor.socketPair()
            client = StreamSocket(pair.first)
            stream = NullStream(StreamSocket(pair.second), token: 1, number: 5, domain: Array("d.test".utf8))
        }

        /// What the server does and answers when these bytes come.
        func say(_ text: String) -> (actions: [NullStream.Action], reply: String) {
            stream.receive(Array(text.utf8).span)
            var actions: [NullStream.Action] = []
            while let action = stream.nextAction() { actions.append(action) }
            #expect(stream.flush() == .done)
            guard case .bytes = client.read(into: &buffer) else { return (actions, "") }
            let reply = buffer.withBytes { span in span.indices.map { span[$0] } }
            return (actions, String(decoding: reply, as: UTF8.self))
        }
    }

    private static let header = "<stream:stream to='d.test' xmlns='jabber:client'>"

    @Test func `a client logs in with PLAIN and gets a full JID of its name`() throws {
        let fixture = try Fixture()
        #expect(fixture.say(Self.header).reply.contains("<mechanism>ANONYMOUS</mechanism>"))
        #expect(fixture.say("<auth mechanism='PLAIN'>AHUAcA==</auth>").reply.hasPrefix("<success"))
        #expect(fixture.say(Self.header).reply.contains("<bind xmlns="))
        let (actions, reply) = fixture.say("<iq type='set' id='b7'><bind xmlns='x'/></iq>")
        #expect(reply.contains("id='b7'") && reply.contains("<jid>u@d.test/r5</jid>"))
        guard case .bound(let jid) = actions.first else {
            Issue.record("not bound")
            return
        }
        #expect(jid == Array("u@d.test/r5".utf8))
        #expect(fixture.stream.jid == jid)
    }

    @Test func `messages carry their sender and other requests get an empty result`() throws {
        let fixture = try Fixture()
        _ = fixture.say(Self.header + "<auth mechanism='ANONYMOUS'/>")
        _ = fixture.say(Self.header + "<iq type='set' id='b'><bind><resource>here</resource></bind></iq>")
        let (actions, reply) = fixture.say(" <message to='a@b/c'><body>x</body></message><presence/><message/>")
        #expect(reply == "")
        guard actions.count == 1, case .route(let message, let receiver) = actions[0] else {
            Issue.record("not routed")
            return
        }
        #expect(receiver == Array("a@b/c".utf8))
        let expected = "<message from='anonymous-5@d.test/here' to='a@b/c'><body>x</body></message>"
        #expect(String(decoding: message, as: UTF8.self) == expected)
        #expect(fixture.say("<iq type='get' id='p'><ping/></iq>").reply == "<iq type='result' id='p'/>")
        #expect(fixture.say("<iq type='result' id='q'/>").reply == "")
    }

    @Test func `the end of the stream is answered`() throws {
        let fixture = try Fixture()
        _ = fixture.say(Self.header)
        #expect(!fixture.stream.isFinished)
        #expect(fixture.say("</stream:stream>").reply == "</stream:stream>")
        #expect(fixture.stream.isFinished)
    }
}
