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
            "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", "<continue xmlns='urn:xmpp:sasl:2'/>",
            "<success xmlns='urn:example'/>", "<success/>", "<m:success xmlns:m='urn:xmpp:sasl'/>",
            "<message><success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></message>",
            "<iq type='result' id='auth1'><query xmlns='jabber:iq:auth'><username/><password/></query></iq>",
            "<iq type='error' id='auth2'/>", "<failure xmlns='urn:example'><not-authorized/></failure>", "<failure/>",
            "<iq type='error'><error code='409' type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
            "<iq type='error'><query xmlns='jabber:iq:auth' code='401'/><error type='auth'><not-authorized/></error></iq>",
            "<iq type='set'><error code='401'><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
            "<message type='error'><error code='401'/></message>",
            "<iq type='set' id='r1'><query xmlns='jabber:iq:register'/></iq>", "<iq type='set' id='a'/>",
            "<iq xmlns='urn:example' type='result'/>", "<message type='result'/>",
            "<iq xmlns:x='urn:x' x:type='result' id='a'/>",
            "<iq type='result'><a><query xmlns='jabber:iq:register'/></a></iq>",
        ])
    func nothing(element: String) {
        #expect(sign(element) == LoginSign.none)
    }

    private static let sasl = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'"
    private static let stanzas = "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'"

    @Test(
        "address-login-failures: what refuses a login, by its condition",
        arguments: [
            ("<failure \(sasl)><not-authorized/></failure>", LoginFailure.notAuthorized),
            ("<failure \(sasl)><account-disabled/><text xml:lang='en'>Call 555</text></failure>", .accountDisabled),
            ("<failure \(sasl)><text>No</text><temporary-auth-failure/></failure>", .temporaryAuthFailure),
            ("<failure xmlns='urn:xmpp:sasl:2'><credentials-expired \(sasl)/></failure>", .credentialsExpired),
            ("<s:failure><aborted \(sasl)/><text>Bye</text></s:failure>", .aborted),
            ("<failure \(sasl)/>", .other), ("<failure \(sasl)><bad-protocol/></failure>", .other),
            ("<failure \(sasl)><not-authorized xmlns='urn:example'/></failure>", .other),
            ("<failure \(sasl)><x><not-authorized/></x></failure>", .other),
            ("<iq type='error' id='auth2'><error code='401' type='auth'/></iq>", .notAuthorized),
            (
                "<iq type='error' id='auth2'><query xmlns='jabber:iq:auth'><username>a</username></query>"
                    + "<error type='auth'><not-authorized \(stanzas)/></error></iq>", .notAuthorized
            ),
        ])
    func failure(element: String, condition: LoginFailure) {
        #expect(sign(element) == .failure(condition))
    }

    @Test("address-login-failures: nothing that a server writes gets into logs and counters")
    func closedList() {
        #expect(Set(LoginFailure.allCases.map(\.rawValue)).count == 12)
        for failure in LoginFailure.allCases where failure != .other {
            #expect(sign("<failure \(Self.sasl)><\(failure.rawValue)/></failure>") == .failure(failure))
        }
        #expect(LoginFailure(condition: Array("Not-Authorized".utf8)) == .other)
        #expect(LoginFailure(condition: []) == .other)
    }

    @Test("address-login-failures: what may be a guess counts, and what is the server's fault does not")
    func guesses() {
        let innocent: [LoginFailure] = [
            .aborted, .encryptionRequired, .invalidMechanism, .mechanismTooWeak, .temporaryAuthFailure,
        ]
        for failure in LoginFailure.allCases { #expect(failure.mayBeGuess == !innocent.contains(failure)) }
    }
}
