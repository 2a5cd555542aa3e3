/// A client that sends many requests at once and closes its side: all complete requests are answered.
final class Burst {
    private let wire: Wire
    private let count: Int
    private var answers = 0
    private var matched = 0

    init(_ plan: Plan, number: Int, world: World) {
        count = plan["count"]
        var link = LinkKind()
        link.delay = .microseconds(20)...(.milliseconds(max(plan["delay"], 1)))
        wire = Wire(world.kernel.connect(to: World.port, from: 0x0A02_0000 + UInt32(number), 2_000, link: link))
        wire.received = { [self] in read($0) }
        wire.ended = { [self] isReset in
            wire.close()
            // Both ends refer to each other until the world ends, and this one lives as long as its wire.
            guard answers != count, !world.judge.isDisturbed, !world.kernel.hasRefusedToAccept, !world.hasLostWorkers
            else { return }
            world.judge.fail(
                "of \(count) requests that came whole \(answers) were answered before the \(isReset ? "reset" : "end")")
        }
        let body = "<body xmlns='http://jabber.org/protocol/httpbind' rid='1' sid='none'/>"
        let request = "POST /http-bind HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        for _ in 0..<count { wire.send(request.utf8) }
        wire.finish()
    }

    /// Counts answers by their status lines.
    private func read(_ bytes: [UInt8]) {
        let line: StaticString = "HTTP/1.1 "
        for byte in bytes {
            matched = byte == line.utf8Start[matched] ? matched + 1 : byte == line.utf8Start[0] ? 1 : 0
            if matched == line.utf8CodeUnitCount {
                answers += 1
                matched = 0
            }
        }
    }
}
