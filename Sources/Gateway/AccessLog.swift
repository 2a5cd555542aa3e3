import BOSHCore
import LogLines
import Primitives
import Reactor
import Settings

/// The access log of a worker: one line for each request, or for one of so many, once its answer is given. Exists only if it
/// is wanted.
///
/// Lines of a turn are written together at its end. What finds no room is dropped and counted.
final class AccessLog {
    /// Where the lines go.
    private enum Outlet {
        /// Nowhere: the file has not come yet.
        case none
        case standardError(LogStream)
        case file(AppendedFile)
    }

    /// A request whose answer is owed.
    private struct Entry {
        let line: AccessLine
        let since: MonotonicInstant
        /// Whether its client has sent its end, so that nobody knows whether it still reads.
        var isInDoubt = false
    }

    /// A request whose answer was given to a client that perhaps does not read.
    private struct Doubt {
        let entry: Entry
        let status: Int
        let bodyCount: Int
        let answeredAt: MonotonicInstant
    }

    private let format: AccessLogFormat
    private let sample: Int
    /// How many requests are left out before the next line.
    private var skipped: Int
    private var outlet: Outlet
    private var entries: [ExchangeID: Entry] = [:]
    /// How many bytes the lines take that wait, by the connections of their requests.
    private var heldBytes: [UInt64: Int] = [:]
    /// By connection.
    private var doubts: [UInt64: [Doubt]] = [:]
    /// Storage of lines that are written, for the next ones.
    private var rooms: [[UInt8]] = []
    private var output: [UInt8] = []
    private var lines: UInt64 = 0
    private var time = AccessTime(seconds: 0)
    /// How many lines were written, and how many found no room.
    private(set) var written: UInt64 = 0
    private(set) var dropped: UInt64 = 0

    /// - Returns: nil when the settings want none.
    /// - Throws: no descriptor is left.
    init?(_ settings: Settings) throws(SystemError) {
        switch settings.accessLog {
        case .off: return nil
        case .standardError: outlet = .standardError(try LogStream.standardError())
        case .file: outlet = .none
        }
        format = settings.accessLogFormat
        sample = settings.accessLogSample
        skipped = 0
    }

    /// Writes to this file from now on, if the settings want a file.
    func use(_ file: AppendedFile) {
        flush()
        if case .standardError = outlet { return }
        outlet = .file(file)
    }

    /// Whether the next request has a line. To be asked once for each.
    func takesNext() -> Bool {
        guard skipped == 0 else {
            skipped -= 1
            return false
        }
        skipped = sample - 1
        return true
    }

    /// Whether any request has a line that is not written.
    var hasOpenLines: Bool { !entries.isEmpty || !doubts.isEmpty }

    /// Whether the line of a request has begun.
    func has(_ exchange: ExchangeID) -> Bool { entries[exchange] != nil }

    /// Begins the line of a request whose answer is owed.
    func begin(_ exchange: ExchangeID, _ request: AccessedRequest, now: MonotonicInstant) {
        let line = AccessLine(format, request, room: rooms.popLast() ?? [])
        heldBytes[exchange.connection, default: 0] += Self.cost(of: line)
        entries[exchange] = Entry(line: line, since: now)
    }

    /// How many bytes the lines take that wait for the answers of a connection, for the account of memory.
    func heldBytes(ofConnection connection: UInt64) -> Int { heldBytes[connection] ?? 0 }

    /// What a line takes while it waits: its storage, and its places in the tables.
    private static func cost(of line: borrowing AccessLine) -> Int { line.capacity() + tableShare }

    /// Notes that a line waits no more.
    private func discharge(_ entry: Entry, of connection: UInt64) {
        let rest = (heldBytes[connection] ?? 0) - Self.cost(of: entry.line)
        heldBytes[connection] = rest > 0 ? rest : nil
    }

    /// Writes the line of a request whose answer is given, if it has one. While it is in doubt whether its client reads the
    /// answer, the line waits for `settle`.
    ///
    /// - Parameter bodyCount: the bytes of the answer's body.
    func end(_ exchange: ExchangeID, status: Int, bodyCount: Int, now: MonotonicInstant) {
        guard let entry = entries.removeValue(forKey: exchange) else { return }
        if entry.isInDoubt, doubts[exchange.connection, default: []].count < Self.mostDoubts {
            let doubt = Doubt(entry: entry, status: status, bodyCount: bodyCount, answeredAt: now)
            doubts[exchange.connection, default: []].append(doubt)
        } else {
            discharge(entry, of: exchange.connection)
            write(entry, status: status, bodyCount: bodyCount, now: now)
        }
    }

    // MARK: Clients that have sent their end

    /// Notes that the client of a request sends no more, and that nobody knows whether it still reads.
    func doubt(_ exchange: ExchangeID) { entries[exchange]?.isInDoubt = true }

    /// Whether answers were given on this connection of which nobody knows whether they are read.
    func hasDoubts(about connection: UInt64) -> Bool { doubts[connection] != nil }

    /// Writes the lines of a connection's answers that were in doubt: with their status, or with `gone` instead.
    ///
    /// - Parameter gone: the status if the client has not read the answers; nil if it has.
    func settle(_ connection: UInt64, gone: Int?) {
        for doubt in doubts.removeValue(forKey: connection) ?? [] {
            discharge(doubt.entry, of: connection)
            write(
                doubt.entry, status: gone ?? doubt.status, bodyCount: gone == nil ? doubt.bodyCount : 0,
                now: doubt.answeredAt)
        }
    }

    /// Writes the line of something that was no request, and was refused.
    func refuse(_ request: AccessedRequest, status: Int, bodyCount: Int, now: MonotonicInstant) {
        let line = AccessLine(format, request, room: rooms.popLast() ?? [])
        write(Entry(line: line, since: now), status: status, bodyCount: bodyCount, now: now)
    }

    /// Forgets a request that another worker answers.
    func forget(_ exchange: ExchangeID) {
        guard let entry = entries.removeValue(forKey: exchange) else { return }
        discharge(entry, of: exchange.connection)
        keepRoom(of: entry.line)
    }

    private func write(_ entry: Entry, status: Int, bodyCount: Int, now: MonotonicInstant) {
        if output.count + AccessLine.longest > Self.piece { flush() }
        let seconds = WallClock.seconds
        if time.seconds != seconds { time = AccessTime(seconds: seconds) }
        let taken = now.elapsed(since: entry.since) / .milliseconds(1)
        entry.line.finish(
            at: time, status: status, bodyCount: bodyCount, milliseconds: Int64(max(taken, 0)), into: &output)
        lines += 1
        keepRoom(of: entry.line)
    }

    private func keepRoom(of line: consuming AccessLine) {
        // The storage of a very long line would be charged to the next client, whose line may be short.
        if rooms.count < Self.mostRooms, line.capacity() <= Self.largestRoom { rooms.append(line.takeRoom()) }
    }

    /// Writes what has gathered. To be called at the end of each turn.
    func flush() {
        guard lines > 0 else { return }
        let isWritten =
            switch outlet {
            case .none: false
            case .standardError(let stream): stream.writeAtOnce(output)
            case .file(let file): file.append(output)
            }
        if isWritten { written &+= lines } else { dropped &+= lines }
        lines = 0
        output.removeAll(keepingCapacity: true)
    }

    /// The most bytes that are written together. A pipe takes so many in one piece or not at all (`PIPE_BUF`).
    private static let piece = 4_096
    /// How many lines of one connection wait at most: as many requests as may be open.
    private static let mostDoubts = 16
    /// How many lines' storage is kept: as many as one turn writes.
    private static let mostRooms = 64
    /// The largest storage that is kept, in bytes. A browser's line has about 300.
    private static let largestRoom = 1_024
    /// A line's places in both tables, which are three quarters full at most and grow to the double, and the head of its
    /// storage, in bytes.
    private static let tableShare = 192
}
