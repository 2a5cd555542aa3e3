import Addresses
import Bridge
import Foundation
import Primitives
import StreamCore
import Testing

@testable import Gateway

/// The query of `/sessions`, and what is noted of sessions.
@Suite struct SessionFilterTests {
    private func filter(_ query: String?) throws -> SessionFilter { try SessionFilter(query: query) }

    @Test("nothing asked for is the living sessions, a hundred of them")
    func empty() throws {
        for query in [nil, "", "&", "&&"] { #expect(try filter(query) == SessionFilter()) }
        #expect(SessionFilter().state == .live && SessionFilter().limit == 100)
    }

    @Test("all parts together, percent-encoded or not")
    func all() throws {
        let found = try filter(
            "sid8=ABC&domain=Example.ORG&client=2001%3Adb8::/32&over=websocket&state=all&server=%5B::1%5D:5222"
                + "&reason=inactive&limit=1000")
        #expect(found.name == "abc" && found.domain == "example.org" && found.side == .webSocket)
        #expect(found.client == IPNetwork("2001:db8::/32") && found.state == .all)
        #expect(found.server == "[::1]:5222" && found.reason == "inactive" && found.limit == 1000)
        #expect(try filter("domain=b%C3%BCcher.example").domain == "bücher.example")
    }

    @Test(
        "what cannot be is refused in words",
        arguments: [
            ("limit=0", "limit: '0' is not a number from 1 to 1000"), ("limit=1001", "limit: '1001' is not a number"),
            ("limit=", "limit: '' is not a number"), ("limit", "limit: '' is not a number"),
            ("client=example", "client: 'example' is not an IP address or a network such as 192.0.2.0/24"),
            ("over=http", "over: 'http' is not among bosh, websocket, polling"),
            ("state=dead", "state: 'dead' is not among live, ended, all"),
            ("sid8=xyz", "sid8: 'xyz' is not the beginning of a session's name: up to 8 hexadecimal digits"),
            ("sid8=123456789", "sid8: '123456789' is not"),
            ("jid=romeo", "'jid' is not among client, domain, limit, over, reason, server, sid8, state and user"),
            ("domain=%", "'domain=%' is not percent-encoded UTF-8"),
            ("domain=%2", "'domain=%2' is not percent-encoded"), ("domain=%+1", "'domain=%+1' is not percent-encoded"),
            ("domain=%FF", "'domain=%FF' is not percent-encoded UTF-8"),
            ("domain=" + String(repeating: "a", count: 1_020), "a part of the query is longer than 1024 bytes"),
        ])
    func refused(query: String, words: String) throws {
        do throws(SessionFilter.Fault) {
            _ = try SessionFilter(query: query)
            Issue.record("\(query) is taken")
        } catch {
            #expect(error.line.hasPrefix(words), "\(error.line)")
        }
    }

    @Test("a session is wanted when all that is asked for fits")
    func matches() throws {
        func matches(_ query: String, client: IPAddress? = .v4(0xC000_0201), reason: String? = nil) throws -> Bool {
            try filter(query).matches(
                name: "0a1b2c3d", side: .bosh, client: client, domain: "example.org", server: "127.0.0.1:5222",
                reason: reason)
        }
        for query in [
            "", "sid8=0a1b", "over=bosh", "domain=example.org", "client=192.0.2.1", "client=192.0.2.0/24",
            "server=127.0.0.1:5222", "sid8=0A1B2C3D&over=bosh",
        ] { #expect(try matches(query), "\(query)") }
        for query in [
            "sid8=1b", "over=polling", "domain=example", "client=192.0.2.2", "server=127.0.0.1", "reason=inactive",
            "sid8=0a1b&over=websocket",
        ] { #expect(try !matches(query), "\(query)") }
        #expect(try matches("reason=inactive", reason: "inactive"))
        #expect(try !matches("client=0.0.0.0/0", client: nil))
    }

    @Test("a client's address in sixteen bytes is the same one")
    func addresses() {
        for address: IPAddress? in [nil, .v4(0), .v4(.max), .v6(1), .v6(.max), .v6(1 << 64), .v6(1 << 127)] {
            #expect(ClientAddress(address).address == address)
        }
        // Nobody has the unspecified address.
        #expect(ClientAddress(.v6(0)).address == nil)
        #expect(MemoryLayout<ClientAddress>.size == 16 && MemoryLayout<ClientAddress>.alignment == 4)
    }

    @Test("servers have numbers, as many as there is room for")
    func servers() {
        var numbers = ServerNumbers()
        let first = Endpoint(address: .v4(1), port: 1)
        #expect(numbers.number(of: first) == 0)
        for port in 2...UInt16(ServerNumbers.most) { _ = numbers.number(of: Endpoint(address: .v4(1), port: port)) }
        #expect(numbers.number(of: first) == 0)
        #expect(numbers.number(of: Endpoint(address: .v4(2), port: 1)) == SessionRecord.none)
        #expect(numbers[0] == first && numbers[SessionRecord.none] == nil)
    }

    @Test("the last ends are kept, the newest first")
    func recent() {
        var recent = RecentEnds()
        #expect(recent.newestFirst.isEmpty)
        for number in 0..<(2 * RecentEnds.most + 3) {
            recent.add(
                SessionEnd(
                    name: "\(number)", reason: .inactive, side: .bosh, client: ClientAddress(nil),
                    record: SessionRecord(now: MonotonicInstant(nanoseconds: 0)),
                    at: MonotonicInstant(nanoseconds: 0)))
            let names = recent.newestFirst.map(\.name)
            let oldest = max(0, number + 1 - RecentEnds.most)
            #expect(names == (oldest...number).reversed().map(String.init))
        }
    }
}

/// docs/complaints.md, which operators read.
@Suite struct ComplaintsDocumentTests {
    @Test("the document explains every reason, in their order, and no other one")
    func namesReasons() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "../../docs/complaints.md")
        let text = try String(contentsOf: file, encoding: .utf8)
        let table = try #require(text.components(separatedBy: "## All reasons").last)
        let rows = table.split(separator: "\n").compactMap { line -> String? in
            guard line.hasPrefix("| `") else { return nil }
            return String(line.dropFirst(3).prefix { $0 != "`" })
        }
        #expect(rows == EndReason.allCases.map(\.rawValue))
    }
}

/// The lines that need a look, in docs/complaints.md.
@Suite struct LogLinesDocumentTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
        "../..")

    /// The texts of all lines of `warning` and above that the sources of a target write.
    private func lines(of target: String) throws -> Set<String> {
        let folder = Self.root.appendingPathComponent("Sources/\(target)")
        var found: Set<String> = []
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        for file in files where file.pathExtension == "swift" {
            let source = try String(contentsOf: file, encoding: .utf8)
            for match in source.matches(of: /\.(?:warning|error|critical)\(\s*"((?:[^"\\]|\\.)*)"/) {
                // What is made of parts has its own rows, which the next test knows.
                if !match.1.contains("\\(") { found.insert(String(match.1)) }
            }
        }
        return found
    }

    @Test("each line of warning and above has a row, whatever part of the program writes it")
    func warnings() throws {
        let text = try String(contentsOf: Self.root.appendingPathComponent("docs/complaints.md"), encoding: .utf8)
        for target in ["Gateway", "Supervisor", "holdfast"] {
            let lines = try lines(of: target)
            #expect(target == "holdfast" || lines.count > 10)
            for line in lines { #expect(text.contains("`\(line)`"), "\(target): \(line)") }
        }
        for request in VainRequest.allCases { #expect(text.contains("`\(request.line)`")) }
        let own = UpstreamTrouble.Label.allCases.filter { !$0.rawValue.hasPrefix("tls-") }
        for label in own { #expect(text.contains("`upstream \(label.rawValue)`")) }
    }
}
