/// A session that stands: a daemon, a scripted server, and a client that was given the features.
package final class OpenSession {
    package let daemon: Daemon
    package let server: ScriptedUpstream
    /// The server's end of the session's stream.
    package let stream: ScriptedStream
    package let client: BOSHClient
    /// The creation response.
    package let created: BOSHBody

    /// Makes all of it; or another session of a daemon that runs.
    ///
    /// - Parameters:
    ///   - creation: the attributes of the creation request.
    ///   - flags: further flags of the daemon.
    ///   - environment: what the daemon finds in its environment beside that of this process.
    package init(
        _ creation: String = "wait='60' hold='1' ver='1.6' xmpp:version='1.0'", on existing: OpenSession? = nil,
        maxWait: Int = 60, receiveBuffer: Int32? = nil, flags: [String] = [], environment: [String: String] = [:]
    ) throws {
        server = try existing?.server ?? ScriptedUpstream(receiveBuffer: receiveBuffer)
        let usual = ["--upstream", "127.0.0.1:\(server.port)", "--max-wait", "\(maxWait)"]
        daemon = try existing?.daemon ?? Daemon(usual + flags, environment: environment)
        client = BOSHClient(daemon)
        let request = try client.create(creation)
        stream = try server.accept()
        try stream.open()
        created = try client.adopt(try request.answer())
    }
}
