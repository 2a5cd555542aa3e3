import Glibc
import Synchronization

@testable import Reactor
@testable import Resolver

/// A name server on a loopback address that gives a test's answers over UDP and TCP, in its own thread.
final class FakeNameServer: Sendable {
    struct Question: Sendable, Equatable {
        let id: UInt16
        let name: String
        let type: UInt16
        let isOverTCP: Bool

        /// A response without records.
        var response: DNSBuilder { DNSBuilder(id: id, name: name, type: type) }
    }

    typealias Respond = @Sendable (Question) -> [[UInt8]]

    let address: SocketAddress
    private let thread: pthread_t
    private let stop: Int32
    private let seen: Seen

    /// All questions so far. A question that was repeated is there once.
    var questions: [Question] { seen.questions.withLock { $0 } }

    /// - Parameter respond: the messages that are sent for a question; over TCP only the first one.
    init(isIPv6: Bool = false, _ respond: @escaping Respond) throws {
        // The kernel gives ports from 32768 on to connections. A port that is lower is free for UDP and for TCP, unless the
        // server of another test has it.
        var sockets: (udp: Int32, tcp: Int32)?
        var address = SocketAddress.ipv4(0, port: 0)
        for port in (20_000..<26_000 as Range<UInt16>).shuffled() where sockets == nil {
            address = isIPv6 ? .ipv6(1, port: port, scope: 0) : .ipv4(0x7F00_0001, port: port)
            guard let udp = try? Self.bound(to: address, SOCK_DGRAM),
                let tcp = try? Self.bound(to: address, SOCK_STREAM), listen(tcp.number, 8) == 0
            else { continue }
            sockets = (udp.release(), tcp.release())
        }
        guard let sockets else { throw SystemError(call: "bind", code: EADDRINUSE) }
        self.address = address
        let pair = try Descriptor.socketPair()
        stop = pair.first.release()
        let seen = Seen()
        self.seen = seen
        let server = Server(
            udp: sockets.udp, tcp: sockets.tcp, stop: pair.second.release(), seen: seen, respond: respond)
        var thread = pthread_t()
        let context = Unmanaged.passRetained(server)
        let code = pthread_create(
            &thread, nil,
            { pointer in
                pointer.map { Unmanaged<Server>.fromOpaque($0).takeRetainedValue().run() }
                return nil
            }, context.toOpaque())
        guard code == 0 else { throw SystemError(call: "pthread_create", code: code) }
        self.thread = thread
    }

    deinit {
        close(stop)
        pthread_join(thread, nil)
    }

    private static func bound(to address: SocketAddress, _ type: __socket_type) throws -> Descriptor {
        let socket = Descriptor(
            owning: try Syscalls.check(
                "socket",
                Syscalls.once {
                    Int(Glibc.socket(address.family, Int32(type.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0))
                }))
        try Syscalls.bind(socket.number, to: address)
        return socket
    }

    private final class Seen: Sendable {
        let questions = Mutex<[Question]>([])
    }

    private final class Server: Sendable {
        let udp: Int32
        let tcp: Int32
        let stop: Int32
        let seen: Seen
        let respond: Respond

        init(udp: Int32, tcp: Int32, stop: Int32, seen: Seen, respond: @escaping Respond) {
            self.udp = udp
            self.tcp = tcp
            self.stop = stop
            self.seen = seen
            self.respond = respond
        }

        func run() {
            defer { for socket in [udp, tcp, stop] { close(socket) } }
            while true {
                var polled = [udp, tcp, stop].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
                _ = poll(&polled, nfds_t(polled.count), -1)
                if polled[2].revents != 0 { return }
                if polled[0].revents != 0 { answerDatagram() }
                if polled[1].revents != 0 { answerConnection() }
            }
        }

        private func answerDatagram() {
            var bytes = [UInt8](repeating: 0, count: 65_536)
            var storage = sockaddr_storage()
            let count = SocketAddress.receive(&storage) { recvfrom(udp, &bytes, bytes.count, 0, $0, $1) }
            guard count > 0, let peer = SocketAddress(storage) else { return }
            guard let question = question(Array(bytes.prefix(count)), isOverTCP: false) else { return }
            for response in respond(question) {
                _ = peer.withSockaddr { Int32(sendto(udp, response, response.count, 0, $0, $1)) }
            }
        }

        private func answerConnection() {
            let socket = accept(tcp, nil, nil)
            guard socket >= 0 else { return }
            defer { close(socket) }
            var bytes = [UInt8](repeating: 0, count: 65_536)
            var count = 0
            while count < 2 || count < 2 + (Int(bytes[0]) << 8 | Int(bytes[1])) {
                let got = bytes[count...].withUnsafeMutableBytes { recv(socket, $0.baseAddress, $0.count, 0) }
                guard got > 0 else { return }
                count += got
            }
            guard let question = question(Array(bytes[2..<count]), isOverTCP: true),
                let response = respond(question).first
            else { return }
            let framed = [UInt8(response.count >> 8), UInt8(response.count & 0xFF)] + response
            var sent = 0
            while sent < framed.count {
                let some = framed[sent...].withUnsafeBytes {
                    send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard some > 0 else { return }
                sent += some
            }
        }

        private func question(_ bytes: [UInt8], isOverTCP: Bool) -> Question? {
            var reader = DNSReader(bytes)
            guard let id = reader.number16(), reader.skip(10), let name = reader.name(),
                let text = DNSReader.text(name),
                let type = reader.number16()
            else { return nil }
            let question = Question(id: id, name: text, type: type, isOverTCP: isOverTCP)
            // On a busy machine a question may be repeated before its answer comes; its number tells.
            seen.questions.withLock { if !$0.contains(question) { $0.append(question) } }
            return question
        }
    }
}
