import Histogram

/// The results of a run.
struct LoadReport {
    let plan: LoadPlan
    var loginSeconds = 0.0
    var messageSeconds = 0.0
    /// The sums over all senders.
    var sent = 0
    var received = 0
    var lost = 0
    var doubled = 0
    var outOfOrder = 0
    /// HTTP requests while messages flowed.
    var requests = 0
    /// Connections cut on purpose; and those that ended under an open request for another reason.
    var kills = 0
    var connectionLosses = 0
    /// What the death of a worker explains; only with `LoadPlan.sessionsMayEnd`.
    var ends = SessionEnds()
    /// Sessions that the plan has and that lived when messages ended.
    var liveSessions = 0
    /// Sessions that ended too early: the reasons, with the number of each.
    var failures: [String: Int] = [:]
    /// When the last of them ended, in nanoseconds of the monotonic clock; 0 when none did.
    var lastFailure: UInt64 = 0
    /// From due time to arrival, in microseconds.
    var latency = Histogram<UInt64>(highestTrackableValue: 600_000_000, numberOfSignificantValueDigits: .three)

    /// The events with their instants; nil unless the plan wants them.
    var journal: LoadJournal?

    /// Whether nothing went wrong.
    var isClean: Bool { lost == 0 && doubled == 0 && outOfOrder == 0 && failures.isEmpty }

    /// Lines for people.
    var text: String {
        var lines = ["sessions     \(plan.sessions), all logged in after \(Self.short(loginSeconds)) s"]
        if plan.mode != .idle {
            lines.append(
                """
                messages     sent \(sent), received \(received), lost \(lost), doubled \(doubled), \
                out of order \(outOfOrder)
                """)
            lines.append(
                """
                throughput   \(Self.short(throughput)) messages/s, \(requests) HTTP requests, \
                \(Self.short(requestsPerMessage)) a message
                """)
            lines.append(
                """
                latency ms   p50 \(milliseconds(50)), p90 \(milliseconds(90)), p99 \(milliseconds(99)), \
                max \(milliseconds(100))
                """)
        }
        if kills > 0 { lines.append("cut          \(kills) connections under a poll") }
        if connectionLosses > 0 { lines.append("repeated     \(connectionLosses) requests whose connection ended") }
        if plan.sessionsMayEnd { lines += ends.lines + ["living       \(liveSessions) sessions when messages ended"] }
        for (reason, count) in failures.sorted(by: { $0.key < $1.key }) {
            lines.append("FAILED       \(count) sessions: \(reason)")
        }
        return lines.joined(separator: "\n")
    }

    /// One JSON object on one line; each time has the unit in its key.
    var json: String {
        let failed = failures.values.reduce(0, +)
        return """
            {"mode":"\(plan.mode.rawValue)","to":"\(plan.receiver.rawValue)","sessions":\(plan.sessions),\
            "login_seconds":\(Self.short(loginSeconds)),"message_seconds":\(Self.short(messageSeconds)),\
            "sent":\(sent),"received":\(received),"lost":\(lost),"doubled":\(doubled),"out_of_order":\(outOfOrder),\
            "requests":\(requests),"messages_per_second":\(Self.short(throughput)),"kills":\(kills),\
            "connection_losses":\(connectionLosses),\(ends.members),"live_sessions":\(liveSessions),"failed_sessions":\(failed),"last_failure_ns":\(lastFailure),\
            "p50_ms":\(milliseconds(50)),"p90_ms":\(milliseconds(90)),"p99_ms":\(milliseconds(99)),\
            "max_ms":\(milliseconds(100))}
            """
    }

    private var throughput: Double { messageSeconds > 0 ? Double(received) / messageSeconds : 0 }
    private var requestsPerMessage: Double { received > 0 ? Double(requests) / Double(received) : 0 }

    private func milliseconds(_ percentile: Double) -> String {
        guard received > 0 else { return "0" }
        let value = percentile == 100 ? latency.max : latency.valueAtPercentile(percentile)
        return Self.short(Double(value) / 1_000)
    }

    /// Three decimals, without Foundation.
    static func short(_ value: Double) -> String {
        let thousandths = Int((value * 1_000).rounded())
        let fraction = String(thousandths % 1_000)
        return "\(thousandths / 1_000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
    }
}
