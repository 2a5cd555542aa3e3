import TestSupport
import Testing

@testable import Gateway

/// The page for people, and what else the operator's listener says in words.
@Suite struct StatusPageTests {
    @Test("the page has the numbers of the moment, for a browser without JavaScript, and loads nothing from elsewhere")
    func page() throws {
        let session = try OpenSession()
        let admin = try session.daemon.connectToAdmin()
        let page = try admin.get("/")
        #expect(page.status == 200)
        #expect(page.field("Content-Type") == "text/html; charset=utf-8")
        #expect(page.body.contains("<p data-v=\"sessions/now\">1</p>"))
        #expect(page.body.contains("<noscript>"))
        #expect(!page.body.contains("http://") && !page.body.contains("https://"))
        let policy = page.field("Content-Security-Policy") ?? ""
        #expect(policy.hasPrefix("default-src 'none'; style-src 'self'; script-src 'self';"))
        #expect(!policy.contains("unsafe"))
        for path in [StatusPage.stylePath, StatusPage.scriptPath] {
            #expect(page.body.contains("\"\(path)\""))
            let part = try admin.get(path)
            #expect(part.status == 200 && !part.body.contains("//") || path == StatusPage.scriptPath)
            #expect(!part.body.contains("http:") && !part.body.contains("innerHTML"))
        }
    }

    @Test("every number of the page that it does not compute has a row")
    func paths() {
        let body = String(decoding: StatusPage.response([]).body, as: UTF8.self)
        let paths = body.split(separator: "data-v=\"").dropFirst().compactMap { $0.split(separator: "\"").first }
        #expect(paths.count > 15)
        for path in paths where !path.hasPrefix("=") {
            #expect(MetricTable.match(path.split(separator: "/").map(String.init)) != nil, "\(path)")
        }
        for path in paths where path.hasPrefix("=") { #expect(StatusPage.scriptText.contains("\"\(path)\": ")) }
    }

    @Test("version, and who is not ready says why")
    func words() throws {
        let daemon = try Daemon(["--upstream", "127.0.0.1:1"], descriptors: 128)
        let admin = try daemon.connectToAdmin()
        #expect(try admin.get("/version").body == "holdfast \(Version.text)\n")
        #expect(try admin.get("/readyz").status == 200)
        let idle = try (0..<70).map { _ in try daemon.connect() }
        defer { for connection in idle { connection.wire.close() } }
        #expect(try idle[69].get("/http-bind").status == 200)
        let ready = try admin.get("/readyz")
        #expect(ready.status == 503)
        #expect(ready.body == "no descriptor is left for another session\n")
        #expect(try BOSHClient(daemon).create().isTurnedAway())
        #expect(try BOSHClient(daemon).create().isTurnedAway())
        let statistics = try daemon.statistics()
        #expect(try statistics.number("sessions.refused_without_descriptor") == 2)
        #expect(try statistics.number("sessions.refused.policy-violation") == 0)
        #expect(try statistics.number("process.descriptor_limit") == 128)
        #expect(try daemon.errors.split(separator: "\n").count { $0.contains("no file descriptor is left") } == 1)
    }
}
