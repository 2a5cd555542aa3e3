/// A browser's side of HTTP: some connections that are kept, an answer to each request or the news that there will be none.
final class HTTPAgent {
    struct Answer {
        var status: Int
        var body: [UInt8]
    }

    private struct Head {
        let end: Int
        var status = 0
        var length = 0
        var closes = false
    }

    private final class Line {
        let wire: Wire
        var bytes: [UInt8] = []
        var waiting: [(Answer?) -> Void] = []
        var isClosing = false
        var head: Head?
        var searched = 0
        init(_ wire: Wire) { self.wire = wire }
    }

    private let kernel: Kernel
    private let address: UInt32
    private let link: LinkKind
    private var nextPort: UInt16
    private var lines: [Line] = []
    /// Sends the next request behind others on a line that is busy, as a proxy may.
    var pipelines = false
    var slowness = 0

    init(_ kernel: Kernel, address: UInt32, link: LinkKind) {
        self.kernel = kernel
        self.address = address
        self.link = link
        nextPort = 1_024
    }

    /// - Parameter answered: gets nil when the connection ends without an answer.
    func post(_ body: [UInt8], halfCloses: Bool = false, answered: @escaping (Answer?) -> Void) {
        let free = lines.first {
            !$0.isClosing && !$0.wire.isOver && ($0.waiting.isEmpty || pipelines && $0.waiting.count < 4)
        }
        let line = free ?? open()
        line.waiting.append(answered)
        line.wire.send(
            "POST /http-bind HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: \(body.count)\r\n\r\n"
                .utf8)
        line.wire.send(body)
        if halfCloses {
            line.isClosing = true
            line.wire.finish()
        }
    }

    /// Breaks the connection of the newest request that waits.
    func abort(isReset: Bool) {
        guard let line = lines.last(where: { !$0.waiting.isEmpty }) else { return }
        if isReset { line.wire.reset() } else { line.wire.close() }
        lose(line)
    }

    func closeAll() {
        for line in lines { line.wire.close() }
        lines = []
    }

    /// Nobody hears of this machine again.
    func vanish() {
        for line in lines { line.wire.vanish() }
        lines = []
    }

    private func open() -> Line {
        nextPort &+= 1
        let wire = Wire(kernel.connect(to: World.port, from: address, nextPort, link: link))
        wire.slowness = slowness
        let line = Line(wire)
        lines.append(line)
        wire.received = { [weak self, weak line] bytes in
            guard let self, let line else { return }
            line.bytes.append(contentsOf: bytes)
            while let answer = takeAnswer(from: line) {
                guard !line.waiting.isEmpty else { return }
                let answered = line.waiting.removeFirst()
                answered(answer)
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
        for answered in waiting { answered(nil) }
    }

    private func takeAnswer(from line: Line) -> Answer? {
        if line.head == nil { readHead(of: line) }
        guard let head = line.head, line.bytes.count >= head.end + head.length else { return nil }
        let body = Array(line.bytes[head.end..<head.end + head.length])
        line.bytes.removeFirst(head.end + head.length)
        line.head = nil
        line.searched = 0
        if head.closes { line.isClosing = true }
        return Answer(status: head.status, body: body)
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
