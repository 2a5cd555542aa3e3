import Reactor
import Settings

/// Asks the running program for one of its resources for operators.
enum AdminClient {
    /// Why there is no answer, as one line.
    struct Failure: Error, Equatable {
        let line: String
    }

    /// The body of the answer to a GET.
    ///
    /// - Parameter token: what the running program wants to be shown; nil when it wants nothing.
    /// - Throws: `Failure`, when nobody answers in time, or not with 200.
    static func get(_ path: String, at address: ListenAddress, token: AdminToken? = nil) throws(Failure) -> [UInt8] {
        guard let place = SocketAddress(address.description) else {
            throw Failure(line: "'\(address)' is not an address")
        }
        let shown = token.map { "Authorization: \($0.authorization)\r\n" } ?? ""
        let request = "GET \(path) HTTP/1.1\r\nHost: localhost\r\n\(shown)Connection: close\r\n\r\n"
        let answer: [UInt8]
        do throws(SystemError) {
            answer = try exchange(Array(request.utf8), with: place)
        } catch {
            throw Failure(line: "nobody answers at \(address): \(error.reason)")
        }
        if answer.starts(with: "HTTP/1.1 401 ".utf8) {
            let fault = token == nil ? "wants a token" : "does not take this token"
            throw Failure(
                line: "what answers at \(address) \(fault): name its file by --token-file or admin-token-file")
        }
        guard let body = Self.body(of: answer) else {
            throw Failure(line: "what answers at \(address) is not a running holdfast, or not of this version")
        }
        return body
    }

    /// The body of a complete answer with status 200; nil for anything else.
    static func body(of answer: [UInt8]) -> [UInt8]? {
        let end = Array("\r\n\r\n".utf8)
        guard answer.starts(with: "HTTP/1.1 200 ".utf8),
            let start = answer.indices.first(where: { answer[$0...].starts(with: end) })
        else { return nil }
        return Array(answer[(start + end.count)...])
    }

    /// Sends a request and reads until the other side closes.
    private static func exchange(_ request: [UInt8], with place: SocketAddress) throws(SystemError) -> [UInt8] {
        var poller = try Poller(capacity: 1)
        var socket: StreamSocket
        switch StreamSocket.connect(to: place) {
        case .failed(let error): throw error
        case .connected(let connected): socket = connected
        case .connecting(let connecting): socket = connecting
        }
        try socket.watch(for: .writable, as: 0, in: poller)
        try wait(in: &poller)
        if let error = socket.finishConnect() { throw error }
        if case .failed(let error) = socket.write(request) { throw error }
        try socket.watch(for: .readable, as: 0, in: poller)
        var answer: [UInt8] = []
        var buffer = ReadBuffer()
        while answer.count < longestAnswer {
            switch socket.read(into: &buffer) {
            case .bytes: buffer.withBytes { span in for index in span.indices { answer.append(span[index]) } }
            case .wouldBlock: try wait(in: &poller)
            case .end: return answer
            case .failed(let error): throw error
            }
        }
        return answer
    }

    private static func wait(in poller: inout Poller) throws(SystemError) {
        guard try poller.wait(timeout: patience) > 0 else { throw SystemError.timedOut }
    }

    private static let patience = Duration.seconds(10)
    private static let longestAnswer = 16 * 1_048_576
}
