import TestSupport
import Testing

extension Daemon {
    /// Starts it with a configuration file and the usual flags beside it, of which tables of domains win over all but those.
    convenience init(
        configuration: String, flags: [String] = [], environment: [String: String] = [:]
    ) throws {
        let file = try TemporaryFile(Array(configuration.utf8))
        try self.init(["--config", file.path] + flags, environment: environment)
        // It was read by now.
        withExtendedLifetime(file) {}
    }
}

extension BOSHClient {
    /// Asks for a session with any domain, or with none.
    func create(to domain: String?, _ more: String = "") throws -> BOSHRequest {
        let to = domain.map { "to='\($0)' " } ?? ""
        return try send("\(to)wait='60' hold='1' ver='1.6' xmpp:version='1.0' xmlns:xmpp='urn:xmpp:xbosh' \(more)")
    }

    /// Begins the stream anew, as after a login.
    func restart() throws -> BOSHRequest {
        try send("xmpp:restart='true' xmlns:xmpp='urn:xmpp:xbosh' to='example.org'")
    }
}

extension ScriptedStream {
    /// A stream error that says no more than its condition; nor does the server say anything behind it.
    static func error(_ condition: String, _ text: String = "") -> String {
        let name = "\(condition) xmlns='urn:ietf:params:xml:ns:xmpp-streams'"
        return "<stream:error>" + (text.isEmpty ? "<\(name)/>" : "<\(name)>\(text)</\(condition)>") + "</stream:error>"
    }
}

/// Servers of one domain, and a daemon that knows them in this order of priority.
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

    /// The same with servers that are in order.
    convenience init(count: Int = 2, flags: [String] = [], environment: [String: String] = [:]) throws {
        try self.init(try (0..<count).map { _ in try ScriptedUpstream() }, flags: flags, environment: environment)
    }

    /// The server that a connection has come to first; it is still to be accepted.
    func awaitedServer() throws -> Int {
        for _ in 0..<Patience.milliseconds {
            if let index = try servers.firstIndex(where: { try !$0.isUntouched }) { return index }
            Patience.pause(milliseconds: 1)
        }
        throw TestFault("waited in vain for a connection to any server")
    }

    /// Expects that stanzas go both ways.
    func expectWorks(_ client: BOSHClient, _ stream: any ServerStream) throws {
        let request = try client.send("", "<message xmlns='jabber:client' id='ping'/>")
        #expect(try stream.read(until: "id='ping'/>").hasSuffix("<message xmlns='jabber:client' id='ping'/>"))
        try stream.send("<message id='pong'/>")
        #expect(try request.answer().payload == "<message xmlns='jabber:client' id='pong'/>")
    }
}
