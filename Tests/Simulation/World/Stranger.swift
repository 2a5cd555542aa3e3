/// A visitor that speaks no BOSH or bad HTTP, or an operator. It gets a defined answer or a defined end.
final class Stranger {
    /// Its action, and the statuses and the text that its answer must have.
    struct Act {
        let text: String
        var statuses: [Int] = []
        var says = ""
        /// The interval at which it sends bytes one by one afterwards.
        var trickle: Duration?

        init(_ text: String, _ statuses: [Int] = [], says: String = "", trickle: Duration? = nil) {
            self.text = text
            self.statuses = statuses
            self.says = says
            self.trickle = trickle
        }
    }

    static let acts: [Act] = {
        let post = "POST /http-bind HTTP/1.1\r\nHost: x\r\n"
        func body(_ body: String) -> String { "\(post)Content-Length: \(body.utf8.count)\r\n\r\n\(body)" }
        func creation(_ attributes: String) -> String {
            body("<body xmlns='http://jabber.org/protocol/httpbind' ver='1.6' \(attributes)/>")
        }
        return [
            Act("\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\r\n\r\n", [400]),
            Act("GET / HTTP/1.1\r\nHost: x\r\n\r\n", [404]),
            Act("GET /http-bind HTTP/1.1\r\nHost: x\r\n\r\n", [200]),
            Act("OPTIONS /http-bind HTTP/1.1\r\nHost: x\r\nOrigin: https://a\r\n\r\n", [200, 204]),
            Act("PUT /http-bind HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", [405]),
            Act("FROB /http-bind HTTP/1.1\r\nHost: x\r\n\r\n", [501]),
            Act("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400, 505]),
            Act("\(post)\r\n", [411]),
            Act("\(post)Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", [400]),
            Act("\(post)Transfer-Encoding: chunked\r\n\r\nzz\r\n", [400]),
            Act("\(post)Content-Length: 99999999\r\n\r\n", [413]),
            Act(post + String(repeating: "X: \(String(repeating: "y", count: 900))\r\n", count: 50) + "\r\n", [431]),
            Act("POST /\(String(repeating: "p", count: 10_000)) HTTP/1.1\r\nHost: x\r\n\r\n", [414]),
            Act("POST /http-bind HTTP/1.1\r\nContent-Length: 0\r\n\r\n", [400]),
            Act("\(post)Content-Encoding: br\r\nContent-Length: 2\r\n\r\nxy", [415]),
            Act("\(post)Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nxy", [400]),
            Act(body("this is no body"), [200], says: "bad-request"),
            Act(creation("rid='7' to='elsewhere.example' wait='5' hold='1'"), [200], says: "host-unknown"),
            Act(creation("rid='none' to='example.org' wait='5' hold='1'"), [200], says: "bad-request"),
            Act(creation("rid='7' to='example.org' wait='5' hold='1' pause='5'"), [200], says: "item-not-found"),
            // A head and a body that never end, and a visitor that sends nothing.
            Act("POST /http", [408], trickle: .seconds(5)),
            Act("\(post)Content-Length: 5000\r\n\r\n<body", [408], trickle: .seconds(10)),
            Act(""),
            // Two creations on one connection, whose sessions are then left.
            Act(
                creation("rid='7' to='example.org' wait='5' hold='1'")
                    + creation("rid='8' to='example.org' wait='5' hold='1'"), [200], says: "sid="),
            Act("\(post)Expect: 100-continue\r\nContent-Length: 4\r\n\r\n<a/>", [100, 200]),
            Act("\(post)Expect: the-unexpected\r\nContent-Length: 4\r\n\r\n<a/>", [417]),
        ]
    }()

    /// The number of the act with two creations. The second one comes behind the first, which may belong to another
    /// worker.
    static let pair = 23

    /// The requests of an operator, on the operator's listener.
    static let operatorActs: [Act] = {
        func get(_ path: String, host: String = "127.0.0.1:5281") -> String {
            "GET \(path) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n"
        }
        return [
            // Not the statistics: the amount of memory held depends on how much malloc gives for a request.
            Act(get("/healthz"), [200], says: "ok\n"),
            Act(get("/readyz"), [200], says: "ready\n"),
            Act(get("/elsewhere"), [404]),
            Act(get("/stats", host: "evil.example"), [403]),
            Act("POST /stats HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", [405]),
        ]
    }()

    private let act: Act
    private let number: Int
    private let world: World
    private let wire: Wire
    private var bytes: [UInt8] = []
    private var isOver = false

    init(_ plan: Plan, number: Int, world: World) {
        let isOperator = plan.kind == "operator"
        let acts = isOperator ? Self.operatorActs : Self.acts
        act = acts[plan["act"] % acts.count]
        self.number = number
        self.world = world
        var link = LinkKind()
        link.delay = .microseconds(20)...(.milliseconds(max(plan["delay"], 1)))
        link.piece = plan["piece"]
        wire = Wire(
            world.kernel.connect(
                to: isOperator ? World.portOfOperators : World.port, from: 0x0A03_0000 + UInt32(number), 2_000,
                link: link))
        wire.received = { [self] in bytes += $0 }
        wire.ended = { [self] isReset in
            wire.close()
            end(isReset ? "a reset" : "the end")
        }
        world.tell("stranger \(number) sends \(act.text.prefix(200))")
        wire.send(act.text.utf8)
        if let pace = act.trickle { trickle(pace) }
        // Longer than each time limit that applies to it.
        world.kernel.after(.seconds(act.trickle == nil && !act.text.isEmpty ? 60 : 240)) { [self] in
            guard !isOver else { return }
            if act.statuses.isEmpty { world.judge.fail("stranger \(number): its connection was not closed") }
            wire.close()
            end("a while")
        }
    }

    private func trickle(_ pace: Duration) {
        world.kernel.after(pace) { [self] in
            guard !isOver else { return }
            wire.send([UInt8(ascii: "x")])
            trickle(pace)
        }
    }

    private func end(_ how: String) {
        guard !isOver else { return }
        isOver = true
        world.tell("stranger \(number) got \(String(decoding: bytes.prefix(400), as: UTF8.self))")
        guard !world.judge.isDisturbed, !world.kernel.hasRefusedToAccept, !world.hasLostWorkers,
            !act.statuses.isEmpty
        else { return }
        let isRight = act.statuses.contains { status in bytes.starts(with: "HTTP/1.1 \(status) ".utf8) }
        let text = String(decoding: bytes, as: UTF8.self)
        // The worker may have no room for a session, or reach no server; it says so.
        let reachesNobody = act.says == "sid=" && world.mayReachNobody && text.contains("'remote-connection-failed'")
        let says = reachesNobody || text.contains(act.says)
        if act.says == "sid=", !reachesNobody, !world.mayReachNobody, text.split(separator: "HTTP/1.1 ").count < 2 {
            world.judge.fail("stranger \(number) got one answer to two requests before \(how)")
        }
        if !isRight || !says, !bytes.starts(with: "HTTP/1.1 503 ".utf8) {
            world.judge.fail(
                "stranger \(number) got '\(text.prefix(60))' before \(how), instead of \(act.statuses) \(act.says)")
        }
    }
}
