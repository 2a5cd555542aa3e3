/// An HTTP answer as it came.
package struct HTTPAnswer {
    package let status: Int
    /// The status line and all fields, with their line ends.
    package let head: String
    package let body: String

    /// A field's value, with the values of all its lines joined by commas; nil when it is absent.
    package func field(_ name: String) -> String? {
        let values = head.split(separator: "\r\n").dropFirst().compactMap { line -> String? in
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0].lowercased() == name.lowercased() else { return nil }
            return String(parts[1].drop { $0 == " " })
        }
        return values.isEmpty ? nil : values.joined(separator: ", ")
    }
}

/// A client on one HTTP connection.
package final class RawClient {
    package let wire: ByteStream
    /// A daemon ends when nobody holds it, so its client does.
    private let daemon: Daemon

    /// A client on an open connection.
    package init(_ wire: ByteStream, of daemon: Daemon) {
        self.wire = wire
        self.daemon = daemon
    }

    /// The bytes of a request for the BOSH path, or another one.
    package static func post(_ body: String, _ fields: String..., to path: String = "/http-bind") -> String {
        let fields = fields.map { $0 + "\r\n" }.joined()
        return
            "POST \(path) HTTP/1.1\r\nHost: localhost\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    package func send(_ text: String) throws {
        try wire.send(text)
    }

    /// Reads one answer; `toHead` for an answer to HEAD, which has no body whatever its length says.
    package func answer(toHead: Bool = false) throws -> HTTPAnswer {
        let head = try wire.read(until: "\r\n\r\n")
        guard head.hasPrefix("HTTP/1.1 "), let status = Int(head.dropFirst(9).prefix(3)) else {
            throw TestFault("no status line: \(head)")
        }
        let bodiless = HTTPAnswer(status: status, head: head, body: "")
        if toHead || status == 204 || status < 200 { return bodiless }
        guard let length = bodiless.field("Content-Length").flatMap({ Int($0) }) else {
            throw TestFault("no length: \(head)")
        }
        return HTTPAnswer(status: status, head: head, body: try wire.read(count: length).text)
    }

    /// Sends a request and reads its answer.
    package func exchange(_ request: String) throws -> HTTPAnswer {
        try send(request)
        return try answer()
    }

    package func get(_ path: String) throws -> HTTPAnswer {
        try exchange("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n")
    }

    /// The content of `/stats`; on a connection to the admin listener.
    package func statistics() throws -> Statistics {
        try Statistics(json: try get("/stats").body)
    }

    /// Waits until a number in `/stats`, such as `sessions.now`, has a value; on a connection to the admin listener.
    package func wait(until path: String, is value: Int) throws {
        var last: Int?
        try Patience.wait("\(path) is \(value) and not \(last.map(String.init) ?? "unknown")") {
            last = try statistics().number(path)
            return last == value
        }
    }
}
