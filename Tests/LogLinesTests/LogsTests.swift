import Logging
import Reactor
import Settings
import Testing

@testable import LogLines

/// The log of a process as the settings want it.
@Suite struct LogsTests {
    /// Notes the events that reach it.
    private struct Recorder: LogHandler {
        final class Events {
            var texts: [String] = []
        }

        nonisolated(unsafe) let events: Events
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { events.texts.append("\(event.level) \(event.message)") }
    }

    private func settings(_ entries: (String, String)...) throws -> Settings {
        let needed = [("listen", "127.0.0.1:1"), ("domain", "a.example"), ("upstream", "x:1")]
        return try Settings.resolve(entries: (needed + entries).map { SettingEntry($0.0, $0.1, origin: .environment) })
    }

    @Test func `a part's level can be changed, and a line below it costs no text`() throws {
        let events = Recorder.Events()
        var logs = Logs(alike: Logger(label: "test") { _ in Recorder(events: events) })
        func text() -> String {
            events.texts.append("made")
            return "x"
        }
        logs.set(try #require(LogLevels("error clients=debug")))
        logs.sessions.warning("\(text())")
        #expect(events.texts.isEmpty)
        logs.sessions.error("a")
        logs[.clients].debug("b")
        logs.clients.trace("\(text())")
        #expect(events.texts == ["error a", "debug b"])
        #expect(logs.levels.description == "error clients=debug")
        for part in LogSubsystem.allCases {
            #expect(logs[part].logLevel == (part == .clients ? .debug : .error))
        }
    }

    @Test func `the line that says where clients are served comes at any level`() {
        let events = Recorder.Events()
        var logs = Logs(alike: Logger(label: "test") { _ in Recorder(events: events) })
        logs.set(LogLevels(.critical))
        logs.announce(version: "1", "BOSH on http://127.0.0.1:5280/http-bind")
        logs.process.error("not this one")
        #expect(events.texts == ["notice holdfast serves"])
    }

    @Test func `other settings change the levels`() throws {
        var logs = Logs(try settings(), to: try LogStream.standardError(), isJournal: false, worker: 3)
        #expect(logs.levels == LogLevels(.info))
        logs.follow(try settings(("log-level", "warning admin=info")))
        #expect(logs.sessions.logLevel == .warning && logs.admin.logLevel == .info)
        #expect(logs.sessions[metadataKey: "worker"] == .number(3))
    }

    @Test(arguments: [
        ("auto", "auto", false, LineStyle(.text)), ("auto", "auto", true, LineStyle(.text, hasPriorities: true)),
        ("text", "off", true, LineStyle(.text)), ("json", "auto", true, LineStyle(.json, hasPriorities: true)),
        ("json", "on", false, LineStyle(.json, hasPriorities: true)), ("logfmt", "auto", false, LineStyle(.logfmt)),
    ])
    func `the settings and the journal decide how lines look`(
        format: String, priorities: String, isJournal: Bool, style: LineStyle
    ) throws {
        let settings = try settings(("log-format", format), ("log-priorities", priorities))
        #expect(LineStyle(settings, isJournal: isJournal) == style)
    }

    @Test func `a level of the settings has its priority of sd-daemon(3)`() {
        let priorities = LogLevel.allCases.map { Logger.Level($0).priority }
        #expect(priorities == [7, 7, 6, 5, 4, 3, 2])
        #expect(LogLevel.allCases.map { Logger.Level($0).rawValue } == LogLevel.allCases.map(\.rawValue))
    }

    private func handler(_ form: LineStyle.Form) throws -> LineLogHandler {
        LineLogHandler(
            level: .info, part: .sessions, style: LineStyle(form), stream: try LogStream.standardError())
    }

    @Test func `fields are in the order of their names, and only the program's numbers are numbers`() throws {
        let fields: Logger.Metadata = [
            "worker": .number(UInt32(3)), "sid8": "12345678", "after": .stringConvertible(15), "list": ["a", "1"],
            "bytes": .number(UInt64.max), "seconds": .wholeSeconds(.milliseconds(1_999)), "depth": .number(-1),
        ]
        let line = try handler(.json).line(.info, "session ended", fields, milliseconds: 0)
        #expect(
            String(decoding: line, as: UTF8.self)
                == #"{"ts":"1970-01-01T00:00:00.000Z","level":"info","event":"session ended","subsystem":"sessions","#
                + #""after":"15","bytes":9223372036854775807,"depth":-1,"list":"[\"a\", \"1\"]","seconds":1,"#
                + #""sid8":"12345678","worker":3}"#)
        let text = try handler(.text).line(.info, "session ended", ["sid8": "1"], milliseconds: 0)
        #expect(String(decoding: text, as: UTF8.self) == "1970-01-01T00:00:00.000Z info sessions: session ended sid8=1")
    }

    @Test(
        arguments: zip(
            LineStyle.Form.allCases,
            [
                "1970-01-01T00:00:00.000Z warning process: log lines were dropped, because nobody read them in time lines=7",
                #"{"ts":"1970-01-01T00:00:00.000Z","level":"warning","event":"log lines were dropped, because nobody read "#
                    + #"them in time","subsystem":"process","lines":7}"#,
                "ts=1970-01-01T00:00:00.000Z level=warning event=\"log lines were dropped, because nobody read them in time\" "
                    + "subsystem=process lines=7",
            ]))
    func `the notice of dropped lines has the form of all lines`(form: LineStyle.Form, line: String) throws {
        let notice = try handler(form).notice(of: 7, milliseconds: 0)
        #expect(String(decoding: notice, as: UTF8.self) == line)
        #expect(try handler(form).notice(of: .max, milliseconds: 0).count <= LogStream.longestNotice)
    }
}
