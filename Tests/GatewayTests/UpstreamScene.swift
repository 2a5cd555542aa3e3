import TestSupport
import Testing

extension Daemon {
    /// Starts the daemon with a configuration file and the usual flags. Tables of domains in the file win over these
    /// flags.
    convenience init(
        configuration: String, flags: [String] = [], environment: [String: String] = [:]
    ) throws {
        let file = try TemporaryFile(Array(configuration.utf8))
        try self.init(["--config", file.path] + flags, environment: environment)
        // The file has been read by now.
        withExtendedLifetime(file) {}
    }
}

extension BOSHClient {
    /// Asks for a session with the given domain, or with none.
    func create(to domain: String?, _ more: String = "") throws -> BOSHRequest {
        let to = domain.map { "to='\($0)' " } ?? ""
        return try send("\(to)wait='60' hold='1' ver='1.6' xmpp:version='1.0' xmlns:xmpp='urn:xmpp:xbosh' \(more)")
    }

    /// Restarts the stream, as after a login.
    func restart() throws -> BOSHRequest {
        try send("xmpp:restart='true' xmlns:xmpp='urn:xmpp:xbosh' to='example.org'")
    }
}

extension ScriptedStream {
    /// A stream error that contains only its condition. The server sends nothing after it.
    static func error(_ condition: String, _ text: String = "") -> String {
        let name = "\(condition) xmlns='urn:ietf:params:xml:ns:xmpp-streams'"
        return "<stream:error>" + (text.isEmpty ? "<\(name)/>" : "<\(name)>\(text)</\(condition)>") + "</stream:error>"
    }
}

/// The servers of one domain, and a daemon that knows them in this order of priority.
final class TargetScene {
    let servers: [ScriptedUpstream]
    let daemon: Daemon

    init(
        _ servers: [ScriptedUpstream], flags: [String] = [], environment: [String: String] = [:],
        place: (Int, UInt16) -> String = { "127.0.0.1:\($1) priority=\($0)" }
    ) throws {
        self.servers = servers
        let places = servers.enumerated().flatMap { ["--upstream", place($0, $1.port)] }
        daemon = try Daemon(places + ["--max-wait", "60"] + flags, environment: environment)
    }

    /// The same with servers that work.
    convenience init(count: Int = 2, flags: [String] = [], environment: [String: String] = [:]) throws {
        try self.init(try (0..<count).map { _ in try ScriptedUpstream() }, flags: flags, environment: environment)
    }

    /// The server to which a connection has come first; the connection is still to be accepted.
    func awaitedServer() throws -> Int {
        try Patience.value("any server has a connection", pause: 1) { try servers.firstIndex { try !$0.isUntouched } }
    }

    /// Expects that stanzas go both ways.
    func expectWorks(_ client: BOSHClient, _ stream: any ServerStream) throws {
        let request = try client.send("", "<message xmlns='jabber:client' id='ping'/>")
        #expect(try stream.read(until: "id='ping'/>").hasSuffix("<message xmlns='jabber:client' id='ping'/>"))
        try stream.send("<message id='pong'/>")
        #expect(try request.answer().payload == "<message xmlns='jabber:client' id='pong'/>")
    }
}
