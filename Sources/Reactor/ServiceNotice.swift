import Primitives

/// Tells the service manager how the program stands (sd_notify(3)). Without one it does nothing.
package final class ServiceNotice {
    /// What is told.
    package enum Message: Equatable, Sendable {
        /// Clients are served. `status`: one line for a person.
        case ready(status: String)
        /// The configuration or the program is being replaced; `ready` follows.
        case reloading
        /// The program ends.
        case stopping
    }

    private let address: String?
    /// How often the service manager wants to hear that the program lives; nil when it does not.
    private let interval: Duration?
    /// When `feed` is due; nil when nobody waits for it.
    package private(set) var feedsAt: MonotonicInstant?
    private var turns: UInt64 = 0

    /// Finds the service manager by the variables that it has set (`NOTIFY_SOCKET`, `WATCHDOG_USEC`, `WATCHDOG_PID`), and
    /// removes none of them, because the next program in this process needs them too.
    package convenience init() {
        self.init(environment: Syscalls.environment, processID: Syscalls.processID, now: MonotonicClock.now)
    }

    /// - Parameters:
    ///   - environment: the variables, as `NAME=value`.
    ///   - processID: the process that is watched.
    init(environment: [String], processID: Int32, now: MonotonicInstant) {
        func value(_ name: String) -> String? {
            environment.first { $0.hasPrefix("\(name)=") }.map { String($0.dropFirst(name.count + 1)) }
        }
        let path = value("NOTIFY_SOCKET") ?? ""
        address = path.hasPrefix("/") || path.hasPrefix("@") ? path : nil
        let isWatched = value("WATCHDOG_PID").map { $0 == "\(processID)" } ?? true
        if address != nil, isWatched, let microseconds = value("WATCHDOG_USEC").flatMap({ Int64($0) }), microseconds > 0
        {
            // As sd_watchdog_enabled(3) recommends.
            interval = .microseconds(microseconds / 2)
        } else {
            interval = nil
        }
        feedsAt = interval.map { now.advanced(by: $0) }
    }

    /// Tells something.
    package func say(_ message: Message) {
        switch message {
        case .ready(let status): send("READY=1\nSTATUS=\(status)\n")
        case .reloading:
            // The time lets a newer service manager tell this from an older reload.
            send("RELOADING=1\nMONOTONIC_USEC=\(MonotonicClock.now.microseconds)\nSTATUS=Reloading\n")
        case .stopping: send("STOPPING=1\nSTATUS=Sessions are told to come back\n")
        }
    }

    /// Tells that the program lives, if its workers do.
    ///
    /// - Parameters:
    ///   - turns: how often the loops of all workers have turned. If the number stands still, nothing is told.
    ///   - isIdle: whether there is no worker whose loop could turn.
    ///   - status: one line for a person; nil to leave the last one.
    package func feed(now: MonotonicInstant, turns: UInt64, isIdle: Bool, status: String? = nil) {
        guard let interval else { return }
        feedsAt = now.advanced(by: interval)
        if turns != self.turns || isIdle {
            send("WATCHDOG=1\n" + (status.map { "STATUS=\($0)\n" } ?? ""))
        }
        self.turns = turns
    }

    /// Tells nothing more.
    package func close() { feedsAt = nil }

    private func send(_ text: String) {
        guard let address else { return }
        // A service manager that cannot be reached is no reason to stop serving.
        _ = Syscalls.sendDatagram(Array(text.utf8), to: address)
    }
}

extension MonotonicInstant {
    fileprivate var microseconds: UInt64 { UInt64(clamping: nanoseconds / 1_000) }
}
