import Testing

@testable import Gateway

@Suite struct LineLogHandlerTests {
    @Test(
        "log: times are RFC 3339, UTC, with milliseconds",
        arguments: [
            (Int64(0), "1970-01-01T00:00:00.000Z"), (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"), (4_107_542_399_001, "2100-02-28T23:59:59.001Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"), (1_795_000_000_050, "2026-11-18T11:06:40.050Z"),
        ])
    func writesTimes(milliseconds: Int64, text: String) {
        #expect(LineLogHandler.time(milliseconds: milliseconds) == text)
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
        #expect(LineLogHandler.escaped(text) == escaped)
        #expect(!LineLogHandler.escaped(text).contains { $0.isNewline })
    }
}
