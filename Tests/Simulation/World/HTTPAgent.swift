/// Carries a client's requests to the worker, and the answers back.
protocol Carrier: AnyObject {
    /// Whether its answers come slowly or in small pieces, so that no time limit applies to them.
    var isSlow: Bool { get }
    /// Whether a request is also given up on the way to the worker when its client has gone.
    var passesAborts: Bool { get }
    /// Whether a request may reach the worker twice without its client's doing.
    var repeats: Bool { get }
    /// - Parameter answered: gets nil when there will be no answer.
    func post(_ body: [UInt8], as manner: PostManner, answered: @escaping (HTTPAnswer?) -> Void)
    /// Breaks the connection of the newest request that waits.
    func abort(isReset: Bool)
    /// Breaks the connections of all waiting requests.
    func abortAll()
    /// Closes all connections after what was sent.
    func abandonAll()
    func closeAll()
    /// The machine disappears; nobody hears from it again.
    func vanish()
}

struct HTTPAnswer {
    var status: Int
    var body: [UInt8]
    /// The identifiers in its cookies (XEP-0025).
    var cookies: [String] = []
    /// Whether it is the last one on its connection.
    var closes = false
}

/// What happens to a connection after a request.
enum PostManner {
    case whole
    /// The client closes its side after the request.
    case halfClosing
    /// The connection ends within the request; this many thousandths of the request are sent.
    case cut(at: Int, isReset: Bool)
}

/// A browser's side of HTTP: some kept connections; each request gets an answer, or the news that there will be none.
final class HTTPAgent: Carrier {
    private struct Head {
        let end: Int
        var status = 0
        var length = 0
        var closes = false
        var isGzipped = false
        var cookies: [String] = []
    }

    private final class Line {
        let wire: Wire
        var bytes: [UInt8] = []
        var waiting: [(ticket: Int, answered: (HTTPAnswer?) -> Void)] = []
        var isClosing = false
        var head: Head?
        var searched = 0
        init(_ wire: Wire) { self.wire = wire }
    }

    private let kernel: Kernel
    private let address: UInt32
    private let link: LinkKind
    private var chance: Chance
    private var nextPort: UInt16
    private var lines: [Line] = []
    private var lastTicket = 0
    var form = HTTPForm()
    /// The port of the worker to which it connects, and the bytes with which each connection begins.
    var port = World.port
    var prelude: [UInt8] = []
    /// Whether it sends the next request after others on a busy connection, as a proxy may.
    var pipelines = false
    var slowness = 0
    /// How many times slower than others some connections are.
    var spread = 1
    let passesAborts = true
    let repeats = false
    /// Called when an answer comes for which nobody has asked.
    var unasked: () -> Void = {}

    init(_ kernel: Kernel, address: UInt32, link: LinkKind, seed: UInt64) {
        self.kernel = kernel
        self.address = address
        self.link = link
        chance = Chance(seed: seed)
        nextPort = 1_024
    }

    var isSlow: Bool { slowness > 0 || link.piece > 0 }

    func post(_ body: [UInt8], as manner: PostManner, answered: @escaping (HTTPAnswer?) -> Void) {
        _ = send(body, as: manner, fields: "", answered: answered)
    }

    /// - Returns: a ticket with which the request can be given up.
    func send(
        _ body: [UInt8], as manner: PostManner = .whole, fields: String, to path: String? = nil,
        answered: @escaping (HTTPAnswer?) -> Void
    ) -> Int {
        let free = lines.first {
            !$0.isClosing && !$0.wire.isOver && ($0.waiting.isEmpty || pipelines && $0.waiting.count < 4)
        }
        let line = free ?? open()
        lastTicket += 1
        line.waiting.append((lastTicket, answered))
        var form = form
        form.fields += fields
        if let path { form.path = path }
        let bytes = form.request(body, &chance)
        if form.closes { line.isClosing = true }
        switch manner {
        case .whole:
            line.wire.send(bytes)
        case .halfClosing:
            line.wire.send(bytes)
            line.isClosing = true
            line.wire.finish()
        case .cut(let thousandths, let isReset):
            line.wire.send(bytes.prefix(bytes.count * thousandths / 1_000))
            line.isClosing = true
            // What it has sent arrives before the reset, or is destroyed by it.
            kernel.after(chance.time(.microseconds(1)...(.milliseconds(500)))) { [weak self, weak line] in
                guard let self, let line, !line.wire.isOver else { return }
                if isReset { line.wire.reset() } else { line.wire.closeWhenSent() }
                lose(line)
            }
        }
        return lastTicket
    }

    /// Breaks the connection of one request.
    func giveUp(_ ticket: Int) {
        guard let line = lines.first(where: { $0.waiting.contains { $0.ticket == ticket } }) else { return }
        line.waiting.removeAll { $0.ticket == ticket }
        line.wire.close()
        lose(line)
    }

    func abort(isReset: Bool) {
        guard let line = lines.last(where: { !$0.waiting.isEmpty }) else { return }
        if isReset { line.wire.reset() } else { line.wire.close() }
        lose(line)
    }

    func abortAll() {
        for line in lines where !line.waiting.isEmpty {
            line.wire.close()
            lose(line)
        }
    }

    func abandonAll() {
        for line in lines {
            line.waiting = []
            line.wire.received = { _ in }
            line.wire.closeWhenSent()
        }
        lines = []
    }

    func closeAll() {
        for line in lines { line.wire.close() }
        lines = []
    }

    func vanish() {
        for line in lines { line.wire.vanish() }
        lines = []
    }

    private func open() -> Line {
        nextPort &+= 1
        var link = link
        if spread > 1, chance.once(in: 2) {
            link.delay = link.delay.upperBound...(link.delay.upperBound * spread)
        }
        let wire = Wire(kernel.connect(to: port, from: address, nextPort, link: link))
        wire.slowness = slowness
        if !prelude.isEmpty { wire.send(prelude) }
        let line = Line(wire)
        lines.append(line)
        wire.received = { [weak self, weak line] bytes in
            guard let self, let line else { return }
            line.bytes.append(contentsOf: bytes)
            while let answer = takeAnswer(from: line) {
                guard !line.waiting.isEmpty else {
                    if answer.status == 200, lines.contains(where: { $0 === line }) { unasked() }
                    return
                }
                line.waiting.removeFirst().answered(answer)
            }
        }
        wire.ended = { [weak self, weak line] _ in
            guard let self, let line else { return }
            line.wire.close()
            lose(line)
        }
        return line
    }

    private func lose(_ line: Line) {
        lines.removeAll { $0 === line }
        let waiting = line.waiting
        line.waiting = []
        for request in waiting { request.answered(nil) }
    }

    private func takeAnswer(from line: Line) -> HTTPAnswer? {
        if line.head == nil { readHead(of: line) }
        guard let head = line.head, line.bytes.count >= head.end + head.length else { return nil }
        let body = Array(line.bytes[head.end..<head.end + head.length])
        line.bytes.removeFirst(head.end + head.length)
        line.head = nil
        line.searched = 0
        if head.closes { line.isClosing = true }
        return HTTPAnswer(
            status: head.status, body: head.isGzipped ? HTTPForm.gunzip(body) ?? [] : body, cookies: head.cookies,
            closes: head.closes)
    }

    private func readHead(of line: Line) {
        let bytes = line.bytes
        var index = line.searched
        while index + 4 <= bytes.count, !bytes.has("\r\n\r\n", at: index) { index += 1 }
        line.searched = index
        guard index + 4 <= bytes.count else { return }
        var head = Head(end: index + 4)
        // `HTTP/1.1 200 …`
        head.status = number(in: bytes, at: 9)
        for start in 0..<index where bytes[start] == UInt8(ascii: "\n") {
            if bytes.has("Content-Length: ", at: start + 1) { head.length = number(in: bytes, at: start + 17) }
            if bytes.has("Connection: close", at: start + 1) { head.closes = true }
            if bytes.has("Content-Encoding: gzip", at: start + 1) { head.isGzipped = true }
            if bytes.has("Set-Cookie: ID=", at: start + 1) {
                let identifier = bytes[(start + 16)...].prefix { $0 != UInt8(ascii: ";") }
                head.cookies.append(String(decoding: identifier, as: UTF8.self))
            }
        }
        line.head = head
    }

    private func number(in bytes: [UInt8], at index: Int) -> Int {
        var value = 0
        for byte in bytes[index...] {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { break }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return value
    }
}
