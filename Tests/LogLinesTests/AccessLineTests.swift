import Effort
import FoundationEssentials
import Settings
import Testing

@testable import LogLines

/// How the lines of the access log look.
@Suite struct AccessLineTests {
    private static let request = AccessedRequest(
        client: "203.0.113.9", method: "POST", path: "/http-bind", version: "HTTP/1.1",
        referer: Array("https://chat.example/room?token=1#x".utf8), agent: Array("Mozilla/5.0 (X11)".utf8))

    private func line(_ format: AccessLogFormat, _ request: AccessedRequest, milliseconds: Int64 = 55_012) -> String {
        var output: [UInt8] = []
        AccessLine(format, request, room: [1, 2, 3]).finish(
            at: AccessTime(seconds: 971_186_136), status: 200, bodyCount: 431, milliseconds: milliseconds, into: &output
        )
        return String(decoding: output, as: UTF8.self)
    }

    @Test("access-log-format: combined is what log tools read, with the time taken at the end")
    func combined() {
        #expect(
            line(.combined, Self.request)
                == "203.0.113.9 - - [10/Oct/2000:13:55:36 +0000] \"POST /http-bind HTTP/1.1\" 200 431 "
                + "\"https://chat.example/room\" \"Mozilla/5.0 (X11)\" 55.012\n")
    }

    @Test("access-log-format: json is one object a line")
    func json() {
        #expect(
            line(.json, Self.request)
                == #"{"ts":"2000-10-10T13:55:36Z","client":"203.0.113.9","method":"POST","path":"/http-bind","#
                + #""protocol":"HTTP/1.1","status":200,"bytes":431,"referer":"https://chat.example/room","#
                + #""agent":"Mozilla/5.0 (X11)","seconds":55.012}"# + "\n")
    }

    @Test("access-log: what is not known is a dash")
    func unknown() {
        #expect(
            line(.combined, AccessedRequest(client: ""), milliseconds: 7)
                == "- - - [10/Oct/2000:13:55:36 +0000] \"-\" 200 431 \"-\" \"-\" 0.007\n")
        #expect(line(.json, AccessedRequest(client: "")).contains(#""client":"","method":"","path":"","protocol":"","#))
    }

    @Test("access-log: quotes, backslashes, control bytes and what is not ASCII are \\xHH")
    func escapes() {
        var request = Self.request
        request.agent = [0x22, 0x5C, 0x0A, 0x7F, 0xE9, 0x00, 0x41]
        #expect(line(.combined, request).contains(#" "\x22\x5C\x0A\x7F\xE9\x00A" "#))
        #expect(line(.json, request).contains(#""agent":"\\x22\\x5C\\x0A\\x7F\\xE9\\x00A""#))
    }

    @Test("access-log: no line has a query, however the request is spelt", arguments: AccessLogFormat.allCases)
    func noQuery(format: AccessLogFormat) {
        var request = Self.request
        request.path = "/http-bind?sid=secret"
        #expect(!line(format, request).contains("secret") && !line(format, request).contains("token"))
    }

    @Test("access-log: a line is one line, bounded, and JSON can be read", arguments: AccessLogFormat.allCases)
    func hostile(format: AccessLogFormat) throws {
        for seed in 0..<Effort.cases(UInt64(500)) {
            var generator = SeededGenerator(seed: seed)
            func bytes() -> [UInt8] {
                let most = generator.oneIn(4) ? 9_000 : 60
                return (0..<generator.below(most)).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
            }
            let request = AccessedRequest(
                client: "::1", method: "GET", path: "/" + String(decoding: bytes(), as: UTF8.self), version: "HTTP/1.1",
                referer: bytes(), agent: bytes())
            let line = line(format, request)
            #expect(line.utf8.count <= AccessLine.longest)
            #expect(line.hasSuffix("\n") && line.utf8.dropLast().allSatisfy { (0x20...0x7E).contains($0) })
            guard format == .json else {
                #expect(line.utf8.count { $0 == UInt8(ascii: "\"") } == 6)
                continue
            }
            let object = try JSONSerialization.object(line)
            #expect(object == 10)
        }
    }

    @Test(
        "access-log: times of all months",
        arguments: [
            (Int64(0), "01/Jan/1970:00:00:00 +0000", "1970-01-01T00:00:00Z"),
            (1_709_251_199, "29/Feb/2024:23:59:59 +0000", "2024-02-29T23:59:59Z"),
            (1_798_761_599, "31/Dec/2026:23:59:59 +0000", "2026-12-31T23:59:59Z"),
        ])
    func times(seconds: Int64, combined: String, json: String) {
        let time = AccessTime(seconds: seconds)
        #expect(time.combined == Array(combined.utf8) && time.json == Array(json.utf8))
    }
}

/// Reads an object of any members.
private enum JSONSerialization {
    private struct AnyMember: Decodable {}

    /// How many members it has.
    static func object(_ text: String) throws -> Int {
        try JSONDecoder().decode([String: AnyMember].self, from: Data(text.utf8)).count
    }
}
