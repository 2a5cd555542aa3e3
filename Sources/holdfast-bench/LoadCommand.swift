import ArgumentParser
import Reactor

/// `holdfast-bench load`: exits 0 when every message arrived once and in order and no session failed, otherwise 1.
struct LoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Clients over BOSH or WebSocket that send each other messages and check what arrives.",
        discussion: """
            Prints a line "ready" when all sessions are logged in, "done" when the last message has arrived, then the
            report. A script can sample the server's processor time at these two lines.
            """)

    @Option(help: "Where the connection manager listens, ADDR:PORT.")
    var connect: String = "127.0.0.1:5280"
    @Option(help: "The protocol of the clients: bosh or websocket.")
    var door: String = "bosh"
    @Option(help: "The path of the endpoint. Default: /http-bind or /xmpp-websocket.")
    var path: String?
    @Option(help: "The XMPP domain.")
    var domain: String = "bench.test"
    @Option(help: "How many sessions, 1 or more; each needs up to two descriptors.")
    var sessions: Int = 100
    @Option(help: "paced, closed or idle.")
    var mode: String = "paced"
    @Option(help: "To whom a session sends: self or next. Default: self when closed, next when paced.")
    var to: String?
    @Option(help: "Messages a second over all sessions (paced).")
    var rate: Int = 200
    @Option(help: "How long messages flow; with idle, 0 is until standard input closes.")
    var seconds: Int = 10
    @Option(help: "Bytes of text in each message.")
    var padding: Int = 100
    @Option(help: "The hold attribute.")
    var hold: Int = 1
    @Option(help: "The wait attribute, seconds.")
    var wait: Int = 60
    @Option(help: "Connections to cut under a poll while messages flow.")
    var killConnections: Int = 0
    @Option(help: "What a cut client does: repeat (the same request), next (the next rid) or both in turn.")
    var afterKill: String = "both"
    @Flag(
        help: """
            Count instead of fail what the death of a worker explains: a session that ends with item-not-found logs in \
            again, a request that gets 502, 503, 504 or no response is repeated.
            """)
    var sessionsMayEnd = false
    @Option(help: "anonymous or plain.")
    var login: String = "anonymous"
    @Option(help: "With plain: users are named PREFIX0, PREFIX1, ...")
    var userPrefix: String = "u"
    @Option(help: "With plain: the password of all users.")
    var password: String = ""
    @Option(help: "Logins at the same time.")
    var loginsAtOnce: Int = 32
    @Flag(help: "Print a line for each message that came and each request and session that failed, before the report.")
    var journal = false
    @Flag(help: "Print the report as one JSON object.")
    var json = false

    func run() throws {
        guard let address = SocketAddress(connect) else {
            throw ValidationError("--connect '\(connect)': ADDR:PORT expected")
        }
        let plan = try plan()
        let descriptors = DescriptorLimit.raise()
        guard sessions * (mode == "idle" ? 1 : 2) + 16 <= descriptors else {
            throw ValidationError("--sessions \(sessions): only \(descriptors) descriptors are allowed here")
        }
        let profile = BOSHClient.Profile(
            path: path ?? (plan.door == .bosh ? "/http-bind" : "/xmpp-websocket"), host: "\(address)", domain: domain,
            hold: hold, wait: wait)
        let run = try LoadRun(plan: plan, address: address, profile: profile) { number in
            login == "plain" ? .plain(user: "\(userPrefix)\(number)", password: password) : .anonymous
        }
        let report = try run.run()
        if let journal = report.journal { StandardStream.output.write(journal.lines.map { $0 + "\n" }.joined()) }
        StandardStream.output.writeLine(json ? report.json : report.text)
        if !report.isClean { throw ExitCode(1) }
    }

    private func plan() throws -> LoadPlan {
        guard let door = LoadPlan.Door(rawValue: door) else {
            throw ValidationError("--door '\(door)': bosh or websocket expected")
        }
        guard door == .bosh || killConnections == 0 && !sessionsMayEnd else {
            throw ValidationError(
                "--kill-connections and --sessions-may-end are for BOSH, whose sessions outlive connections")
        }
        guard let mode = LoadPlan.Mode(rawValue: mode) else {
            throw ValidationError("--mode '\(mode)': paced, closed or idle expected")
        }
        guard let receiver = LoadPlan.Receiver(rawValue: to ?? (mode == .closed ? "self" : "next")) else {
            throw ValidationError("--to '\(to ?? "")': self or next expected")
        }
        guard let afterKill = LoadPlan.AfterKill(rawValue: afterKill) else {
            throw ValidationError("--after-kill '\(afterKill)': repeat, next or both expected")
        }
        guard login == "anonymous" || login == "plain" else {
            throw ValidationError("--login '\(login)': anonymous or plain expected")
        }
        for (name, value, range) in [
            ("sessions", sessions, 1...100_000), ("rate", rate, 1...1_000_000), ("seconds", seconds, 0...86_400),
            ("padding", padding, 0...100_000), ("hold", hold, 0...10), ("wait", wait, 0...3_600),
            ("kill-connections", killConnections, 0...1_000_000), ("logins-at-once", loginsAtOnce, 1...10_000),
        ] where !range.contains(value) {
            throw ValidationError("--\(name) \(value): \(range.lowerBound) to \(range.upperBound) expected")
        }
        return LoadPlan(
            door: door, sessions: sessions, mode: mode, receiver: receiver, rate: rate,
            duration: mode == .idle && seconds == 0 ? nil : .seconds(seconds), padding: padding,
            kills: killConnections, afterKill: afterKill, sessionsMayEnd: sessionsMayEnd, loginsAtOnce: loginsAtOnce,
            patience: .seconds(20), settling: mode == .idle ? .zero : .seconds(1),
            hasJournal: journal)
    }
}
