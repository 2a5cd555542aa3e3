import Testing

@testable import holdfast

@Suite struct TOMLLocatorTests {
    private func locator(_ text: String) -> TOMLLocator { TOMLLocator(Array(text.utf8)) }

    /// `LINE:COLUMN` of the key at a path.
    private func place(_ path: [String], in text: String) -> String? {
        locator(text).keys[path].map { "\($0.line):\($0.column)" }
    }

    @Test(arguments: [
        ("a = 1", ["a"], "1:1"),
        ("\n\n  a = 1", ["a"], "3:3"),
        ("\ta=1\nb=2", ["b"], "2:1"),
        ("a = 1 # b = 2\nc = 3", ["c"], "2:1"),
        ("# [t]\n#\n\nc = 3", ["c"], "4:1"),
        ("a = 1\r\nb = 2\r\n\r\n  c = 3", ["c"], "4:3"),
        ("\u{FEFF}a = 1", ["a"], "1:1"),
        ("\u{FEFF}# x\na = 1", ["a"], "2:1"),
        // Tables.
        ("[t]\na = 1", ["t"], "1:1"),
        ("[t]\na = 1", ["t", "a"], "2:1"),
        ("  [ t . u ] # x\na = 1", ["t", "u"], "1:3"),
        ("[t.u]\na = 1", ["t"], "1:1"),
        ("[t.u]\na = 1", ["t", "u", "a"], "2:1"),
        ("[t.u]\n[t]\na = 1", ["t"], "1:1"),
        ("[t]\na = 1\n[u]\na = 2", ["u", "a"], "4:1"),
        ("[[t]]\na = 1\n[[t]]\nb = 2\n[u]\nc = 3", ["t"], "1:1"),
        ("[[t]]\na = 1\n[[t]]\nb = 2\n[u]\nc = 3", ["u", "c"], "6:1"),
        // Quoted keys.
        (#"[domains."example.org"]"# + "\nupstream = 1", ["domains", "example.org"], "1:1"),
        (#"[domains."example.org"]"# + "\nupstream = 1", ["domains", "example.org", "upstream"], "2:1"),
        ("[domains.'example.org']\nupstream = 1", ["domains", "example.org", "upstream"], "2:1"),
        ("[ domains . \"example.org\" ]\n x = 1", ["domains", "example.org", "x"], "2:2"),
        (#""a\"b\\c" = 1"#, [#"a"b\c"#], "1:1"),
        (#""\u0061\U00000062" = 1"#, ["ab"], "1:1"),
        (#"'a\b' = 1"#, [#"a\b"#], "1:1"),
        ("\"]\" = 1\n'=' = 2\n\"#\" = 3", ["#"], "3:1"),
        ("\"\" = 1\nb = 2", [""], "1:1"),
        ("[\"]\".'[']\na = 1", ["]", "[", "a"], "2:1"),
        // Dotted keys.
        ("a.b.c = 1", ["a"], "1:1"),
        ("a.b.c = 1", ["a", "b"], "1:1"),
        ("a.b.c = 1\na . d = 2", ["a", "d"], "2:1"),
        (#"[domains]"# + "\n" + #""x.y".upstream = 1"#, ["domains", "x.y", "upstream"], "2:1"),
        // Inline tables.
        ("t = { a = 1, b = 2 }\nc = 3", ["t", "a"], "1:7"),
        ("t = { a = 1, b = 2 }\nc = 3", ["t", "b"], "1:14"),
        ("t = { a = 1, b = 2 }\nc = 3", ["c"], "2:1"),
        ("t = {}\nc = 3", ["c"], "2:1"),
        ("t = { u = { v.w = 1 } }", ["t", "u", "v", "w"], "1:13"),
        ("t = { a = '}', b = \"}\" }\nc = 3", ["t", "b"], "1:16"),
        // Values that look like something else.
        ("a = \"b = 1\"\nb = 2", ["b"], "2:1"),
        (#"a = "\"\nb = 1""# + "\nb = 2", ["b"], "2:1"),
        (#"a = '\'"# + "\nb = 2", ["b"], "2:1"),
        ("a = \"# no comment\" # [t]\nb = 2", ["b"], "2:1"),
        ("a = \"\"\"\nb = 1\n[t]\n\"\"\"\nb = 2", ["b"], "5:1"),
        ("a = \"\"\"x\\\"\"\"\"\nb = 2", ["b"], "2:1"),
        ("a = \"\"\"x\"\"\"\"\"\nb = 2", ["b"], "2:1"),
        ("a = \"\"\"\"\"\"\nb = 2", ["b"], "2:1"),
        ("a = '''\n'b' = ''\n'''\nb = 2", ["b"], "4:1"),
        ("a = '''x'''''\nb = 2", ["b"], "2:1"),
        ("a = \"\"\nb = 2", ["b"], "2:1"),
        ("a = \"\"\"\\\n  x\"\"\"\nb = 2", ["b"], "3:1"),
        ("a = 1979-05-27 07:32:00Z\nb = 2", ["b"], "2:1"),
        ("a = -inf # x\nb = true", ["b"], "2:1"),
        ("a = [1, [\"]\", ']'], { x = 1 }] # ]\nb = 2", ["b"], "2:1"),
        ("a = [ # ]\n 1, # '\n]\nb = 2", ["b"], "4:1"),
        // Characters, not bytes.
        (#"t = { "bücher.例え" = 1, a = 2 }"#, ["t", "a"], "1:24"),
        ("t = { a = '😀é', b = 2 }", ["t", "b"], "1:17"),
    ])
    func `A key`(text: String, path: [String], place: String) {
        #expect(self.place(path, in: text) == place)
    }

    @Test func `The elements of arrays`() {
        let text = "a = [\"x\", 'y',\n  3, # [\n  [4, 5],\n]\n[t]\nb = [ { c = [1] } ]\nc = []"
        let places = locator(text).elements
        #expect(
            places[["a"]] == [
                TOMLPosition(line: 1, column: 6), TOMLPosition(line: 1, column: 11), TOMLPosition(line: 2, column: 3),
                TOMLPosition(line: 3, column: 3),
            ])
        #expect(places[["t", "b"]] == [TOMLPosition(line: 6, column: 7)])
        #expect(places[["t", "c"]] == nil)
    }

    @Test func `What is inside of an element is no key`() {
        let keys = locator("a = [ { b = 1 }, [ { c = 2 } ] ]").keys
        #expect(keys[["a", "b"]] == nil && keys[["b"]] == nil && keys[["c"]] == nil)
    }

    @Test(arguments: [
        (#"a = "\u0000""#, 1, 6), (#"a = "x\U00000000""#, 1, 7), ("b = 1\n\"\\u0000\" = 2", 2, 2),
        ("a = \"\"\"\n\\u0000\"\"\"", 2, 1),
    ])
    func `The character U+0000`(text: String, line: Int, column: Int) {
        #expect(locator(text).nullCharacter == TOMLPosition(line: line, column: column))
    }

    @Test(arguments: [#"a = '\u0000'"#, #"a = "\\u0000""#, #"# "\u0000""#, #"a = "\u0001""#])
    func `No character U+0000`(text: String) {
        #expect(locator(text).nullCharacter == nil)
    }

    /// The library refuses these texts before the locator sees them; the locator must still end.
    @Test func `What is no TOML ends it`() {
        let text = #"a.'b'."c" = [ "x\u00", { y = '''z''' } ] # é"# + "\n[t.\"u\"]\nv = \"\"\"w\\\"\"\"\"\n[[x]]\n"
        let bytes = Array(text.utf8)
        for end in bytes.indices {
            _ = TOMLLocator(Array(bytes[..<end]))
            _ = TOMLLocator(Array(bytes[end...]))
            for byte: UInt8 in [0x00, 0x22, 0x27, 0x2E, 0x3D, 0x5B, 0x5C, 0x5D, 0x7B, 0x7D, 0x80, 0xFF] {
                var changed = bytes
                changed[end] = byte
                _ = TOMLLocator(changed)
            }
        }
        #expect(locator("= 1\nb = 2").keys.isEmpty)
        #expect(locator("a = 1\n]\nb = 2").keys.count == 1)
    }
}
