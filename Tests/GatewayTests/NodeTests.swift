import Gateway
import Settings
import TestSupport
import Testing

/// The name of the machine in each `sid`.
@Suite struct NodeTests {
    private static func request(node: String) -> String {
        "<body xmlns='http://jabber.org/protocol/httpbind' rid='7' sid='\(node).0.000102030405060708090a0b0c0d0e0f'/>"
    }

    @Test("S-02 node: it stands in each sid, also with several workers", arguments: ["1", "2"])
    func standsInSid(workers: String) throws {
        let session = try OpenSession(environment: ["HOLDFAST_NODE": "web1", "HOLDFAST_WORKERS": workers])
        #expect(session.client.sid.hasPrefix("web1."))
    }

    @Test("S-02 node: without the setting it is made of the host's name")
    func ofHost() throws {
        let settings = try Settings.resolve(
            entries: [
                SettingEntry("domain", "example.org", origin: .environment),
                SettingEntry("upstream", "127.0.0.1:5222", origin: .environment),
            ])
        let session = try OpenSession()
        #expect(session.client.sid.hasPrefix("\(Worker.node(settings))."))
    }

    @Test("node: a session of another one is not found, and the operator is told once a minute")
    func otherNode() throws {
        let session = try OpenSession(environment: ["HOLDFAST_NODE": "web1"])
        for _ in 0..<3 {
            let answer = try BOSHClient(session.daemon).send(text: Self.request(node: "web2")).answer()
            #expect(answer.condition == "item-not-found")
        }
        // Ours, but there is no such session.
        let unknown = try BOSHClient(session.daemon).send(text: Self.request(node: "web1")).answer()
        #expect(unknown.condition == "item-not-found")
        #expect(try session.daemon.statistics().number("sessions.other_node") == 3)
        #expect(try session.daemon.statistics().number("sessions.unknown_sid") == 4)
        let lines = try session.daemon.errors.split(separator: "\n").filter { $0.contains("another node") }
        #expect(lines.count == 1)
        #expect(lines.first?.contains("node=web2") == true && lines.first?.contains("own=web1") == true)
    }
}
