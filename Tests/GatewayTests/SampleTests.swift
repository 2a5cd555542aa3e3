import BOSHCore
import Bridge
import StreamCore
import TLSCodec
import Testing

@testable import Gateway

/// Counters in fixed fields, and the list from which the statistics are printed.
@Suite struct SampleTests {
    private enum Fruit: String, CaseIterable {
        case apple, pear
        case redCurrant = "red-currant"
    }

    @Test("each case is counted for itself, and all of them are named")
    func tally() {
        var tally = Tally<Fruit>()
        tally.count(.pear)
        tally.count(.pear)
        tally.count(.redCurrant)
        #expect(tally[.apple] == 0 && tally[.pear] == 2 && tally[.redCurrant] == 1)
        #expect(tally.byName.map(\.name) == ["apple", "pear", "red-currant"])
        #expect(tally.byName.map(\.count) == [0, 2, 1])
    }

    @Test("there is room for every closed list that is counted")
    func capacity() {
        let sizes = [
            EndReason.allCases.count, TerminalCondition.allCases.count, UpstreamTrouble.Label.allCases.count,
            StreamFailure.ExactLabel.allCases.count, Bound.allCases.count, StreamAdvice.allCases.count,
        ]
        for size in sizes { #expect(size <= Tally<Fruit>.capacity) }
        for scale in LatencySummary.Scale.allCases {
            #expect(LatencySummary(scale).bucketCount <= LatencySummary.capacity)
            #expect(scale.bounds == scale.bounds.sorted())
        }
        #expect(LatencySummary.capacity == LatencySummary().buckets.count)
    }

    @Test("counters have no reference in them, so that they can lie in memory that is shared")
    func plain() {
        #expect(_isPOD(Counters.self) && _isPOD(UpstreamHealth.self) && _isPOD(Latencies.self))
    }

    @Test("each failure of the TLS codec has its name among the failures")
    func protectionFaults() {
        let errors: [TLSError] = [
            .trustAnchors(detail: ""), .clientCertificate(detail: ""), .rules(detail: ""), .untrustedCA(issuer: ""),
            .expired(subject: "", on: ""), .notYetValid(subject: "", until: ""),
            .wrongName(expected: "", presented: []),
            .pin(presented: ""), .certificate(detail: ""), .protocolVersion, .handshake(detail: ""),
            .record(detail: ""), .alert(detail: ""), .messageFlood, .closedDuringHandshake, .truncated,
            .ourFault(detail: ""),
        ]
        #expect(errors.map { ProtectionFault($0) } == ProtectionFault.allCases)
        for error in errors {
            #expect(ProtectionFault(error).rawValue == "tls-\(error.label)")
            #expect(StreamFailure.tls(ProtectionFault(error)).exactLabel.rawValue == "tls-\(error.label)")
        }
    }

    @Test("samples have names from the outermost on, and a list of cases has one each")
    func list() {
        var list = SampleList()
        list.add("a", "now", gauge: -3)
        list.add("a", "ever", counter: 7)
        var tally = Tally<Fruit>()
        tally.count(.apple)
        list.add("a", "by", tally: tally)
        list.add("version", information: "1.2")
        let lines = list.samples.map { "\($0.path.joined(separator: ".")) \($0.kind) \($0.value)" }
        #expect(
            lines == [
                "a.now gauge whole(0)", "a.ever counter whole(7)", "a.by.apple counter whole(1)",
                "a.by.pear counter whole(0)", "a.by.red-currant counter whole(0)",
                #"version information text("1.2")"#,
            ])
    }

    @Test("how long something took is counted by upper bounds, each with those below it")
    func latency() {
        var summary = LatencySummary()
        for time in [Duration.milliseconds(1), .milliseconds(3), .seconds(1), .seconds(60)] { summary.record(time) }
        var list = SampleList()
        list.add("t", latency: summary)
        let values = list.samples.map { sample in
            switch sample.value {
            case .whole(let number): "\(sample.path.dropFirst().joined(separator: " ")) \(number)"
            case .real(let number): "\(sample.path.dropFirst().joined(separator: " ")) \(number)"
            case .text(let text): text
            }
        }
        #expect(
            values == [
                "count 4", "sum 61.004", "longest 60.0", "at_most 0.001 1", "at_most 0.005 2", "at_most 0.025 2",
                "at_most 0.1 2", "at_most 0.5 2", "at_most 2.0 3", "at_most 10.0 3", "at_most inf 4",
            ])
    }

    @Test("JSON: bounds are in the order of their size, and those without one come last")
    func boundsInOrder() {
        var summary = LatencySummary()
        summary.record(.seconds(5))
        var list = SampleList()
        list.add("t", latency: summary)
        let text = String(decoding: StatisticsJSON.text(list.samples), as: UTF8.self)
        let bounds = ["0.001", "0.005", "0.025", "0.1", "0.5", "2.0", "10.0", "inf"]
        let places = bounds.map { text.firstRange(of: "\"\($0)\"")?.lowerBound }
        #expect(!places.contains(nil))
        #expect(places.compactMap { $0 } == places.compactMap { $0 }.sorted())
    }

    @Test("JSON: what a name or a text has of quotes and control bytes is escaped, and what is no number is zero")
    func escapes() {
        var list = SampleList()
        list.add("a\"\u{1}", information: "b\\\n")
        list.add(["n"], .counter, .real(.nan))
        let text = String(decoding: StatisticsJSON.text(list.samples), as: UTF8.self)
        #expect(text == "{\n  \"a\\\"\\u0001\" : \"b\\\\\\u000a\",\n  \"n\" : 0\n}\n")
    }

    @Test("JSON: objects within each other, names in order, a number each")
    func json() {
        var list = SampleList()
        list.add("b", "two", counter: 2)
        list.add("a", gauge: 1)
        list.add("b", "one words", information: "say \"hi\"")
        list.add("b", "deep", "er", counter: UInt64.max)
        let text = String(decoding: StatisticsJSON.text(list.samples), as: UTF8.self)
        #expect(
            text == """
                {
                  "a" : 1,
                  "b" : {
                    "deep" : {
                      "er" : 18446744073709551615
                    },
                    "one words" : "say \\"hi\\"",
                    "two" : 2
                  }
                }

                """)
    }
}
