import CLinux
import Glibc

/// A connected socket of the test process: sending sends everything, and what it waits for comes or the test fails.
package final class ByteStream {
    /// The result of one read.
    package enum Arrival: Equatable {
        case bytes([UInt8])
        /// The other side closed its side.
        case end
        /// The other side reset the connection.
        case reset
    }

    private var descriptor: Int32
    /// Bytes that were read but not asked for yet.
    private var unread: [UInt8] = []

    init(owning descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit {
        close()
    }

    /// Connects to a port of 127.0.0.1.
    ///
    /// - Parameter receiveBuffer: bytes of the receive buffer; small for a client that soon takes nothing more.
    package convenience init(port: UInt16, receiveBuffer: Int32? = nil) throws {
        let descriptor = try Sockets.make(AF_INET)
        self.init(owning: descriptor)
        if let receiveBuffer { try Sockets.set(descriptor, SOL_SOCKET, SO_RCVBUF, receiveBuffer) }
        try Sockets.check("connect", Sockets.withLoopback(port) { Glibc.connect(descriptor, $0, $1) })
        // Otherwise a request of two writes would wait for a delayed acknowledgement.
        try Sockets.set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
    }

    /// Connects to a port of ::1.
    package convenience init(onIPv6 port: UInt16) throws {
        let descriptor = try Sockets.make(AF_INET6)
        self.init(owning: descriptor)
        try Sockets.check("connect", Sockets.withLoopbackOfIPv6(port) { Glibc.connect(descriptor, $0, $1) })
    }

    /// Connects to a Unix socket.
    package convenience init(path: String) throws {
        let descriptor = try Sockets.make(AF_UNIX)
        self.init(owning: descriptor)
        try Sockets.check("connect", Sockets.withPath(path) { Glibc.connect(descriptor, $0, $1) })
    }

    /// The port of this end.
    package var localPort: UInt16 {
        get throws { try Sockets.port(of: descriptor) }
    }

    // MARK: Sending

    /// Sends everything.
    package func send(_ text: String) throws {
        try send(Array(text.utf8))
    }

    /// Sends everything.
    package func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            // Copying all that is left each time would take longer than sending it.
            let count = try sendSome(Array(bytes[sent..<min(bytes.count, sent + 65_536)]))
            sent += count
            if count == 0 { try wait(for: POLLOUT, "to send to a partner that does not read") }
        }
    }

    /// Sends everything, or as much as the other side takes before it ends the connection.
    ///
    /// - Returns: whether the connection was ended.
    @discardableResult
    package func sendUntilCut(_ bytes: [UInt8]) throws -> Bool {
        var sent = 0
        while sent < bytes.count {
            guard let count = try? sendSome(Array(bytes[sent..<min(bytes.count, sent + 65_536)])) else { return true }
            sent += count
            if count == 0 { try wait(for: POLLOUT, "to send to a partner that does not read") }
        }
        return false
    }

    /// Sends what the kernel takes at once.
    ///
    /// - Returns: the number of bytes; 0 when the other side has to read first.
    package func sendSome(_ bytes: [UInt8]) throws -> Int {
        let count = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        if count >= 0 { return count }
        if errno == EAGAIN { return 0 }
        throw TestFault("send: \(String(cString: strerror(errno)))")
    }

    /// Sends one byte at a time, each in a segment of its own.
    package func sendBytewise(_ text: String) throws {
        for byte in text.utf8 { try send([byte]) }
    }

    // MARK: Receiving

    /// Waits for bytes or an end, with one read, ignoring what was read before.
    package func receive() throws -> Arrival {
        if !unread.isEmpty {
            defer { unread = [] }
            return .bytes(unread)
        }
        try wait(for: POLLIN, "for bytes")
        return try receiveNow() ?? .end
    }

    /// What has arrived by now; nil when there is nothing.
    package func receiveNow() throws -> Arrival? {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
        if count > 0 { return .bytes(Array(bytes[..<count])) }
        if count == 0 { return .end }
        switch errno {
        case EAGAIN: return nil
        case ECONNRESET, EPIPE: return .reset
        case let code: throw TestFault("recv: \(String(cString: strerror(code)))")
        }
    }

    /// Whether everything that came was read. What the other side has already sent is certainly seen.
    package var isSilent: Bool {
        get throws {
            guard unread.isEmpty else { return false }
            guard let arrival = try receiveNow() else { return true }
            if case .bytes(let bytes) = arrival { unread = bytes }
            return false
        }
    }

    /// Reads up to and including `pattern`.
    package func read(until pattern: String) throws -> String {
        let pattern = Array(pattern.utf8)
        var searched = 0
        while true {
            if let end = unread.firstEnd(of: pattern, from: searched) {
                defer { unread.removeFirst(end) }
                return Array(unread[..<end]).text
            }
            searched = max(0, unread.count - pattern.count + 1)
            try more("'\(pattern.text)'")
        }
    }

    /// Reads `count` bytes.
    package func read(count: Int) throws -> [UInt8] {
        while unread.count < count { try more("\(count) bytes") }
        defer { unread.removeFirst(count) }
        return Array(unread[..<count])
    }

    /// Reads until the other side closes its side.
    ///
    /// - Throws: `TestFault` when the connection is reset instead.
    package func readToEnd() throws -> String {
        var bytes = unread
        unread = []
        while true {
            switch try receive() {
            case .bytes(let more): bytes += more
            case .end: return bytes.text
            case .reset: throw TestFault("reset after '\(bytes.text)'")
            }
        }
    }

    /// Reads and drops bytes until the connection ends in any way.
    package func drain() throws {
        unread = []
        while case .bytes = try receive() {}
    }

    private func more(_ what: @autoclosure () -> String) throws {
        try wait(for: POLLIN, "for \(what()); there is '\(unread.suffix(2_000).text)'")
        switch try receiveNow() {
        case .bytes(let bytes): unread += bytes
        case .end: throw TestFault("closed instead of \(what()); there is '\(unread.suffix(2_000).text)'")
        case .reset: throw TestFault("reset instead of \(what()); there is '\(unread.suffix(2_000).text)'")
        case nil: break
        }
    }

    // Making the text takes longer than waiting when much has come, and only failing tests need it.
    private func wait(for events: Int32, _ what: @autoclosure () -> String) throws {
        var item = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        guard poll(&item, 1, Patience.milliseconds) > 0 else { throw TestFault("waited in vain \(what())") }
    }

    // MARK: Ending

    /// Closes the sending side; the other one can still be read.
    package func shutdownWrite() throws {
        try Sockets.check("shutdown", shutdown(descriptor, Int32(SHUT_WR)))
    }

    /// Closes the connection in order. If something is unread, the kernel resets it.
    package func close() {
        guard descriptor >= 0 else { return }
        Sockets.close(descriptor)
        descriptor = -1
    }

    /// Resets the connection.
    package func reset() throws {
        var option = linger(l_onoff: 1, l_linger: 0)
        try Sockets.check(
            "setsockopt",
            setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size)))
        close()
    }
}

extension [UInt8] {
    /// The offset after the first occurrence of `pattern` at or after `from`.
    fileprivate func firstEnd(of pattern: [UInt8], from: Int) -> Int? {
        guard count >= pattern.count else { return nil }
        var start = from
        while start + pattern.count <= count {
            if self[start] == pattern[0], self[start..<start + pattern.count].elementsEqual(pattern) {
                return start + pattern.count
            }
            start += 1
        }
        return nil
    }
}
