import Testing

@testable import holdfast

@Suite struct StatusTextTests {
    private func text(_ json: String) throws -> String { try StatusText(json: Array(json.utf8)).text }

    @Test("what a person wants to know stands on a few lines, without what never happened")
    func lines() throws {
        let json = """
            {"version": "0.2", "uptime_seconds": 7500, "process": {"pid": 41, "stopping": 1},
             "sessions": {"now": 3, "ever": 9, "opening": 1, "not_logged_in": 2, "held_requests": 3,
                          "ended": {"terminated": 5, "inactive": 1, "lost": 0}, "refused": {}},
             "http": {"connections_now": 4, "requests": 77},
             "upstream": {"streams_now": 3, "failures": {"refused": 0}},
             "limits": {"send-rate": 0, "max-sessions": 4}, "memory": {"held": 20480, "limit": 1073741824},
             "capacity": {"max-sessions": {"used": 3, "limit": 3}, "descriptors": {"used": 64, "limit": 19800},
                          "memory-limit": {"used": 20480, "limit": 1073741824}},
             "supervisor": {"deaths": 0, "reloads": 2},
             "workers": {"10": {"pid": 44, "sessions": 1, "generation": 2, "retired": 0},
                         "2": {"pid": 43, "sessions": 2, "moved_in": 7, "generation": 1, "retired": 1}}}
            """
        #expect(
            try text(json) == """
                holdfast    0.2, up 2 h 5 min, pid 41, ending
                sessions    3 now, 9 ever, 1 opening, 2 not logged in, 3 held requests
                ended       5 terminated, 1 inactive
                http        4 connections now, 77 requests
                upstream    3 streams now
                limits      sessions (max-sessions)              3 of        3 100 %, reached
                            open files for sessions             64 of    19800   0 %
                            memory for peers (memory-limit) 20 KiB of 1024 MiB   0 %
                reached     4 max-sessions
                worker 2    43 pid, 2 sessions, 7 moved in, generation 1, keeps old sessions
                worker 10   44 pid, 1 sessions, generation 2
                supervisor  2 reloads

                """)
    }

    @Test(
        "uptimes are rounded to what a person reads",
        arguments: [(119, "119 s"), (121, "2 min"), (200_000, "2 days")])
    func uptimes(seconds: Int, words: String) throws {
        #expect(try text("{\"uptime_seconds\": \(seconds)}") == "holdfast    up \(words)\n")
    }

    @Test("limits: the nearest comes first, and one that is not set has no line")
    func limits() throws {
        let json = """
            {"capacity": {"login-sessions": {"used": 79, "limit": 100}, "local-ports": {"used": 80, "limit": 100},
                          "max-sessions": {"used": 5, "limit": 0}, "descriptors": {"used": 7},
                          "a-new-one": {"used": 250, "limit": 100}, "memory-limit": {"used": 10485760, "limit": 10239}}}
            """
        #expect(
            try text(json) == """
                limits      memory for peers (memory-limit) 10 MiB of 10239 B 102410 %, reached
                            a-new-one                          250 of     100 250 %, reached
                            local ports to one server           80 of     100  80 %, nearly reached
                            without login (login-sessions)      79 of     100  79 %

                """)
    }

    @Test("an answer of another program is no status", arguments: ["", "[1]", "null x", "{\"a\""])
    func nonsense(json: String) {
        #expect(throws: (any Error).self) { try text(json) }
    }

    @Test("numbers of other kinds than expected do no harm")
    func surprises() throws {
        let json = """
            {"version": 7, "sessions": 3, "process": {"pid": 99999999999}, "workers": {"x": 1, "3": {}},
             "capacity": {"a": 1, "b": {"used": "x", "limit": 3}, "c": {"used": 1, "limit": -1}}}
            """
        let status = try StatusText(json: Array(json.utf8))
        #expect(status.processID == nil)
        #expect(status.sessions == 0)
        #expect(status.text.isEmpty)
        let most = "{\"capacity\": {\"a\": {\"used\": 9223372036854775807, \"limit\": 1}}}"
        #expect(try text(most).hasSuffix(" 999999 %, reached\n"))
        let least = "{\"capacity\": {\"a\": {\"used\": -9223372036854775807, \"limit\": 1}}}"
        #expect(try text(least).hasSuffix("   0 %\n"))
    }
}
