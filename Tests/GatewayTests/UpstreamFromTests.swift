import COpenSSL
import TestSupport
import Testing

/// Whether the server learns the account that the client claims (RFC 6120 §4.7.1).
@Suite struct UpstreamFromTests {
    private static let creation = "wait='60' hold='1' ver='1.6' xmpp:version='1.0' from='romeo@example.org/orchard'"
    private static let named = " from='romeo@example.org' "

    @Test("upstream-from: nobody is named in the clear, unless that is wanted", arguments: ["tls", "never", "always"])
    func plain(setting: String) throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(
            ["--upstream", "127.0.0.1:\(server.port)"], environment: ["HOLDFAST_UPSTREAM_FROM": setting])
        let client = BOSHClient(daemon)
        let request = try client.create(Self.creation)
        let stream = try server.accept()
        #expect(try stream.open().contains(Self.named) == (setting == "always"))
        try client.adopt(try request.answer())
        // A client that has claimed nothing is not named either.
        let other = BOSHClient(daemon)
        let silent = try other.create()
        #expect(try !server.accept().open().contains(" from="))
        withExtendedLifetime(silent) {}
    }

    @Test("upstream-from: over TLS the client is named, but not before", arguments: ["starttls", "direct"])
    func protected(mode: String) throws {
        let authority = try TLSIdentity.authority()
        let scene = try HostileScene(mode, trusting: authority)
        let client = BOSHClient(scene.daemon)
        let request = try client.create(Self.creation)
        let stream = try scene.server.accept()
        if mode == "starttls" {
            #expect(try !stream.open(features: ScriptedStream.startTLSFeatures).contains(" from="))
            _ = try stream.read(until: ScriptedStream.startTLS)
            try stream.send(ScriptedStream.proceed)
        }
        let secured = try SecuredStream(
            stream.wire, as: try TLSIdentity(issuedBy: authority), newest: TLS1_3_VERSION)
        try secured.handshake()
        _ = try secured.read(until: "<stream:stream")
        #expect(try secured.read(until: ">").contains(Self.named))
        try secured.send(ScriptedStream.header() + ScriptedStream.features)
        try client.adopt(try request.answer())
    }
}
