import BOSHCore
import Testing

/// The name of a machine in each `sid`.
@Suite struct NodeNameTests {
    @Test("S-02 a node's name is 1 to 15 small letters and digits", arguments: ["a", "0", "web1", "abcdefghijklmno"])
    func read(text: String) {
        #expect(NodeName(text)?.text == text)
        #expect(NodeName(text).map { "\($0)" } == text)
    }

    @Test(
        "S-02 nothing else is a node's name",
        arguments: ["", "A", "web-1", "web.1", "a b", "ä", "a\u{0}", "abcdefghijklmnop", " a", "a\n"])
    func refused(text: String) {
        #expect(NodeName(text) == nil)
    }

    @Test(
        "a host's name becomes a node's name, and its end is kept",
        arguments: [
            ("web1", "web1"), ("Web-1.example.org", "web1"), ("UPPER", "upper"), ("my_host", "myhost"),
            ("connection-manager-01", "ectionmanager01"), ("connection-manager-02", "ectionmanager02"),
            ("", "n1"), ("-", "n1"), (".example", "n1"), ("äöü", "n1"), ("ä1", "1"),
            ("0123456789abcdefg", "23456789abcdefg"),
        ])
    func host(name: String, node: String) {
        #expect(NodeName(ofHost: name).text == node)
        #expect(NodeName(node)?.text == node)
    }

    private static func name(_ bytes: some Sequence<UInt8>) -> NodeName? {
        let bytes = Array(bytes)
        return NodeName(bytes.span)
    }

    @Test("S-02 names differ in every byte, and in their length")
    func compares() {
        let longest = Array("abcdefghijklmno".utf8)
        for length in 1...longest.count {
            let name = Self.name(longest.prefix(length))
            #expect(name?.text.utf8.count == length)
            #expect(name != Self.name(longest.prefix(length - 1)))
            for place in 0..<length {
                var other = Array(longest.prefix(length))
                other[place] = UInt8(ascii: "z")
                let changed = Self.name(other)
                #expect(changed != nil && changed != name)
                for foreign in [0, 0x2F, 0x3A, 0x60, 0x7B, 0xFF] as [UInt8] {
                    other[place] = foreign
                    #expect(Self.name(other) == nil)
                }
            }
        }
    }

    @Test("a sid with the name is read again")
    func roundTrip() {
        let id = SessionID(node: NodeName(ofHost: "A-Very-Long-Host-Name-7"), worker: 1, high: 2, low: 3)
        #expect(SessionID(parsing: Array(id.text.utf8).span) == id)
    }
}
