import FoundationEssentials
import Glibc
import Settings
import TestSupport
import Testing

/// How the lines of the running program look, those of the supervisor and of the workers alike.
@Suite struct LogFormTests {
    /// The values of a line of JSON, which are texts and whole numbers.
    private enum Value: Decodable, Equatable {
        case text(String)
        case number(Int)

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let number = try? container.decode(Int.self) {
                self = .number(number)
            } else {
                self = .text(try container.decode(String.self))
            }
        }
    }

    private static let server = ["--upstream", "127.0.0.1:5222"]
    private static let workers = ["HOLDFAST_WORKERS": "2"]

    /// All lines of a program that was asked to end.
    private func lines(of daemon: Daemon) throws -> [Substring] {
        daemon.send(SIGTERM)
        #expect(try daemon.waitUntilEnded() == .code(0))
        return try daemon.errors.split(separator: "\n")
    }

    @Test("log-format: json is one object a line, with time, level, event and the part of the program")
    func json() throws {
        let daemon = try Daemon(Self.server + ["--log-format", "json"], environment: Self.workers)
        #expect(try daemon.connect().get("/http-bind").status == 200)
        let objects = try lines(of: daemon).map {
            try JSONDecoder().decode([String: Value].self, from: Data($0.utf8))
        }
        for object in objects {
            guard case .text(let time) = object["ts"] else {
                Issue.record("no time in \(object)")
                return
            }
            #expect(time.utf8.count == 24 && time.hasSuffix("Z"))
            #expect(object["subsystem"] != nil && object["event"] != nil && object["level"] != nil)
        }
        let serves = try #require(objects.first { $0["event"] == .text("holdfast serves") })
        #expect(serves["level"] == .text("notice") && serves["subsystem"] == .text("process"))
        // Both workers say that they end, and only the supervisor's lines have no worker.
        let ends = objects.filter { $0["event"] == .text("shutting down") && $0["sessions"] != nil }
        let tags: [Value] = ends.compactMap { $0["worker"] }
        #expect(ends.allSatisfy { $0["sessions"] == .number(0) })
        #expect(tags.count == 2 && tags.contains(.number(1)) && tags.contains(.number(2)))
    }

    @Test("log-format: what is counted is a number in JSON, and what names something is a text")
    func numbers() throws {
        let session = try OpenSession(environment: ["HOLDFAST_LOG_FORMAT": "json"])
        let objects = try lines(of: session.daemon).map {
            try JSONDecoder().decode([String: Value].self, from: Data($0.utf8))
        }
        let end = try #require(objects.first { $0["event"] == .text("session ended") })
        #expect(end["subsystem"] == .text("sessions"))
        for key in ["seconds", "requests", "stanzas_to_server", "stanzas_to_client"] {
            guard case .number? = end[key] else {
                Issue.record("\(key) in \(end)")
                continue
            }
        }
        for key in ["sid8", "stream_id8", "client", "server", "reason"] {
            guard case .text? = end[key] else {
                Issue.record("\(key) in \(end)")
                continue
            }
        }
    }

    @Test("log-format: logfmt begins with time, level and event")
    func logfmt() throws {
        let daemon = try Daemon(Self.server + ["--log-format", "logfmt"], environment: Self.workers)
        let lines = try lines(of: daemon)
        #expect(lines.count > 3)
        for line in lines {
            #expect(line.hasPrefix("ts=20"))
            let parts = line.split(separator: " ", maxSplits: 2)
            #expect(parts.count == 3 && parts[1].hasPrefix("level=") && parts[2].hasPrefix("event=\""))
            #expect(line.contains("\" subsystem="))
        }
    }

    @Test("log-format: auto and text are for people", arguments: ["auto", "text"])
    func text(format: String) throws {
        let daemon = try Daemon(Self.server + ["--log-format", format])
        for line in try lines(of: daemon) {
            let words = line.split(separator: " ")
            #expect(line.hasPrefix("20") && words.first?.hasSuffix("Z") == true)
            #expect(LogSubsystem.allCases.contains { words[2] == "\($0.rawValue):" })
        }
    }

    @Test("log-priorities: only if the journal reads the very stream, lines have priorities and no time")
    func journal() throws {
        let own = try lines(of: Daemon(Self.server, environment: Self.workers, journal: .itsOwn))
        #expect(own.contains { $0.hasPrefix("<5>notice process: shutting down") })
        #expect(own.contains { $0.hasPrefix("<7>debug ") })
        for line in own {
            #expect(line.first == "<" && line.dropFirst(2).first == ">")
            #expect(line.dropFirst(3).first?.isLetter == true)
        }
        // Whoever has redirected the stream has left the variable as it was.
        for line in try lines(of: Daemon(Self.server, journal: .another)) { #expect(line.hasPrefix("20")) }
    }

    @Test("log-priorities: on and off win over what the service manager says")
    func forced() throws {
        let on = ["HOLDFAST_LOG_PRIORITIES": "on"]
        for line in try lines(of: Daemon(Self.server, environment: on)) { #expect(line.hasPrefix("<")) }
        let off = ["HOLDFAST_LOG_PRIORITIES": "off", "HOLDFAST_LOG_FORMAT": "json"]
        for line in try lines(of: Daemon(Self.server, environment: off, journal: .itsOwn)) {
            #expect(line.hasPrefix("{"))
        }
    }

    @Test("log-priorities: the line about a start that fails has one as well, if lines have priorities")
    func failedStart() throws {
        let other = try ScriptedUpstream()
        let arguments = ["run", "--listen", "127.0.0.1:\(other.port)", "--admin", "off", "--domain", "example.org"]
        for workers in ["none", "2"] {
            let run = try Daemon.run(
                arguments + Self.server,
                environment: ["HOLDFAST_LOG_PRIORITIES": "on", "HOLDFAST_WORKERS": workers])
            #expect(run.exit == .code(1))
            #expect(
                run.errors.hasPrefix("<2>critical process: holdfast cannot serve reason=\"")
                    && run.errors.hasSuffix("\"\n"))
            #expect(run.errors.split(separator: "\n").count == 1)
        }
    }
}
