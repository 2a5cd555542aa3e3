import Testing

@testable import TOMLCodec

@Suite struct TOMLReaderTests {
    /// `KEY@LINE:COLUMN` of each member, at all depths, with what it is and where its value begins.
    private func describe(_ text: String) throws -> String {
        Self.describe(try TOMLReader.read(Array(text.utf8)))
    }

    private static func describe(_ members: [TOMLMember]) -> String {
        members.map { "\($0.key)@\(place($0.position)) \(describe($0.value))" }.joined(separator: ", ")
    }

    private static func describe(_ value: TOMLValue) -> String {
        let content: String =
            switch value.content {
            case .table(let members): "{\(describe(members))}"
            case .array(let values): "[\(values.map { describe($0) }.joined(separator: ", "))]"
            case .string(let text): "'\(text)'"
            case .integer(let number): "\(number)"
            case .boolean(let isTrue): "\(isTrue)"
            case .float, .date, .time, .dateTime: "\(value.content)"
            }
        return "\(place(value.begin))=\(content)"
    }

    private static func place(_ position: TOMLPosition) -> String { "\(position.line):\(position.column)" }

    @Test(arguments: [
        ("", ""),
        ("# only this", ""),
        ("b = 1\na = '2'", "b@1:1 1:5=1, a@2:1 2:5='2'"),
        ("\n\ta = true # x\r\nb = false", "a@2:2 2:6=true, b@3:1 3:5=false"),
        ("\u{FEFF}a = -9223372036854775808", "a@1:1 1:5=-9223372036854775808"),
        ("a = 1.5\nb = 1e3\nc = inf", "a@1:1 1:5=float, b@2:1 2:5=float, c@3:1 3:5=float"),
        ("a = 1979-05-27\nb = 07:32:00", "a@1:1 1:5=date, b@2:1 2:5=time"),
        ("a = 1979-05-27 07:32:00Z", "a@1:1 1:5=dateTime"),
        ("a = ['x', [1,\n 2]]", "a@1:1 1:5=[1:6='x', 1:11=[1:12=1, 2:2=2]]"),
        ("[t]\na = 1", "t@1:2 1:1={a@2:1 2:5=1}"),
        ("[ t . \"u.v\" ]\na = 1", "t@1:3 1:1={u.v@1:7 1:1={a@2:1 2:5=1}}"),
        ("[t.u]\n[t]\na = 1", "t@1:2 2:1={u@1:4 1:1={}, a@3:1 3:5=1}"),
        ("[[t]]\na = 1\n[[t]]\nb = 2", "t@1:3 1:1=[1:1={a@2:1 2:5=1}, 3:1={b@4:1 4:5=2}]"),
        ("t = { b = 1, a.c = 2 }", "t@1:1 1:5={b@1:7 1:11=1, a@1:14 1:14={c@1:16 1:20=2}}"),
        (
            "\"bücher.例え\" = 1\nt = { a = '😀é', b = 2 }",
            "bücher.例え@1:1 1:15=1, t@2:1 2:5={a@2:7 2:11='😀é', b@2:17 2:21=2}"
        ),
        (#""a\"b\\c\u0041" = "\u0000""#, "a\"b\\cA@1:1 1:19='\u{0}'"),
        ("a = \"\"\"\nx = 1\n\"\"\"\nb = 2", "a@1:1 1:5='x = 1\n', b@4:1 4:5=2"),
    ])
    func `A document with all its places`(text: String, description: String) throws {
        #expect(try describe(text) == description)
    }

    @Test func `A value ends where the next character stands`() throws {
        let members = try TOMLReader.read(Array("a = 1e3 # x\nb = \"é\"".utf8))
        #expect(members.map(\.value.end) == [TOMLPosition(line: 1, column: 8), TOMLPosition(line: 2, column: 8)])
    }

    @Test(arguments: [
        ("a = ", 1, 5), ("max-wait = 5\nmax-wait = 6", 2, 12), ("\n[t", 2, 3), ("a = \"b", 1, 7), ("a b = 1", 1, 3),
        ("a = [1", 1, 7), ("[t]\n[t]", 2, 1), ("a = 1\n[.x]\n", 2, 1), ("[=", 1, 1),
        ("a = 99999999999999999999", 1, 25),
    ])
    func `What is no TOML has a place and words`(text: String, line: Int, column: Int) {
        do throws(TOMLSyntaxError) {
            _ = try TOMLReader.read(Array(text.utf8))
            Issue.record("read")
        } catch {
            #expect(error.position == TOMLPosition(line: line, column: column))
            #expect(error.reason.hasPrefix("Error while parsing "))
        }
    }

    /// toml++ bounds the depth, so neither it nor what walks its nodes can exhaust the stack.
    @Test(arguments: ["[", "{a=", "a."])
    func `What nests too deep is refused`(part: String) {
        let text = (part == "a." ? "" : "a = ") + String(repeating: part, count: 100_000)
        #expect(throws: TOMLSyntaxError.self) { try TOMLReader.read(Array(text.utf8)) }
    }

    @Test func `Any bytes are read or refused`() {
        let bytes = Array(
            "a.'b'.\"c\" = [ \"x\\u0041\", { y = '''z''' } ] # é\n[t.\"u\"]\nv = \"\"\"w\"\"\"\n[[x]]\n".utf8)
        var readable = 0
        for index in bytes.indices {
            for byte: UInt8 in [0x00, 0x0A, 0x22, 0x27, 0x2E, 0x3D, 0x5B, 0x5C, 0x5D, 0x7B, 0x7D, 0x80, 0xFF] {
                var changed = bytes
                changed[index] = byte
                do throws(TOMLSyntaxError) {
                    _ = try TOMLReader.read(changed)
                    readable += 1
                } catch {
                    #expect(error.position.line <= 6)
                }
            }
        }
        #expect(readable > 0 && readable < bytes.count * 13)
    }
}
