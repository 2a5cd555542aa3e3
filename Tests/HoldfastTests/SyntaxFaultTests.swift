import Testing

@testable import holdfast

@Suite struct SyntaxFaultTests {
    /// The line about a text that is no TOML.
    private func fault(_ text: String) -> String? {
        do throws(ConfigurationFileError) {
            _ = try ConfigurationFile(path: "f", text: Array(text.utf8))
            return nil
        } catch {
            return error.description
        }
    }

    @Test(arguments: [
        (
            "[domains.\"one.test\"]\nx = 1\n[domains.\"one.test\"]\ny = 1",
            "f:3:1: the table [domains.\"one.test\"] is already there in line 1; write its settings there"
        ),
        ("[t]\n[t]", "f:2:1: the table [t] is already there in line 1; write its settings there"),
        ("a.b = 1\n  [a]", "f:2:3: the table [a] is already there in line 1; write its settings there"),
        ("x = 1\na = 1\n[a]", "f:3:1: [a] cannot be a table: 'a' is already set in line 2"),
        ("max-wait = 5\nmax-wait = 6", "f:2:1: 'max-wait' is already set in line 1"),
        (
            "listen = 'a:1'\n\nlisten = 'b:2'",
            "f:3:1: 'listen' is already set in line 1; several values are a list: listen = [\"…\", \"…\"]"
        ),
        ("[a]\nx = 1\n[b]\nx = 2\nx = 3", "f:5:1: 'x' is already set in line 4"),
        ("[a]\nx = 1\n[b]\nx = 2\n[[c]]\nx = 3\nx = 4", "f:7:1: 'x' is already set in line 6"),
    ])
    func `What is there twice is told with both lines`(text: String, fault: String) {
        #expect(self.fault(text) == fault)
    }

    @Test(arguments: [
        ("upstream = dns", "f:1:12: upstream: a text has to stand in quotes: \"dns\""),
        ("x = 1\n upstream = dns # it's so", "f:2:13: upstream: a text has to stand in quotes: \"dns\""),
        ("upstream = a.example:5222", "f:1:12: upstream: a text has to stand in quotes: \"a.example:5222\""),
        ("upstream = 127.0.0.1:5222", "f:1:12: upstream: a text has to stand in quotes: \"127.0.0.1:5222\""),
        ("upstream = [dns, \"a:1\"]", "f:1:13: upstream: a text has to stand in quotes: \"dns\""),
        ("listen = [\n \"a:1\",\n unix:/x,\n]", "f:3:2: listen: a text has to stand in quotes: \"unix:/x\""),
        ("max-body = 2 MiB", "f:1:12: max-body: a text has to stand in quotes: \"2 MiB\""),
        ("max-wait = 5 s", "f:1:12: max-wait: '5 s' is not a number of seconds from 1 to 3600"),
        ("max-wait = 010", "f:1:12: max-wait: a number begins with no zero"),
        ("open-proxy = True", "f:1:14: open-proxy: 'True' is not one of on, off, true, false"),
        ("path = /x\"", "f:1:8: path: a text has to stand in quotes: \"/x\""),
        ("path = “/x”", "f:1:8: the quotes have to be straight: \"/x\""),
        ("no-such = word", "f:1:11: a text has to stand in quotes: \"word\""),
    ])
    func `A value without quotes`(text: String, fault: String) {
        #expect(self.fault(text) == fault)
    }

    @Test(arguments: [
        ("path = \"/x\nmax-wait = 3", "f:1:8: the quote that opens here is not closed in this line"),
        ("x = 'a'\npath = '/x", "f:2:8: the quote that opens here is not closed in this line"),
        ("listen = [\n  \"a:1\",\n  \"b:2,\n]", "f:3:3: the quote that opens here is not closed in this line"),
        ("a = \"b", "f:1:5: the quote that opens here is not closed in this line"),
        ("path = \"\"\"\n/x\n\nb = 1\n", "f:1:8: this begins a text of several lines, which nothing ends"),
        ("[domains.\"x]\na = 1", "f:1:10: the quote that opens here is not closed in this line"),
        ("[domains.x\"]\na = 1", "f:1:11: a quote is missing before this"),
        ("listen = [\"a:1, \"b:2\"]", "f:1:18: a quote is missing before this"),
        ("path = \"a\" b\"", "f:1:12: a quote is missing before this"),
        ("path = \"a\" \"b\"", "f:1:12: nothing may stand behind the value"),
    ])
    func `A missing quote`(text: String, fault: String) {
        #expect(self.fault(text) == fault)
    }

    @Test(arguments: [
        ("\n[t", "f:2:3: the ] that ends the name of a table is missing: [t]"),
        (
            "[domains.\"x\"\na = 1",
            "f:1:13: the ] that ends the name of a table is missing: [domains.\"x\"]"
        ),
        ("[a b]", "f:1:4: a table's name is one word or in quotes, such as [domains.\"example.org\"]"),
        ("domains.\"x\"]\na = 1", "f:1:12: the [ that begins the name of a table is missing: [domains.\"x\"]"),
        ("listen = [\"a:1\", \"b:2\"\nmax-wait = 3", "f:1:10: the list that begins here has no ] at its end"),
        ("x = 1\nlisten = [\n \"a:1\",\nmax-wait = 3\n", "f:2:10: the list that begins here has no ] at its end"),
        ("a = [1", "f:1:5: the list that begins here has no ] at its end"),
        ("listen = [\"a:1\" \"b:2\"]", "f:1:17: a comma is missing before this value"),
        ("listen = [\n  \"a:1\"\n  \"b:2\"\n]", "f:3:3: a comma is missing before this value"),
        ("listen = \"a:1\", \"b:2\"", "f:1:15: several values are a list in brackets: listen = [\"a:1\", \"b:2\"]"),
    ])
    func `A missing bracket or comma`(text: String, fault: String) {
        #expect(self.fault(text) == fault)
    }

    @Test(arguments: [
        ("a = ", "f:1:5: a has no value behind the ="),
        ("max-wait =\ndomain = 'a'", "f:1:11: max-wait has no value behind the ="),
        ("max-wait 5", "f:1:10: there is no = between name and value"),
        ("max-wait: 5", "f:1:9: a = has to stand here, not a colon"),
        ("max wait = 5", "f:1:5: the name of a setting is one word; did you mean 'max-wait'?"),
        ("x = 1\n[.a]", "f:2:1: a table's name is one word or in quotes, such as [domains.\"example.org\"]"),
        ("a b = 1", "f:1:3: the name of a setting is one word"),
        ("= 5", "f:1:1: the name of a setting is missing before the ="),
        ("// x", "f:1:1: a comment begins with #"),
        ("; x", "f:1:1: a comment begins with #"),
        ("path = \"\\d\"", "f:1:10: '\\d' is no escape; a backslash is written \\\\"),
        (
            "a = { b = 1\nc = 2 }",
            "f:1:12: a table in braces has to be in one line, with commas between its settings"
        ),
    ])
    func `Anything else`(text: String, fault: String) {
        #expect(self.fault(text) == fault)
    }

    @Test func `What nothing is known about is told in the parser's words`() {
        #expect(fault("a = \"\u{1}\"")?.hasPrefix("f:1:6: no valid TOML: ") == true)
    }

    /// Whatever is cut off or changed, the line names a place of the file and has no line end.
    @Test func `Every fault is one line`() {
        let text =
            "a.'b'.\"c\" = [ \"x\\u0041\", { y = '''z''' } ] # é\n[t.\"u\"]\nv = \"\"\"w\\\"\"\"\"\n[[x]]\nlisten = [\n 'a',\n]\n"
        let bytes = Array(text.utf8)
        for end in bytes.indices {
            for byte: UInt8 in [0x0A, 0x22, 0x27, 0x2C, 0x2E, 0x3D, 0x5B, 0x5C, 0x5D, 0x7B, 0x7D, 0x80] {
                var changed = bytes
                changed[end] = byte
                for text in [changed, Array(bytes[..<end]) + [byte], [byte] + bytes[end...]] {
                    do throws(ConfigurationFileError) {
                        _ = try ConfigurationFile(path: "f", text: text)
                    } catch {
                        #expect(error.position != nil)
                        #expect(!error.description.contains { $0.isNewline }, "\(error)")
                    }
                }
            }
        }
    }
}
