import StreamCore
import Testing

@testable import XMLCodec

/// What elements of the server say about the client's login.
@Suite struct LoginSignTests {
    private func sign(_ element: String) -> LoginSign? {
        let start =
            "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' xmlns:s='urn:xmpp:sasl:2'>"
        var xml = UpstreamXML()
        let reader = UpstreamReader()
        let bytes = Array((start + element).utf8)
        var offset = 0
        _ = xml.next(bytes.span, offset: &offset, reader: reader)
        guard case .stanza(_, _, let sign) = xml.next(bytes.span, offset: &offset, reader: reader) else { return nil }
        return sign
    }

    @Test(
        "login-timeout: what lets a client in",
        arguments: [
            "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
            "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>dj1wTk5ERlZFUXh1WHhDb1NFaVc4R0VaKzFSU289</success>",
            "<success xmlns='urn:xmpp:sasl:2'><authorization-identifier>a@example.org</authorization-identifier></success>",
            "<s:success><s:authorization-identifier>a@example.org/b</s:authorization-identifier></s:success>",
            "<iq type='result' id='auth2'/>", "<iq id='auth2' type=\"result\"></iq>",
            "<iq type='result' id='auth2'>\n</iq>",
        ])
    func success(element: String) {
        #expect(sign(element) == .success)
    }

    @Test("login-timeout: what shows the form for registering")
    func registration() {
        #expect(
            sign("<iq type='result' id='r1'><query xmlns='jabber:iq:register'><username/><password/></query></iq>")
                == .registration)
    }

    @Test(
        "login-timeout: what says nothing of it",
        arguments: [
            "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>",
            "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", "<continue xmlns='urn:xmpp:sasl:2'/>",
            "<success xmlns='urn:example'/>", "<success/>", "<m:success xmlns:m='urn:xmpp:sasl'/>",
            "<message><success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></message>",
            "<iq type='result' id='auth1'><query xmlns='jabber:iq:auth'><username/><password/></query></iq>",
            "<iq type='error' id='auth2'><error code='401' type='auth'/></iq>", "<iq type='error' id='auth2'/>",
            "<iq type='set' id='r1'><query xmlns='jabber:iq:register'/></iq>", "<iq type='set' id='a'/>",
            "<iq xmlns='urn:example' type='result'/>", "<message type='result'/>",
            "<iq xmlns:x='urn:x' x:type='result' id='a'/>",
            "<iq type='result'><a><query xmlns='jabber:iq:register'/></a></iq>",
        ])
    func nothing(element: String) {
        #expect(sign(element) == LoginSign.none)
    }
}
