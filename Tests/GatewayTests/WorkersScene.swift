import TestSupport
import Testing

/// A daemon of several workers in front of a scripted server, with clients that share connections like those behind a
/// proxy.
final class WorkersScene {
    /// One session with its server's end.
    struct Member {
        let client: BOSHClient
        let stream: ScriptedStream
        /// The answer that began the session.
        let created: BOSHBody

        /// The worker that has the session: the second part of the `sid`.
        var worker: String { client.sid.split(separator: ".").dropFirst().first.map(String.init) ?? "" }
    }

    let server: ScriptedUpstream
    private(set) var daemon: Daemon
    /// The programs that have ended: their workers live on, and end with the scene.
    private var earlier: [Daemon] = []
    private let flags: [String]
    private let environment: [String: String]
    /// How many workers there shall be.
    let workers: Int

    init(
        workers: Int = 2, flags: [String] = [], environment: [String: String] = [:], executable: String? = nil
    ) throws {
        self.workers = workers
        let server = try ScriptedUpstream()
        self.server = server
        let usual = flags.contains("--config") ? [] : ["--max-wait", "60"]
        self.flags = ["--upstream", "127.0.0.1:\(server.port)"] + usual + flags
        self.environment = environment.merging(["HOLDFAST_WORKERS": "\(workers)"]) { given, _ in given }
        daemon = try Daemon(self.flags, environment: self.environment, executable: executable)
    }

    /// Starts the program once more in the place of the one that has ended.
    func startAgain() throws {
        earlier.append(daemon)
        daemon = try Daemon(flags, environment: environment)
    }

    /// Begins a session over a connection.
    func begin(
        over connection: RawClient, _ attributes: String = "wait='60' hold='1'", field: String = "Accept: */*",
        at path: String = "/http-bind"
    ) throws -> Member {
        let client = BOSHClient(daemon)
        let creation =
            "to='example.org' ver='1.6' xmpp:version='1.0' xmlns:xmpp='urn:xmpp:xbosh' \(attributes)"
        try connection.send(RawClient.post(client.nextBody(creation), field, to: path))
        let stream = try server.accept()
        try stream.open()
        let created = try client.adopt(try BOSHBody(try connection.answer().body))
        return Member(client: client, stream: stream, created: created)
    }

    /// Begins sessions until each of two workers has one, and returns one of each.
    func twoOwners(
        over connection: RawClient, _ attributes: String = "wait='60' hold='1'"
    ) throws -> (Member, Member) {
        let first = try begin(over: connection, attributes)
        for _ in 0..<8 {
            let second = try begin(over: connection, attributes)
            if second.worker != first.worker { return (first, second) }
        }
        throw TestFault("nine sessions are all with worker \(first.worker)")
    }
}

extension RawClient {
    /// Sends the next request of a session and waits for its answer.
    func exchange(_ member: WorkersScene.Member, _ attributes: String = "", _ payload: String = "") throws -> BOSHBody {
        try send(RawClient.post(member.client.nextBody(attributes, payload)))
        return try BOSHBody(try answer().body)
    }
}
