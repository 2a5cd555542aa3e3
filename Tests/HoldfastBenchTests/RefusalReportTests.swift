import Testing

@testable import holdfast_bench

@Suite struct RefusalReportTests {
    @Test("what every client has to be told is clean")
    func clean() {
        var report = RefusalReport()
        report.add("status 503", nanoseconds: 1_000_000)
        report.add("status 503", nanoseconds: 3_000_000)
        #expect(report.isClean)
        #expect(report.outcomes == ["status 503": 2])
        #expect(report.json.hasPrefix(#"{"refused":2,"other":0,"p50_ms":1."#) || report.json.contains(#""p50_ms":1.0"#))
        #expect(report.json.contains(#""max_ms":3.0"#))
    }

    @Test("anything else is not", arguments: ["a session was created", "terminated: host-unknown", "status 502"])
    func unclean(outcome: String) {
        var report = RefusalReport()
        report.add("status 503", nanoseconds: 1)
        report.add(outcome, nanoseconds: 1)
        #expect(!report.isClean)
        #expect(report.text.contains("1 x \(outcome)"))
        #expect(report.json.hasPrefix(#"{"refused":1,"other":1,"#))
    }
}
