import TestSupport
import Testing

@Suite struct SessionTests {
    @Test("S-02 S-03: a session is created and says what it grants")
    func creates() throws {
        let session = try OpenSession("wait='60' hold='1' ver='1.6' xmpp:version='1.0'")
        #expect(session.created["wait"] == "60")
        #expect(session.created["requests"] == "2")
        #expect(session.created.payload == ScriptedStream.features)
    }
}
