import Testing

@testable import LogLines

/// How single lines look.
@Suite struct LogLineTests {
    private func line(
        _ style: LineStyle, _ event: String = "session ended", room: Int = 3_800,
        fields: [(String, String)] = [], number: (String, LoggedNumber)? = nil
    ) -> String {
        var line = LogLine(style, .warning, .sessions, event, milliseconds: 1_795_000_000_050, room: room)
        for (key, value) in fields { line.add(key, value) }
        if let number { line.add(number.0, number.1) }
        return String(decoding: line.finished, as: UTF8.self)
    }

    @Test(
        "log: times are RFC 3339, UTC, with milliseconds",
        arguments: [
            (Int64(0), "1970-01-01T00:00:00.000Z"), (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"), (4_107_542_399_001, "2100-02-28T23:59:59.001Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"), (1_795_000_000_050, "2026-11-18T11:06:40.050Z"),
        ])
    func writesTimes(milliseconds: Int64, text: String) {
        #expect(LogLine.time(milliseconds: milliseconds) == text)
    }

    @Test("log-format: a line in each form")
    func forms() {
        let fields = [("reason", "inactive"), ("after", "5 s")]
        let number = ("worker", LoggedNumber(3))
        #expect(
            line(LineStyle(.text), fields: fields, number: number)
                == "2026-11-18T11:06:40.050Z warning sessions: session ended reason=inactive after=\"5 s\" worker=3")
        #expect(
            line(LineStyle(.json), fields: fields, number: number)
                == #"{"ts":"2026-11-18T11:06:40.050Z","level":"warning","event":"session ended","subsystem":"sessions","#
                + #""reason":"inactive","after":"5 s","worker":3}"#)
        #expect(
            line(LineStyle(.logfmt), fields: fields, number: number)
                == "ts=2026-11-18T11:06:40.050Z level=warning event=\"session ended\" subsystem=sessions reason=inactive "
                + "after=\"5 s\" worker=3"
        )
    }

    @Test("log-priorities: each form begins with the priority, and text then has no time")
    func priorities() {
        #expect(line(LineStyle(.text, hasPriorities: true)) == "<4>warning sessions: session ended")
        #expect(line(LineStyle(.json, hasPriorities: true)).hasPrefix("<4>{\"ts\":\"2026-"))
        #expect(line(LineStyle(.logfmt, hasPriorities: true)).hasPrefix("<4>ts=2026-"))
    }

    @Test(
        "log: what could end a line, or a quotation, or move a terminal, is escaped",
        arguments: [
            ("a\nb", "a\\u{a}b"), ("a\r\nb", "a\\u{d}\\u{a}b"), ("\u{85}", "\\u{85}"),
            ("\u{2028}\u{2029}", "\\u{2028}\\u{2029}"),
            ("\u{1B}[2J", "\\u{1b}[2J"), ("\u{0}", "\\u{0}"), ("\u{7F}", "\\u{7f}"), ("\u{9B}1m", "\\u{9b}1m"),
            ("say \"x\"", "say \\\"x\\\""), ("a\\n", "a\\\\n"), ("plain é 日本", "plain é 日本"), ("", ""),
        ])
    func escapes(text: String, escaped: String) {
        #expect(line(LineStyle(.text), text) == "2026-11-18T11:06:40.050Z warning sessions: \(escaped)")
        let value = line(LineStyle(.text), "e", fields: [("key", " " + text)])
        #expect(value == "2026-11-18T11:06:40.050Z warning sessions: e key=\" \(escaped)\"")
    }

    @Test("log-format: JSON and logfmt have the escapes of JSON")
    func escapesOfJSON() {
        let text = "\"\\\n\u{1B}\u{85}\u{2028}é"
        let escaped = #"\"\\\u000a\u001b\u0085\u2028é"#
        #expect(line(LineStyle(.json), text).contains("\"event\":\"\(escaped)\",\"subsystem\":\"sessions\"}"))
        #expect(line(LineStyle(.logfmt), "e", fields: [("key", text)]).hasSuffix(" key=\"\(escaped)\""))
    }

    @Test("log: only plain values have no quotes", arguments: LineStyle.Form.allCases)
    func quotes(form: LineStyle.Form) {
        for value in ["", " ", "a b", "a=b", "a\"b", "é", "\t"] {
            #expect(line(LineStyle(form), "e", fields: [("key", value)]).contains("key=\"") == (form != .json))
        }
        #expect(
            line(LineStyle(form), "e", fields: [("key", "12")]).hasSuffix(form == .json ? "\"12\"}" : "key=12"))
    }

    @Test("log: a key cannot break a line or take the place of another one")
    func keys() {
        let fields = [("event", "x"), ("subsystem", "w"), ("a b\"=\n", "y"), ("", "z")]
        #expect(
            line(LineStyle(.json), "e", fields: fields).hasSuffix(
                #""event":"e","subsystem":"sessions","event_":"x","subsystem_":"w","a_b____":"y","_":"z"}"#))
        #expect(line(LineStyle(.logfmt), "e", fields: fields).hasSuffix(" event_=x subsystem_=w a_b____=y _=z"))
    }

    @Test("log: what finds no room is cut or left out, and the line is whole", arguments: LineStyle.Form.allCases)
    func bounds(form: LineStyle.Form) {
        let fields = (0..<30).map { ("key\($0)", String(repeating: "\u{1}é", count: 60)) }
        for room in 200...1_200 {
            let line = line(LineStyle(form, hasPriorities: true), room: room, fields: fields)
            #expect(line.utf8.count <= room)
            #expect(line.contains("left_out"))
            #expect(line.hasSuffix(form == .json ? "}" : "left_out=\(line.split(separator: "=").last ?? "")"))
        }
        #expect(line(LineStyle(form), String(repeating: "é", count: 5_000)).contains("é..."))
    }

    @Test("log: a number that finds no room is left out whole", arguments: LineStyle.Form.allCases)
    func boundsNumbers(form: LineStyle.Form) {
        for length in 0...200 {
            for value in [Int.min, .max] {
                let event = String(repeating: "e", count: length)
                let line = line(LineStyle(form), event, room: 200, number: ("number", LoggedNumber(value)))
                #expect(line.utf8.count <= 200)
                let isWhole = line.contains(form == .json ? "\"number\":\(value)}" : " number=\(value)")
                #expect(isWhole != line.contains("left_out"))
            }
        }
    }

    @Test("log-level: a value has a bound in bytes, and is cut between characters")
    func boundsValues() {
        let long = "a" + String(repeating: "\u{301}", count: 100_000)
        let cut = LogLine.bounded(long)
        #expect(cut.utf8.count <= LogLine.longestValue + 3)
        #expect(!cut.unicodeScalars.contains("\u{FFFD}"))
        #expect(LogLine.bounded("short") == "short")
    }
}
