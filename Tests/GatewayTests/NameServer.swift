import Glibc
import Synchronization
import TestSupport

/// A name server on 127.0.0.1 that answers from a table over UDP, in its own thread.
final class NameServer: Sendable {
    enum Record: Sendable {
        /// An IPv4 or IPv6 address as text.
        case address(String)
        /// Priority, weight, port, target.
        case service(UInt16, UInt16, UInt16, String)
    }

    /// The answer about a name.
    enum Entry: Sendable {
        /// These records; for other types, the answer that there are none.
        case records([Record])
        case serverFailure
        case silence
    }

    let port: UInt16
    private let stop: Int32
    private let thread: pthread_t
    private let seen: Seen
    private let table: Table

    /// Changes the answer about a name from now on.
    func change(_ name: String, to entry: Entry) {
        table.entries.withLock { $0[name] = entry }
    }

    /// The value for the setting `nameserver`.
    var address: String { "127.0.0.1:\(port)" }

    /// All questions so far without repetitions, each in the form `SRV _xmpp-client._tcp.example.org`.
    var questions: [String] { seen.questions.withLock { $0 } }

    /// Names that are not in the table do not exist.
    init(_ table: [String: Entry]) throws {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, length) == 0 && getsockname(socket, $0, &length) == 0
            }
        }
        var ends: [Int32] = [-1, -1]
        guard isBound, pipe(&ends) == 0 else { throw TestFault("no socket for a name server") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        port = UInt16(bigEndian: address.sin_port)
        stop = ends[1]
        let seen = Seen()
        self.seen = seen
        let table = Table(table)
        self.table = table
        let server = Server(socket: socket, stop: ends[0], table: table, seen: seen)
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { pointer in
                pointer.map { Unmanaged<Server>.fromOpaque($0).takeRetainedValue().run() }
                return nil
            }, Unmanaged.passRetained(server).toOpaque())
        guard code == 0 else { throw TestFault("no thread for a name server") }
        self.thread = thread
    }

    deinit {
        close(stop)
        pthread_join(thread, nil)
    }

    private final class Table: Sendable {
        let entries: Mutex<[String: Entry]>

        init(_ entries: [String: Entry]) { self.entries = Mutex(entries) }
    }

    private final class Seen: Sendable {
        let questions = Mutex<[String]>([])
        /// Each message with the port that it came from. On a busy machine the resolver may repeat one before its answer
        /// comes, and that is no other question.
        let messages = Mutex<Set<[UInt8]>>([])

        func isNew(_ message: [UInt8], from port: in_port_t) -> Bool {
            messages.withLock { $0.insert(message + [UInt8(port >> 8), UInt8(port & 0xFF)]).inserted }
        }
    }

    private final class Server: Sendable {
        let socket: Int32
        let stop: Int32
        let table: Table
        let seen: Seen

        init(socket: Int32, stop: Int32, table: Table, seen: Seen) {
            self.socket = socket
            self.stop = stop
            self.table = table
            self.seen = seen
        }

        func run() {
            defer { for descriptor in [socket, stop] { close(descriptor) } }
            while true {
                var polled = [socket, stop].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
                _ = poll(&polled, nfds_t(polled.count), -1)
                if polled[1].revents != 0 { return }
                answer()
            }
        }

        private func answer() {
            var bytes = [UInt8](repeating: 0, count: 4_096)
            var peer = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            withUnsafeMutablePointer(to: &peer) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    let count = recvfrom(socket, &bytes, bytes.count, 0, address, &length)
                    guard count > 0 else { return }
                    let message = Array(bytes[..<count])
                    let port = UnsafeRawPointer(address).load(as: sockaddr_in.self).sin_port
                    guard let response = response(to: message, isNew: seen.isNew(message, from: port)) else { return }
                    sendto(socket, response, response.count, 0, address, length)
                }
            }
        }

        /// The answer to a message with one question; nil for none (RFC 1035 §4.1).
        private func response(to message: [UInt8], isNew: Bool) -> [UInt8]? {
            var labels: [String] = []
            var index = 12
            while index < message.count, message[index] != 0 {
                let end = index + 1 + Int(message[index])
                guard end < message.count else { return nil }
                labels.append(message[(index + 1)..<end].map { $0 }.text)
                index = end
            }
            guard index + 5 <= message.count else { return nil }
            let type = Int(message[index + 1]) << 8 | Int(message[index + 2])
            let name = labels.joined(separator: ".").lowercased()
            let question = "\([1: "A", 28: "AAAA", 33: "SRV"][type] ?? "\(type)") \(name)"
            if isNew { seen.questions.withLock { $0.append(question) } }
            var code: UInt8 = 0
            var answers: [[UInt8]] = []
            switch table.entries.withLock({ $0[name] }) {
            case .silence: return nil
            case .serverFailure: code = 2
            case .records(let records): answers = records.compactMap { data($0, type: type) }
            case nil: code = 3
            }
            // The zone says how long its negative answers hold.
            let authority = answers.isEmpty && code != 2 ? record([0], type: 6, data: zone) : []
            let counts: [UInt8] = [0, 1, 0, UInt8(answers.count), 0, authority.isEmpty ? 0 : 1, 0, 0]
            return message[..<2] + [0x81, 0x80 | code] + counts + message[12..<(index + 5)]
                + answers.flatMap { record([0xC0, 12], type: UInt8(type), data: $0) } + authority
        }

        private func record(_ owner: [UInt8], type: UInt8, data: [UInt8]) -> [UInt8] {
            owner + [0, type, 0, 1, 0, 0, 1, 44, UInt8(data.count >> 8), UInt8(data.count & 0xFF)] + data
        }

        /// A start of authority, 300 s for everything.
        private var zone: [UInt8] {
            name("ns.invalid") + name("root.invalid") + (0..<5).flatMap { _ in [0, 0, 1, 44] as [UInt8] }
        }

        private func name(_ text: String) -> [UInt8] {
            text.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
        }

        /// A record's data; nil when it is of another type.
        private func data(_ record: Record, type: Int) -> [UInt8]? {
            switch record {
            case .address(let text):
                guard type == (text.contains(":") ? 28 : 1) else { return nil }
                var bytes = [UInt8](repeating: 0, count: type == 1 ? 4 : 16)
                return inet_pton(type == 1 ? AF_INET : AF_INET6, text, &bytes) == 1 ? bytes : nil
            case .service(let priority, let weight, let port, let target):
                guard type == 33 else { return nil }
                return [priority, weight, port].flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] } + name(target)
            }
        }
    }
}
