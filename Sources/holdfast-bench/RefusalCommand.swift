import ArgumentParser
import Histogram
import Reactor

/// `holdfast-bench refusal`: how long a client waits to hear that its XMPP server cannot be reached.
struct RefusalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "refusal",
        abstract: "Creation requests one after another, each timed until it is refused.",
        discussion: "For a connection manager whose server refuses connections. Fails if a session is created.")

    @Option(help: "The connection manager, ADDR:PORT.")
    var connect: String
    @Option(help: "The path of the BOSH endpoint.")
    var path: String = "/http-bind"
    @Option(help: "The XMPP domain.")
    var domain: String = "bench.test"
    @Option(help: "How many requests.")
    var requests: Int = 200
    @Flag(help: "Print the report as one JSON object.")
    var json = false

    func run() throws {
        guard let address = SocketAddress(connect) else {
            throw ValidationError("--connect '\(connect)': ADDR:PORT expected")
        }
        guard (1...100_000).contains(requests) else {
            throw ValidationError("--requests \(requests): 1 to 100000 expected")
        }
        let profile = BOSHClient.Profile(path: path, host: "\(address)", domain: domain, hold: 1, wait: 60)
        var report = RefusalReport()
        for number in 0..<requests {
            var client = BOSHClient(profile: profile, login: .anonymous, firstRID: 1_000 + UInt64(number))
            let began = MonotonicClock.now.nanoseconds
            let outcome = try Refusal(client: &client, address: address).outcome()
            report.add(outcome, nanoseconds: MonotonicClock.now.nanoseconds - began)
        }
        StandardStream.output.writeLine(json ? report.json : report.text)
        if !report.isClean { throw ExitCode(1) }
    }
}

/// The outcome of the requests.
struct RefusalReport {
    /// How often each outcome occurred.
    private(set) var outcomes: [String: Int] = [:]
    private var latency = Histogram<UInt64>(highestTrackableValue: 600_000_000, numberOfSignificantValueDigits: .three)

    /// What a client is told whose server cannot be reached: to try again later.
    static let expected = "status 503"

    mutating func add(_ outcome: String, nanoseconds: UInt64) {
        outcomes[outcome, default: 0] += 1
        _ = latency.record(min(nanoseconds / 1_000, 600_000_000))
    }

    /// Whether every client was told so.
    var isClean: Bool { outcomes.keys.allSatisfy { $0 == Self.expected } }

    var text: String {
        let counts = outcomes.sorted { $0.key < $1.key }.map { "\($0.value) x \($0.key)" }
        return """
            \(counts.joined(separator: ", "))
            p50 \(LoadReport.short(milliseconds(50))) ms, p99 \(LoadReport.short(milliseconds(99))) ms, max \
            \(LoadReport.short(milliseconds(100))) ms
            """
    }

    var json: String {
        let others = outcomes.filter { $0.key != Self.expected }.values.reduce(0, +)
        return """
            {"refused":\(outcomes[Self.expected] ?? 0),"other":\(others),\
            "p50_ms":\(LoadReport.short(milliseconds(50))),"p99_ms":\(LoadReport.short(milliseconds(99))),\
            "max_ms":\(LoadReport.short(milliseconds(100)))}
            """
    }

    private func milliseconds(_ percentile: Double) -> Double {
        Double(percentile == 100 ? latency.max : latency.valueAtPercentile(percentile)) / 1_000
    }
}

/// One creation request and its response, on a connection of its own.
private struct Refusal: ~Copyable {
    private var client: BOSHClient
    private let socket: StreamSocket
    private var poller: Poller
    private var buffer = ReadBuffer()

    init(client: inout BOSHClient, address: SocketAddress) throws(SystemError) {
        client.start()
        let poller = try Poller()
        let socket = try Self.connection(to: address)
        try poller.register(socket.descriptor, token: 0, interest: [.readable, .writable])
        self.client = client
        self.poller = poller
        self.socket = socket
    }

    private static func connection(to address: SocketAddress) throws(SystemError) -> StreamSocket {
        switch StreamSocket.connect(to: address) {
        case .connected(let socket): return socket
        case .connecting(let socket): return socket
        case .failed(let error): throw error
        }
    }

    /// How the session ended, in words.
    consuming func outcome() throws(SystemError) -> String {
        var outgoing = client.nextRequest()?.bytes ?? []
        var reader = LinkReader.http(ReplyParser())
        while true {
            guard try poller.wait(timeout: .seconds(30)) > 0 else { return "no response in 30 s" }
            if poller[0].isWritable, !outgoing.isEmpty {
                guard case .wrote(let count) = socket.write(outgoing) else { return "the connection was refused" }
                outgoing.removeFirst(count)
                if outgoing.isEmpty { try poller.modify(socket.descriptor, token: 0, interest: .readable) }
            }
            guard poller[0].isReadable || poller[0].isHangup else { continue }
            guard case .bytes = socket.read(into: &buffer) else { return "the connection was closed" }
            buffer.withBytes { reader.append($0) }
            do throws(ReplyParser.Malformed) {
                guard let reply = try reader.next() else { continue }
                _ = client.receive(reply, on: 0)
            } catch {
                return "no HTTP response"
            }
            if case .failed(let reason) = client.phase { return reason }
            return "a session was created"
        }
    }
}
