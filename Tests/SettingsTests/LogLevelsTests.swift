import Settings
import Testing

/// From which level on each part of the program logs.
@Suite struct LogLevelsTests {
    @Test(arguments: [
        ("info", "info"), ("warn", "warning"), ("info clients=debug", "info clients=debug"),
        ("upstreams=warn clients=trace notice", "notice clients=trace upstreams=warning"),
        ("error,process=info", "error process=info"), ("  critical  ,  admin=debug ", "critical admin=debug"),
        ("sessions=debug", "info sessions=debug"), ("debug resolver=debug", "debug resolver=debug"),
    ])
    func `What may be written, and how it is shown`(text: String, shown: String) throws {
        let levels = try #require(LogLevels(text))
        #expect(levels.description == shown)
        // What is shown means the same when it is written.
        #expect(LogLevels(shown) == levels)
    }

    @Test func `A part without a level of its own has the common one`() throws {
        let levels = try #require(LogLevels("warning clients=debug process=critical"))
        for part in LogSubsystem.allCases {
            let level: LogLevel =
                switch part {
                case .clients: .debug
                case .process: .critical
                case .sessions, .upstreams, .resolver, .admin: .warning
                }
            #expect(levels[part] == level)
        }
        #expect(LogLevels(.error)[.clients] == .error)
    }

    @Test(arguments: [
        ("wran", "did you mean 'warn'?"), ("inf clients=debug", "did you mean 'info'?"),
        ("info client=debug", "did you mean 'clients'?"), ("upstream=debug", "did you mean 'upstreams'?"),
        ("info clients=debgu", "did you mean 'debug'?"), ("info debug", "only one level can hold for all parts"),
        ("clients=debug clients=info", "'clients' has two levels"), ("info frobnicator=debug", nil), ("5", nil),
        ("", nil), (" , ", nil), ("info =debug", nil), ("info clients=", nil),
        ("info clients==debug", "did you mean 'debug'?"),
        ("info\nclients=debug", nil), ("INFO", "did you mean 'info'?"), (String(repeating: "info ", count: 200), nil),
    ])
    func `What is refused, and how it can be mended`(text: String, hint: String?) {
        #expect(LogLevels(text) == nil)
        #expect(LogLevels.hint(text) == hint)
    }

    @Test func `Nothing is to be mended in what is allowed`() {
        #expect(LogLevels.hint("info clients=debug") == nil)
    }

    @Test func `The line about a setting names what is allowed and what was probably meant`() throws {
        let entry = SettingEntry("log-level", "info client=debug", origin: .flag)
        let fault = try #require(Settings.faults(in: [entry]).first)
        #expect(
            fault.description
                == "--log-level: 'info client=debug' is not a level (trace, debug, info, notice, warning, error, critical), "
                + "which part=level may follow; the parts are clients, sessions, upstreams, resolver, admin, process; "
                + "did you mean 'clients'?")
    }
}
