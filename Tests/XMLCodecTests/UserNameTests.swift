import Testing

@testable import XMLCodec

/// Who the client is, as its server says.
@Suite struct UserNameTests {
    private static let start =
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' xmlns:s='urn:xmpp:sasl:2' xmlns:b='urn:ietf:params:xml:ns:xmpp-bind'>"

    /// What the elements say, one after the other.
    private func users(_ elements: String..., to rule: AddresseeRule = .ignored) -> [String?] {
        var xml = UpstreamXML()
        let reader = UpstreamReader()
        reader.addresseeRule = rule
        let bytes = Array((Self.start + elements.joined()).utf8)
        var offset = 0
        _ = xml.next(bytes.span, offset: &offset, reader: reader)
        return elements.map { _ in
            _ = xml.next(bytes.span, offset: &offset, reader: reader)
            defer { #expect(reader.takeUser() == nil) }
            return reader.takeUser()
        }
    }

    private func bind(_ attributes: String, _ jid: String) -> String {
        "<iq type='result' \(attributes)><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>\(jid)</jid></bind></iq>"
    }

    @Test(
        "the name in a bound resource or an authorization, without the resource",
        arguments: [
            "<iq type='result' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>a@b.c/d/e@f</jid></bind></iq>",
            "<iq type='result' from='b.c'><b:bind><b:jid>\n a@b.c/d </b:jid></b:bind></iq>",
            "<iq type='result' from='a@b.c'><b:bind><b:jid>a@<![CDATA[b.c]]></b:jid><x/></b:bind></iq>",
            "<iq type='result' from='a@b.c/d' to='x'><b:bind><b:jid>&#97;@b.c/d</b:jid></b:bind></iq>",
            "<success xmlns='urn:xmpp:sasl:2'><authorization-identifier>a@b.c</authorization-identifier></success>",
            "<s:success><x><authorization-identifier>x@y</authorization-identifier></x><s:authorization-identifier>a@b.c/d</s:authorization-identifier><bound xmlns='urn:xmpp:bind:0'/></s:success>",
            "<s:success><s:authorization-identifier>a@b.c/d</s:authorization-identifier><resumed xmlns='urn:xmpp:sm:3' previd='1' h='0'/></s:success>",
        ])
    func names(element: String) {
        #expect(users(element, "<iq type='result'/>") == ["a@b.c", nil])
    }

    @Test(
        "what says nothing of it",
        arguments: [
            "<iq type='result'><jid xmlns='urn:ietf:params:xml:ns:xmpp-bind'>a@b.c</jid></iq>",
            "<iq type='result'><bind xmlns='urn:x'><jid>a@b.c</jid></bind></iq>",
            "<iq type='result'><b:bind><x><b:jid>a@b.c</b:jid></x></b:bind></iq>",
            "<iq type='result'><b:bind/><x><b:jid>a@b.c</b:jid></x></iq>",
            "<iq type='set'><b:bind><b:jid>a@b.c</b:jid></b:bind></iq>",
            "<message><b:bind><b:jid>a@b.c</b:jid></b:bind></message>",
            "<iq type='result'><b:bind><b:jid> </b:jid></b:bind></iq>",
            "<iq type='result'><b:bind><b:jid>/d</b:jid></b:bind></iq>",
            "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>YUBiLmM=</success>",
        ])
    func nothing(element: String) {
        #expect(users(element) == [nil])
    }

    @Test("what somebody else had the server send is not believed", arguments: ["x@b.c/d", "c", "x.b.c", "a@b.cc"])
    func others(sender: String) {
        #expect(users(bind("from='\(sender)'", "a@b.c/d"), bind("", "a@b.c")) == [nil, "a@b.c"])
    }

    @Test(
        "a stanza names the account to which the server delivers it, unless the client may have written the address",
        arguments: [
            ("<message to='a@b.c/d'/>", true),
            ("<message type='chat' from='x@b.c/d' to='a@b.c'><body>x</body></message>", true),
            ("<presence from='a@b.c/d' to='a@b.c/d'/>", true),
            ("<iq type='set' to='a@b.c/d'><query xmlns='jabber:iq:roster'/></iq>", true),
            ("<iq type='get' from='b.c' to='a@b.c/d'><ping xmlns='urn:xmpp:ping'/></iq>", true),
            ("<iq type='result' id='1' to='a@b.c/d'/>", false), ("<iq type='error' to='a@b.c/d'/>", false),
            ("<message type='error' to='a@b.c/d'/>", false), ("<presence type='error' to='a@b.c/d'/>", false),
        ])
    func addressees(element: String, isSent: Bool) {
        #expect(users(element, to: .ignored) == [nil])
        #expect(users(element, to: .unlessAnswer) == [isSent ? "a@b.c" : nil])
        #expect(users(element, to: .always) == ["a@b.c"])
    }

    @Test(
        "an address without an account, of another kind of element, or of another attribute names nobody",
        arguments: [
            "<message to='b.c'/>", "<message to='@b.c'/>", "<message to='b.c/a@b.c'/>", "<message to=''/>",
            "<message/>",
            "<message from='a@b.c'/>", "<message s:to='a@b.c'/>", "<message><x to='a@b.c'/></message>",
            "<message xmlns='urn:x' to='a@b.c'/>", "<a xmlns='urn:xmpp:sm:3' to='a@b.c'/>", "<other to='a@b.c'/>",
        ])
    func nobody(element: String) {
        #expect(users(element, to: .always) == [nil])
    }

    @Test("what the server says of the account counts before the address of its answer")
    func both() {
        let name = bind("to='x@b.c/d'", "a@b.c/d")
        #expect(users(name, to: .always) == ["a@b.c"])
        #expect(users(bind("to='a@b.c/d' from='x@b.c/d'", "y@b.c"), to: .always) == ["a@b.c"])
        #expect(users(bind("from='x@b.c/d'", "y@b.c"), "<message to='a@b.c'/>", to: .unlessAnswer) == [nil, "a@b.c"])
        #expect(
            users("<message to='\(String(repeating: "a", count: 300))@b.c'/>", to: .always)[0]?.hasSuffix("a...")
                == true)
        #expect(users("<message to='a@b.c/\(String(repeating: "d", count: 3_066))'/>", to: .always) == [nil])
    }

    @Test("a name is at most 256 bytes long, whole letters of it, and one longer than any address is none")
    func bounds() {
        let long = String(repeating: "ü", count: 300)
        let found = users(bind("", "\(long)@b.c/d"))[0]
        #expect(found == String(repeating: "ü", count: 127) + "...")
        #expect(users(bind("", String(repeating: "a", count: 256)))[0]?.utf8.count == 256)
        #expect(users(bind("", String(repeating: "a", count: 3_072))) == [nil])
        #expect(users(bind("", "a@b.c/" + String(repeating: "d", count: 3_065))) == ["a@b.c"])
        #expect(users(bind("from='\(String(repeating: "a", count: 4_000))'", "a@b.c")) == [nil])
    }
}
