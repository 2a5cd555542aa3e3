import Glibc
import Testing

@testable import XMLCodec

/// The processor time of this thread; work of other tests does not count.
func processorTime(_ work: () -> Void) -> Duration {
    func now() -> Duration {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
    let start = now()
    work()
    return now() - start
}

/// The cost of the bytes of a body, compared with plain text, under the program's limits.
@Suite struct BodyCostTests {
    private let limits = XMLLimits(depth: 100, attributes: 200, elements: 10_000, oddNamespaces: 128)

    /// The smallest of a few runs, because a cold cache does not count.
    private func cost(of text: String) -> Duration {
        let bytes = Array(text.utf8)
        let parser = BodyParser(limits: limits)
        return (0..<3).map { _ in processorTime { _ = parser.parse(bytes.span) } }.min() ?? .zero
    }

    private func plain(_ count: Int) -> String {
        body("rid='1'", "<message><body>\(many("plain text ", count))</body></message>")
    }

    /// `unit`, repeated as often as it fits in `count` bytes.
    private func many(_ unit: String, _ count: Int) -> String {
        String(repeating: unit, count: max(count / unit.utf8.count, 1))
    }

    @Test("the first error in namespaces ends the parse: it is not worded again for each attribute")
    func namespaceError() {
        let name = String(repeating: "n", count: 5_000)
        let attributes = (0..<190).map { " p:\(name)\($0)=''" }.joined()
        let hostile = body("rid='1'", "<message\(attributes)/>")
        #expect(BodyParser(limits: limits).fault(hostile) == .malformed)
        #expect(cost(of: hostile) < cost(of: plain(hostile.utf8.count)) * 5)
    }

    @Test("xml-elements: 1 MiB of elements costs less than ten times as much as plain text")
    func elements() {
        let hostile = body("rid='1'", "<m>\(many("<a/>", 1_000_000))</m>")
        #expect(BodyParser(limits: limits).fault(hostile) == .limit(.elements))
        #expect(cost(of: hostile) < cost(of: plain(hostile.utf8.count)) * 10)
    }

    @Test("namespaces that are no URI: each is worded once more, so there is a limit to them")
    func oddNamespaces() {
        let hostile = body("rid='1'", "<m>\(many("<a xmlns=':'/>", 200_000))</m>")
        #expect(BodyParser(limits: limits).fault(hostile) == .limit(.oddNamespaces))
        #expect(cost(of: hostile) < cost(of: plain(hostile.utf8.count)) * 10)
        #expect(BodyParser(limits: limits).fault(body("rid='1'", many("<a xmlns=':'/>", 1_700))) == nil)
    }

    @Test("a namespace that is relative costs no more than one that is not: nobody reads the warning")
    func relativeNamespaces() {
        let relative = body("rid='1'", "<m>\(many("<a xmlns='x/y'/>", 60_000))</m>")
        let absolute = body("rid='1'", "<m>\(many("<a xmlns='x:y'/>", 60_000))</m>")
        #expect(cost(of: relative) < cost(of: absolute) * 2)
    }

    /// Shapes of bodies, named by what is unusual about them. Each is about as large as asked for.
    static let shapes: [(String, @Sendable (BodyCostTests, Int) -> String)] = [
        ("children", { body("rid='1'", $0.many("<a/>", $1)) }),
        ("elements", { body("rid='1'", "<m>\($0.many("<a></a>", $1))</m>") }),
        ("namespaces", { body("rid='1'", "<m>\($0.many("<a xmlns='a:b'/>", $1))</m>") }),
        ("language", { body("rid='1' xml:lang='de'", $0.many("<iq/>", $1)) }),
        ("renamed", { body("rid='1' xmlns:b='http://jabber.org/protocol/httpbind'", $0.many("<b:a/>", $1)) }),
        ("redeclared", { body("rid='1'", $0.many("<a xmlns='http://jabber.org/protocol/httpbind'/>", $1)) }),
        ("deep", { body("rid='1'", $0.many($0.many("<a>", 270) + $0.many("</a>", 360), $1)) }),
        (
            "attributes",
            { body("rid='1'", "<m>\($0.many("<a" + (0..<190).map { " a\($0)=''" }.joined() + "/>", $1))</m>") }
        ),
        (
            "declarations",
            {
                let scope = (0..<60).map { " xmlns:a\($0)='b:\($0)'" }.joined()
                return body("rid='1'" + scope, $0.many("<a59:a a59:b=''/>", $1))
            }
        ),
        (
            "long declaration",
            {
                body("rid='1' xmlns:p='p:\($0.many("&amp;", 5_000))'", $0.many("<p:a/>", $1))
            }
        ),
        ("references", { body("rid='1'", "<m>\($0.many("x&amp;", $1))</m>") }),
        ("references in attributes", { body("rid='1'", "<m a='\($0.many("&#38;", $1))'/>") }),
        ("references of the body", { body("rid='1' from='\($0.many("&amp;", $1))'") }),
        ("CDATA", { body("rid='1'", "<m>\($0.many("<![CDATA[x]]>", $1))</m>") }),
        ("line ends", { body("rid='1'", "<m>\($0.many("x\r", $1))</m>") }),
        ("white space", { body("rid='1'", "<m/>" + $0.many(" ", $1)) }),
        ("white space in tags", { body("rid='1'", "<m\($0.many("\n", $1))/>") }),
        ("characters", { body("rid='1'", "<m a='\($0.many("é", $1))'/>") }),
        (
            "names",
            {
                let name = $0.many("é", min($1 / 2, 20_000)); return body("rid='1'", "<\(name)></\(name)>")
            }
        ),
        ("new names", { body("rid='1'", "<m>" + (0..<min($1 / 9, 1_900)).map { "<n\($0)/>" }.joined() + "</m>") }),
        ("late fault", { body("rid='1'", "<m>\($0.many("<a/>", $1))</n>") }),
        ("no end", { "<body xmlns='http://jabber.org/protocol/httpbind'>" + $0.many("<m/>", $1) }),
    ]

    @Test("the cost by byte grows with no shape's size", arguments: shapes.map(\.0))
    func linear(name: String) throws {
        let make = try #require(Self.shapes.first { $0.0 == name }).1
        let small = make(self, 8_000)
        let large = make(self, 128_000)
        #expect(cost(of: large) < cost(of: small) * (4 * large.utf8.count / small.utf8.count))
    }

    @Test("no shape costs more by byte than an element does", arguments: shapes.map(\.0))
    func bounded(name: String) throws {
        let make = try #require(Self.shapes.first { $0.0 == name }).1
        let elements = cost(of: body("rid='1'", "<m>\(many("<a/>", 8_000))</m>"))
        let text = make(self, 8_000)
        #expect(cost(of: text) < elements * 5)
    }

    @Test("xml-attributes: attributes in front of a fault are not compared each with each")
    func damagedStartTag() {
        let attributes = (0..<6_000).map { " a\($0)='x'" }.joined()
        let damaged = "<body xmlns='http://jabber.org/protocol/httpbind' rid='1'\(attributes)>\u{FFFE}</body>"
        #expect(cost(of: damaged) < cost(of: body("rid='1'", many("x", damaged.utf8.count))) * 8)
    }

    /// In a debug build the parts outside libxml2 are slow, so the limit is wide.
    @Test("BodyWeight: what weighs as much as plain text takes no longer", arguments: shapes.map(\.0))
    func weight(name: String) throws {
        let make = try #require(Self.shapes.first { $0.0 == name }).1
        let text = make(self, 8_000)
        let weight = BodyWeight.of(Array(text.utf8).span)
        #expect(cost(of: text) < cost(of: plain(weight)) * 20)
    }
}
