import Logging
import Reactor
import Settings

/// The log of a process: a logger for each part of the program, all of which write to one stream in one style.
package struct Logs {
    package private(set) var clients: Logger
    package private(set) var sessions: Logger
    package private(set) var upstreams: Logger
    package private(set) var resolver: Logger
    package private(set) var admin: Logger
    package private(set) var process: Logger
    /// From which level on each part logs.
    package private(set) var levels: LogLevels
    /// Where the lines go; nil for a log that somebody else has made.
    private let outlet: Outlet?

    private struct Outlet {
        let stream: LogStream
        let isJournal: Bool
        let worker: UInt32?
    }

    /// A log as the settings want it.
    ///
    /// - Parameters:
    ///   - isJournal: whether systemd's journal reads the stream.
    ///   - worker: the tag of the worker, which all its lines have; nil for another process.
    package init(_ settings: Settings, to stream: LogStream, isJournal: Bool, worker: UInt32? = nil) {
        let style = LineStyle(settings, isJournal: isJournal)
        self.init(levels: settings.logLevel, outlet: Outlet(stream: stream, isJournal: isJournal, worker: worker)) {
            part in
            var handler = LineLogHandler(
                level: Logger.Level(settings.logLevel[part]), part: part, style: style, stream: stream)
            if let worker { handler[metadataKey: "worker"] = .number(worker) }
            let complete = handler
            return Logger(label: part.rawValue) { _ in complete }
        }
    }

    /// A log whose parts all begin with a copy of one logger.
    package init(alike logger: Logger) {
        let level = LogLevel(rawValue: logger.logLevel.rawValue) ?? .info
        self.init(levels: LogLevels(level), outlet: nil) { _ in logger }
    }

    private init(levels: LogLevels, outlet: Outlet?, _ make: (LogSubsystem) -> Logger) {
        self.levels = levels
        self.outlet = outlet
        clients = make(.clients)
        sessions = make(.sessions)
        upstreams = make(.upstreams)
        resolver = make(.resolver)
        admin = make(.admin)
        process = make(.process)
    }

    /// The logger of a part.
    package subscript(part: LogSubsystem) -> Logger {
        switch part {
        case .clients: clients
        case .sessions: sessions
        case .upstreams: upstreams
        case .resolver: resolver
        case .admin: admin
        case .process: process
        }
    }

    /// Changes the levels. The loggers that others have copied keep theirs.
    package mutating func set(_ levels: LogLevels) {
        self.levels = levels
        clients.logLevel = Logger.Level(levels[.clients])
        sessions.logLevel = Logger.Level(levels[.sessions])
        upstreams.logLevel = Logger.Level(levels[.upstreams])
        resolver.logLevel = Logger.Level(levels[.resolver])
        admin.logLevel = Logger.Level(levels[.admin])
        process.logLevel = Logger.Level(levels[.process])
    }

    /// Changes levels and style to those of other settings.
    package mutating func follow(_ settings: Settings) {
        if let outlet {
            self = Logs(settings, to: outlet.stream, isJournal: outlet.isJournal, worker: outlet.worker)
        } else {
            set(settings.logLevel)
        }
    }

    /// Says that an operator has changed the levels. The line is written whatever the levels are, so that somebody who makes
    /// the log silent still sees that it was done.
    package func announceLevels() {
        var logger = admin
        logger.logLevel = .notice
        logger.notice("the levels of the log were changed", metadata: ["levels": "\(levels)"])
    }

    /// Says that clients are served now, and where. The line is written whatever the level is: it is how people and programs
    /// learn which port the kernel has chosen.
    package func announce(version: String, _ places: String) {
        var logger = process
        logger.logLevel = .notice
        logger.notice("holdfast serves", metadata: ["version": "\(version)", "places": "\(places)"])
    }
}

extension Logger.Level {
    /// The level of the logging API for one of the settings.
    init(_ level: LogLevel) {
        self =
            switch level {
            case .trace: .trace
            case .debug: .debug
            case .info: .info
            case .notice: .notice
            case .warning: .warning
            case .error: .error
            case .critical: .critical
            }
    }
}
