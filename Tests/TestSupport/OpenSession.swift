/// An open session: a daemon, a scripted server, and a client that has received the features.
package final class OpenSession {
    package let daemon: Daemon
    package let server: ScriptedUpstream
    /// The server's end of the session's stream.
    package let stream: ScriptedStream
    package let client: BOSHClient
    /// The creation response.
    package let created: BOSHBody

    /// Makes all of these, or another session of a running daemon.
    ///
    /// - Parameters:
    ///   - creation: the attributes of the creation request.
    ///   - flags: further flags of the daemon.
    ///   - environment: the daemon's variables in addition to those of this process.
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

    /// Sends a stanza again and again to a server that reads nothing. Each request releases the one before, until the
    /// server takes no more.
    ///
    /// - Returns: how many were sent, and the request that is held although another one has come.
    package func sendUntilHeld(_ stanza: String, most: Int) throws -> (sent: Int, held: BOSHRequest) {
        var older = try client.send("", stanza)
        for sent in 2...most {
            let request = try client.send("", stanza)
            try daemon.settle()
            if try older.isHeld { return (sent, older) }
            guard try older.answer().isEmpty else { throw TestFault("an answer with payload") }
            older = request
        }
        throw TestFault("\(most) requests are taken from the client")
    }
}
