import Primitives
import Reactor

/// A connection with the bytes that are on their way out, and with what the kernel watches it for.
///
/// What is watched stands here and nowhere else. What is wanted is said anew whenever it may have changed, and a kernel that
/// refuses is told to whoever said it.
struct Channel: ~Copyable {
    private var socket: StreamSocket
    /// The name under which events are reported.
    private let token: Token
    /// Bytes on their way out, from `written` on.
    private var output: [UInt8] = []
    private var written = 0

    init(_ socket: consuming StreamSocket, token: Token) {
        self.socket = socket
        self.token = token
    }

    // MARK: What is watched

    /// Its number, and what it is watched for; nil when it is not.
    var watching: (descriptor: Int32, interest: Interest?) { socket.watching }

    /// Whether the kernel watches it for bytes to read.
    var isReading: Bool { socket.isReading }

    /// Has it watched for `interest`.
    ///
    /// - Throws: the kernel refused: it is watched for what it was before.
    mutating func watch(for interest: Interest, in poller: borrowing Poller) throws(SystemError) {
        try socket.watch(for: interest, as: token.raw, in: poller)
    }

    /// Stops watching it.
    mutating func unwatch(in poller: borrowing Poller) { socket.unwatch(in: poller) }

    // MARK: What comes in

    /// Reads once, at most the buffer's capacity, replacing what the buffer held.
    func read(into buffer: inout ReadBuffer) -> ReadResult { socket.read(into: &buffer) }

    /// How many bytes the kernel holds that were not read.
    var unreadCount: Int { socket.unreadCount }

    // MARK: What goes out

    var hasUnwritten: Bool { written < output.count }

    /// How many bytes of memory are set aside for what waits.
    var heldBytes: Int { output.heldBytes }

    /// Lets `append` put bytes behind those that wait. Where none do, it is given an array without storage, and may put
    /// another one in its place.
    mutating func fill(_ append: (inout [UInt8]) -> Void) {
        if !hasUnwritten {
            written = 0
            output.removeAll(keepingCapacity: true)
        }
        append(&output)
    }

    /// Writes once what waits.
    mutating func write() -> WriteResult {
        let result = socket.write(output, from: written)
        if case .wrote(let count) = result { written += count }
        return result
    }

    /// Gives the buffer back once all was written; false when more is to be, or nothing was.
    @discardableResult
    mutating func release(to pool: inout BufferPool) -> Bool {
        guard !hasUnwritten, written > 0 else { return false }
        written = 0
        pool.takeBack(&output)
        return true
    }

    /// Forgets what waits.
    mutating func drop(to pool: inout BufferPool) {
        written = 0
        pool.takeBack(&output)
    }

    /// Ends the writing side: the peer reads an end of stream once it has read everything.
    ///
    /// - Throws: the connection is gone.
    func shutdownWrite() throws(SystemError) { try socket.shutdownWrite() }
}
