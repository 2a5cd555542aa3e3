import Testing

@testable import holdfast_bench

@Suite struct SessionEndsTests {
    private func plan(sessionsMayEnd: Bool) -> LoadPlan {
        LoadPlan(
            door: .bosh, sessions: 3, mode: .paced, receiver: .next, rate: 10, duration: .seconds(1), padding: 0,
            kills: 0,
            afterKill: .both, sessionsMayEnd: sessionsMayEnd, loginsAtOnce: 1, patience: .seconds(1), settling: .zero)
    }

    private func ends() -> SessionEnds {
        var ledger = DeliveryLedger()
        for _ in 0..<5 { _ = ledger.send() }
        for sequence in 0..<3 { _ = ledger.receive(sequence) }
        var ends = SessionEnds()
        ends.noteEnd()
        ends.noteEnd()
        ends.add(ledger)
        for status in [503, 502, 502] { ends.noteRepeat(after: status) }
        ends.noteFailures(inTurn: 2)
        ends.noteFailures(inTurn: 1)
        return ends
    }

    @Test func `only answers that a proxy gives in another's place lead to a repeat`() {
        #expect((100..<600).filter(SessionEnds.isRepeatable) == [502, 503, 504])
    }

    @Test func `all that a worker's death explains is reported apart`() {
        var report = LoadReport(plan: plan(sessionsMayEnd: true))
        report.ends = ends()
        report.liveSessions = 3
        #expect(report.isClean)
        #expect(report.text.contains("repeated     requests: 2 after 502, 1 after 503, 0 after 504; at most 2 times"))
        #expect(report.text.contains("ended        2 sessions, logged in again; of their messages 3 came, 2 were on"))
        #expect(report.text.contains("living       3 sessions"))
        #expect(report.json.contains(#""ended_sessions":2,"ended_sent":5,"ended_received":3,"repeats_502":2,"#))
        #expect(report.json.contains(#""repeats_503":1,"repeats_504":0,"most_repeats_in_turn":2,"live_sessions":3,"#))
    }

    @Test func `the journal has a line for each event`() {
        var journal = LoadJournal()
        journal.note(.arrival(after: 70), at: 5)
        journal.note(.failure(status: 502), at: 6)
        journal.note(.failure(status: nil), at: 7)
        journal.note(.end, at: 8)
        #expect(journal.lines == ["at 5 arrival 70", "at 6 failure 502", "at 7 failure -", "at 8 end -"])
    }

    @Test func `without the option people are not told of it`() {
        let text = LoadReport(plan: plan(sessionsMayEnd: false)).text
        #expect(!text.contains("ended") && !text.contains("after 502"))
    }
}
