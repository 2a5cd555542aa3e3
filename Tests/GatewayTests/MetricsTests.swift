import TestSupport
import Testing

@testable import Gateway

/// The numbers for Prometheus, and their table.
@Suite struct MetricsTests {
    private func text(_ samples: [Sample]) -> String { String(decoding: MetricsText.text(samples), as: UTF8.self) }

    /// The value of a line that begins with these characters, on a listener's `/metrics`.
    private func value(_ name: String, in text: String) -> String? {
        text.split(separator: "\n").first { $0.hasPrefix(name + " ") }.map { String($0.dropFirst(name.utf8.count + 1)) }
    }

    @Test("every number of /stats has a row, with several workers too", arguments: ["none", "2"])
    func everyNumber(workers: String) throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(
            ["--upstream", "127.0.0.1:\(server.port)"], environment: ["HOLDFAST_WORKERS": workers])
        let paths = try daemon.statistics().paths
        #expect(paths.count > 200)
        for path in paths { #expect(MetricTable.match(path) != nil, "\(path.joined(separator: "/")) has no row") }
        // And no row is for nothing: each stands for a number that comes.
        var used = Set(paths.compactMap { MetricTable.match($0)?.row })
        if workers != "none" {
            for (index, row) in MetricTable.rows.enumerated() {
                #expect(used.remove(index) != nil, "nothing has the path \(row.path.joined(separator: "/"))")
            }
        }
    }

    @Test("every row has a name by the rules, a sentence, and a label for each star")
    func names() {
        for row in MetricTable.rows {
            #expect(row.help.hasSuffix("."), "\(row.path)")
            guard case .metric(let name, _, let labels) = row.export else { continue }
            #expect(name.hasSuffix("_total") == (row.kind == .counter), "\(name)")
            #expect(name.utf8.allSatisfy { $0 == 0x5F || 0x61...0x7A ~= $0 }, "\(name)")
            let stars = row.path.count { $0 == "*" }
            #expect(labels.count == (row.kind == .information ? 1 : stars), "\(name)")
            for label in labels { #expect(!["sid", "jid", "ip", "client"].contains(label)) }
        }
    }

    @Test("rows of one metric agree about its type and its words")
    func rowsOfOneMetric() {
        var known: [String: MetricRow] = [:]
        for row in MetricTable.rows {
            guard case .metric(let name, _, _) = row.export else { continue }
            if let other = known[name] { #expect(other.kind == row.kind && other.help == row.help, "\(name)") }
            known[name] = row
        }
    }

    @Test("a counter, a gauge and a text: one line each, behind help and type")
    func lines() {
        var list = SampleList()
        list.add("sessions", "now", gauge: 3)
        list.add("sessions", "ended", "inactive", counter: 7)
        list.add("sessions", "ended", "terminated", counter: 0)
        list.add("version", information: "1\"2\\")
        list.add("nothing", "known", gauge: 1)
        #expect(
            text(list.samples) == """
                # HELP holdfast_build_info The version of the program.
                # TYPE holdfast_build_info gauge
                holdfast_build_info{version="1\\"2\\\\"} 1
                # HELP holdfast_sessions Sessions over BOSH, WebSocket and HTTP polling.
                # TYPE holdfast_sessions gauge
                holdfast_sessions 3
                # HELP holdfast_sessions_ended_total Sessions that ended, by the reason.
                # TYPE holdfast_sessions_ended_total counter
                holdfast_sessions_ended_total{reason="inactive"} 7
                holdfast_sessions_ended_total{reason="terminated"} 0

                """)
    }

    @Test("directions are one metric, whichever row they are from")
    func directions() {
        var list = SampleList()
        list.add("http", "bytes_in", counter: 1)
        list.add("http", "bytes_out", counter: 2)
        let lines = text(list.samples).split(separator: "\n")
        #expect(lines.count == 4)
        #expect(
            lines.suffix(2) == [
                "holdfast_client_bytes_total{direction=\"in\"} 1", "holdfast_client_bytes_total{direction=\"out\"} 2",
            ])
    }

    @Test("a distribution is a histogram whose last bucket has no bound")
    func histogram() {
        var summary = LatencySummary()
        summary.record(.milliseconds(3))
        summary.record(.seconds(60))
        var list = SampleList()
        list.add("sites", "*", "connect_time", latency: summary)
        let lines = text(list.samples).split(separator: "\n").map(String.init)
        let name = "holdfast_domain_connect_seconds"
        #expect(lines.first { $0.hasPrefix("# TYPE") } == "# TYPE \(name) histogram")
        #expect(lines.contains("\(name)_count{domain=\"other\"} 2"))
        #expect(lines.contains("\(name)_sum{domain=\"other\"} 60.003"))
        #expect(lines.contains("\(name)_bucket{domain=\"other\",le=\"0.001\"} 0"))
        #expect(lines.contains("\(name)_bucket{domain=\"other\",le=\"0.005\"} 1"))
        #expect(lines.contains("\(name)_bucket{domain=\"other\",le=\"+Inf\"} 2"))
        #expect(lines.filter { $0.contains("_bucket") }.count == summary.bucketCount)
    }

    @Test("metrics: what a session does is in the answer, and nothing that names it")
    func answer() throws {
        let session = try OpenSession()
        let poll = try session.client.send()
        try session.daemon.wait(until: "sessions.held_requests", is: 1)
        try session.stream.send("<message/>")
        _ = try poll.answer()
        let answer = try session.daemon.connectToAdmin().get("/metrics")
        #expect(answer.status == 200)
        #expect(answer.field("Content-Type") == "text/plain; version=0.0.4; charset=utf-8")
        #expect(value("holdfast_sessions", in: answer.body) == "1")
        #expect(value("holdfast_stanzas_total{direction=\"in\"}", in: answer.body) == "1")
        #expect(value("holdfast_forward_latency_seconds_count", in: answer.body) == "1")
        #expect(value("holdfast_fetch_wait_seconds_count", in: answer.body) == "0")
        let server = "server=\"127.0.0.1:\(session.server.port)\""
        #expect(value("holdfast_server_streams{\(server)}", in: answer.body) == "1")
        #expect(value("holdfast_server_breaker{\(server)}", in: answer.body) == "0")
        #expect(value("holdfast_build_info{version=\"\(Version.text)\"}", in: answer.body) == "1")
        #expect(!answer.body.contains(session.client.sid))
    }

    @Test("stanzas that come while no request is there count as waiting for the client, not as forwarded")
    func fetch() throws {
        let session = try OpenSession()
        try session.stream.send("<message/>")
        try session.daemon.wait(until: "upstream.stanzas_in", is: 1)
        #expect(try session.daemon.statistics().number("latency.fetch.count") == 0)
        #expect(try session.client.exchange().payload.contains("message"))
        let statistics = try session.daemon.statistics()
        #expect(try statistics.number("latency.fetch.count") == 1)
        #expect(try statistics.number("latency.forward.count") == 0)
        #expect(try statistics.number("latency.hold.count") >= 2)
        #expect(try statistics.number("latency.turn.count") > 0)
    }

    @Test("a poll whose client goes away, and a request that is sent again, are counted")
    func abortsAndRepeats() throws {
        let session = try OpenSession()
        let poll = try session.client.send()
        try session.daemon.wait(until: "sessions.held_requests", is: 1)
        poll.abort()
        try session.daemon.wait(until: "sessions.aborted_polls", is: 1)
        #expect(try session.daemon.statistics().number("sessions.repeats") == 0)
        try session.stream.send("<message/>")
        _ = try session.client.exchange("", "", rid: 1_002)
        _ = try session.client.exchange("", "", rid: 1_002)
        #expect(try session.daemon.statistics().number("sessions.repeats") == 1)
    }
}
