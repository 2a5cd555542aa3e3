import HTTPWire
import Primitives
import Settings

/// What a line of the access log says of a request. All of it may be a peer's words.
package struct AccessedRequest {
    /// The client's address; empty when it is not known.
    package var client: String
    /// The method, the path without a query, and the version, as in a request line; empty for a request that was not
    /// understood.
    package var method: String
    package var path: String
    package var version: String
    /// `Referer` and `User-Agent`; empty without one.
    package var referer: [UInt8]
    package var agent: [UInt8]

    /// A request made of its parts.
    package init(
        client: String, method: String = "", path: String = "", version: String = "", referer: [UInt8] = [],
        agent: [UInt8] = []
    ) {
        self.client = client
        self.method = method
        self.path = path
        self.version = version
        self.referer = referer
        self.agent = agent
    }
}

/// One line of the access log, which is written in two steps: what is known of the request when it comes, and the rest when
/// its answer is given.
///
/// A path may be secret behind its `?`, and so may a page's address, so both end there. Control bytes, quotes, backslashes
/// and all that is not ASCII are written as `\xHH`, as nginx does.
package struct AccessLine {
    private let format: AccessLogFormat
    /// The pieces before the time, between time and status, and behind the number of bytes, one after the other.
    private var bytes: [UInt8]
    private var timeAt = 0
    private var statusAt = 0

    /// Begins a line in the storage of `room`, whose content is of no use.
    package init(_ format: AccessLogFormat, _ request: AccessedRequest, room: consuming [UInt8]) {
        self.format = format
        bytes = room
        bytes.removeAll(keepingCapacity: true)
        switch format {
        case .combined: beginCombined(request)
        case .json: beginJSON(request)
        }
    }

    /// Appends the whole line with its line feed.
    ///
    /// - Parameters:
    ///   - bodyCount: the bytes of the answer's body.
    ///   - milliseconds: how long the answer took.
    package borrowing func finish(
        at time: AccessTime, status: Int, bodyCount: Int, milliseconds: Int64, into output: inout [UInt8]
    ) {
        output += bytes[..<timeAt]
        output += format == .combined ? time.combined : time.json
        output += bytes[timeAt..<statusAt]
        output.append(decimal: status)
        output += (format == .combined ? " " : ",\"bytes\":").utf8
        output.append(decimal: bodyCount)
        output += bytes[statusAt...]
        output.append(decimal: Int(clamping: milliseconds / 1_000))
        output.append(UInt8(ascii: "."))
        output.append(decimal: Int(clamping: milliseconds % 1_000), width: 3)
        output += (format == .combined ? "\n" : "}\n").utf8
    }

    /// The bytes of the storage.
    package borrowing func capacity() -> Int { bytes.capacity }

    /// Gives the storage back.
    package consuming func takeRoom() -> [UInt8] { bytes }

    // MARK: The forms

    private mutating func beginCombined(_ request: AccessedRequest) {
        add(request.client.utf8, most: Self.longestClient, orElse: "-")
        bytes += " - - [".utf8
        timeAt = bytes.count
        bytes += "] \"".utf8
        if request.method.isEmpty {
            bytes += "-".utf8
        } else {
            bytes += request.method.utf8
            bytes += " ".utf8
            add(Self.withoutQuery(request.path.utf8), most: Self.longestPath)
            bytes += " ".utf8
            bytes += request.version.utf8
        }
        bytes += "\" ".utf8
        statusAt = bytes.count
        bytes += " \"".utf8
        add(Self.withoutQuery(request.referer), most: Self.longestReferer, orElse: "-")
        bytes += "\" \"".utf8
        add(request.agent, most: Self.longestAgent, orElse: "-")
        bytes += "\" ".utf8
    }

    private mutating func beginJSON(_ request: AccessedRequest) {
        bytes += "{\"ts\":\"".utf8
        timeAt = bytes.count
        bytes += "\",\"client\":\"".utf8
        add(request.client.utf8, most: Self.longestClient)
        bytes += "\",\"method\":\"".utf8
        bytes += request.method.utf8
        bytes += "\",\"path\":\"".utf8
        add(Self.withoutQuery(request.path.utf8), most: Self.longestPath)
        bytes += "\",\"protocol\":\"".utf8
        bytes += request.version.utf8
        bytes += "\",\"status\":".utf8
        statusAt = bytes.count
        bytes += ",\"referer\":\"".utf8
        add(Self.withoutQuery(request.referer), most: Self.longestReferer)
        bytes += "\",\"agent\":\"".utf8
        add(request.agent, most: Self.longestAgent)
        bytes += "\",\"seconds\":".utf8
    }

    // MARK: A peer's words

    /// Adds a text with escapes, at most so many bytes of it.
    private mutating func add(_ text: some Sequence<UInt8>, most: Int, orElse empty: String = "") {
        let start = bytes.count
        for byte in text {
            guard bytes.count - start < most else { break }
            switch byte {
            case 0x20, 0x21, 0x23...0x5B, 0x5D...0x7E: bytes.append(byte)
            default:
                // JSON knows no \x, so the backslash itself is escaped there.
                bytes += (format == .combined ? "\\x" : "\\\\x").utf8
                bytes.append(Self.digit(byte >> 4))
                bytes.append(Self.digit(byte & 0xF))
            }
        }
        if bytes.count == start { bytes += empty.utf8 }
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
    }

    private static func withoutQuery<Text: Collection<UInt8>>(_ text: Text) -> Text.SubSequence {
        text.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
    }

    // Bytes with their escapes. All together stay below 4,096, which a pipe takes in one piece.
    private static let longestClient = 64
    private static let longestPath = 1_500
    private static let longestReferer = 1_000
    private static let longestAgent = 600
    /// The most bytes of a line.
    package static let longest = 3_600
}

/// The time of the lines of one second, in both forms.
package struct AccessTime {
    /// Whole seconds since 1970-01-01 00:00 UTC.
    package let seconds: Int64
    /// `10/Oct/2000:13:55:36 +0000`
    let combined: [UInt8]
    /// `2000-10-10T13:55:36Z`
    let json: [UInt8]

    /// The time so many seconds since 1970-01-01 00:00 UTC.
    package init(seconds: Int64) {
        self.seconds = seconds
        let time = LogLine.time(milliseconds: seconds * 1_000)
        json = Array("\(time.prefix(19))Z".utf8)
        let date = CivilDay(daysSince1970: Int(seconds / 86_400))
        var text: [UInt8] = []
        text.append(decimal: date.day, width: 2)
        text += "/\(Self.months[date.month - 1])/\(date.year):\(time.dropFirst(11).prefix(8)) +0000".utf8
        combined = text
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
}
