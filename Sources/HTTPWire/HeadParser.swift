import Primitives

/// Reads a request head line by line (RFC 9112 §2-§6). It keeps only the places of the few values needed, relative to
/// the head's first byte, and what the framing fields said.
///
/// Duties: every byte of the head is validated; every limit is applied; every framing doubt becomes an `HTTPFault`.
///
/// Rule: a line is judged only when its LF has arrived, or when it is longer than allowed. So the result depends on the
/// bytes and not on how they were split, and of a partial head only the last line is scanned twice.
struct HeadParser: Sendable {
    enum Outcome: Equatable {
        /// More bytes are needed; the parser keeps its state.
        case needsMore
        /// The head is this many bytes long.
        case complete(length: Int)
        case refused(HTTPFault)
    }

    /// The place of a value in the head.
    private struct Place: Sendable {
        var start: UInt32
        var end: UInt32
    }

    private struct Flags: OptionSet, Sendable {
        let rawValue: UInt8
        static let host = Flags(rawValue: 1)
        static let transferEncoding = Flags(rawValue: 2)
        static let close = Flags(rawValue: 4)
        static let keepAlive = Flags(rawValue: 8)
        static let expectsContinue = Flags(rawValue: 16)
        static let expectsElse = Flags(rawValue: 32)
    }

    private let captures: CapturedField
    private let capturesScheme: Bool
    private let tellsOrigins: Bool
    private let keepsAgents: Bool
    private(set) var requestLine = RequestLine()
    /// The beginning of the first unread line; 0 while the request line is incomplete.
    private var lineStart = 0
    private var fieldCount = 0
    private var flags: Flags = []
    private var contentLength: Int?
    private var originPlace: Place?
    private var hostPlace: Place?
    private var refererPlace: Place?
    private var agentPlace: Place?
    private var page = PageOrigin()
    private var requestedHeaders = RequestedHeaders()
    private var acceptEncoding = AcceptEncoding()
    private var contentEncoding = ContentEncoding()
    /// The lines of the captured field so far. Their bytes are kept, because there may be many of them.
    private(set) var forwarded: [UInt8] = []
    private var forwardedScheme: ForwardedScheme?
    /// The lines by which a GET request asks for another protocol.
    private var upgradeLines: [UInt8] = []

    /// `capturesScheme`: whether `X-Forwarded-Proto` is read. `tellsOrigins`: whether the parser finds out if a request
    /// comes from a page of another origin. `keepsAgents`: whether it keeps `Referer` and `User-Agent`.
    init(captures: CapturedField, capturesScheme: Bool, tellsOrigins: Bool, keepsAgents: Bool) {
        self.captures = captures
        self.capturesScheme = capturesScheme
        self.keepsAgents = keepsAgents
        self.tellsOrigins = tellsOrigins
    }

    /// Continues reading. `bytes[base]` is the head's first byte in every call; anything may follow the head.
    mutating func read(_ bytes: Span<UInt8>, base: Int, limits: HTTPLimits) -> Outcome {
        if lineStart == 0 {
            switch requestLine.read(bytes, from: base) {
            case .flaw(let fault, let index):
                return judge(fault, bytes, base, at: index, limits)
            case .line(let lineFeed):
                if let fault = limitFault(lineFeed: lineFeed - base, limits) { return .refused(fault) }
                lineStart = lineFeed + 1 - base
            }
        }
        while true {
            switch readFieldLine(bytes, base) {
            case .flaw(let fault, let index):
                return judge(fault, bytes, base, at: index, limits)
            case .empty(let lineFeed):
                let length = lineFeed + 1 - base
                if length > limits.head { return .refused(.headTooLarge) }
                if let fault = finish(limits) { return .refused(fault) }
                return .complete(length: length)
            case .field(let name, let value, let lineFeed):
                if let fault = limitFault(lineFeed: lineFeed - base, limits) { return .refused(fault) }
                if let fault = take(bytes, name: name, value: value, base: base) { return .refused(fault) }
                fieldCount += 1
                lineStart = lineFeed + 1 - base
            }
        }
    }

    // MARK: Lines

    private enum FieldLine {
        case field(name: Range<Int>, value: Range<Int>, lineFeed: Int)
        /// The empty line that ends the head.
        case empty(lineFeed: Int)
        /// The byte at this index is wrong or missing.
        case flaw(HTTPFault, at: Int)
    }

    @inline(__always)
    private func readFieldLine(_ bytes: Span<UInt8>, _ base: Int) -> FieldLine {
        let end = bytes.count
        let start = base + lineStart
        var index = start
        while index < end, bytes[index].isTokenByte { index &+= 1 }
        guard index < end else { return .flaw(.badFieldName, at: end) }
        if bytes[index] != ByteClass.colon || index == start { return endOrFlaw(bytes, start, at: index) }
        let name = start..<index

        index &+= 1
        while index < end, bytes[index] == ByteClass.space || bytes[index] == ByteClass.tab { index &+= 1 }
        let valueStart = index
        while index < end, ByteClass.isFieldContent(bytes[index]) { index &+= 1 }
        guard index < end else { return .flaw(.badFieldValue, at: end) }
        guard bytes[index] == ByteClass.cr else {
            return .flaw(bytes[index] == ByteClass.lf ? .badLineEnd : .badFieldValue, at: index)
        }
        guard index &+ 1 < end, bytes[index &+ 1] == ByteClass.lf else { return .flaw(.badLineEnd, at: index &+ 1) }
        var valueEnd = index
        while valueEnd > valueStart,
            bytes[valueEnd &- 1] == ByteClass.space || bytes[valueEnd &- 1] == ByteClass.tab
        { valueEnd &-= 1 }
        return .field(name: name, value: valueStart..<valueEnd, lineFeed: index &+ 1)
    }

    /// Judges a line that does not begin with `name:`.
    private func endOrFlaw(_ bytes: Span<UInt8>, _ start: Int, at index: Int) -> FieldLine {
        let byte = bytes[index]
        let isWhite = byte == ByteClass.space || byte == ByteClass.tab
        guard index == start else { return .flaw(isWhite ? .spaceBeforeColon : .badFieldName, at: index) }
        if isWhite { return .flaw(.foldedField, at: index) }
        guard byte == ByteClass.cr else {
            return .flaw(byte == ByteClass.lf ? .badLineEnd : .badFieldName, at: index)
        }
        guard index + 1 < bytes.count, bytes[index + 1] == ByteClass.lf else {
            return .flaw(.badLineEnd, at: index + 1)
        }
        return .empty(lineFeed: index + 1)
    }

    // MARK: Limits

    /// Turns a flaw into a fault once the line is complete. Before that, more bytes are needed, within the limits.
    private func judge(
        _ fault: HTTPFault, _ bytes: Span<UInt8>, _ base: Int, at index: Int, _ limits: HTTPLimits
    ) -> Outcome {
        if let lineFeed = bytes.indexOfLineFeed(from: index) {
            return .refused(limitFault(lineFeed: lineFeed - base, limits) ?? fault)
        }
        return incompleteLine(arrived: bytes.count - base, limits)
    }

    /// Judges an unfinished line without an LF, when `arrived` bytes of the head have come.
    func incompleteLine(arrived: Int, _ limits: HTTPLimits) -> Outcome {
        if lineStart == 0, arrived >= limits.requestLine + 2 { return .refused(.requestLineTooLong) }
        return arrived >= limits.head ? .refused(.headTooLarge) : .needsMore
    }

    /// The limit that the line with its LF at `lineFeed` exceeds; `lineFeed` counts from the head's first byte.
    @inline(__always)
    private func limitFault(lineFeed: Int, _ limits: HTTPLimits) -> HTTPFault? {
        if lineStart == 0 {
            if lineFeed > limits.requestLine + 1 { return .requestLineTooLong }
        } else if fieldCount >= limits.fields {
            return lineFeed >= limits.head ? .headTooLarge : .tooManyFields
        }
        return lineFeed >= limits.head ? .headTooLarge : nil
    }

    // MARK: Fields

    /// Notes the few fields that matter; the others were validated and are ignored (H-03).
    @inline(__always)
    private mutating func take(
        _ bytes: Span<UInt8>, name: Range<Int>, value: Range<Int>, base: Int
    ) -> HTTPFault? {
        switch name.count {
        case 4 where bytes.isEqual(name, ignoringCase: FieldText.host):
            guard flags.insert(.host).inserted, FieldValue.isHost(bytes, value) else { return .badHost }
            if captures == .provenance { capture(bytes, value, as: RequestHead.hostMark) }
            hostPlace = place(value, base)
        case 6 where bytes.isEqual(name, ignoringCase: FieldText.origin):
            originPlace = place(value, base)
        case 6 where bytes.isEqual(name, ignoringCase: FieldText.expect):
            takeExpectations(bytes, value)
        case 7 where bytes.isEqual(name, ignoringCase: FieldText.upgrade):
            keep(bytes, value, as: .upgrade)
        case 7 where keepsAgents && bytes.isEqual(name, ignoringCase: FieldText.referer):
            refererPlace = place(value, base)
        case 9 where captures == .forwarded && bytes.isEqual(name, ignoringCase: FieldText.forwarded):
            capture(bytes, value)
        case 9 where captures == .xRealIP && bytes.isEqual(name, ignoringCase: FieldText.xRealIP):
            capture(bytes, value)
        case 10 where bytes.isEqual(name, ignoringCase: FieldText.connection):
            takeConnectionOptions(bytes, value)
            keep(bytes, value, as: .connection)
        case 13 where captures == .provenance && bytes.isEqual(name, ignoringCase: FieldText.authorization):
            capture(bytes, value, as: RequestHead.authorizationMark)
        case 10 where keepsAgents && bytes.isEqual(name, ignoringCase: FieldText.userAgent):
            agentPlace = place(value, base)
        case 14 where bytes.isEqual(name, ignoringCase: FieldText.contentLength):
            guard contentLength == nil, let length = FieldValue.contentLength(bytes, value) else {
                return .badContentLength
            }
            contentLength = length
        case 14
        where (tellsOrigins || captures == .provenance)
            && bytes.isEqual(name, ignoringCase: FieldText.secFetchSite):
            if captures == .provenance { capture(bytes, value, as: RequestHead.fetchSiteMark) }
            page.read(bytes, value)
        case 15 where bytes.isEqual(name, ignoringCase: FieldText.acceptEncoding):
            acceptEncoding.read(bytes, value)
        case 15 where captures == .xForwardedFor && bytes.isEqual(name, ignoringCase: FieldText.xForwardedFor):
            capture(bytes, value)
        case 16 where bytes.isEqual(name, ignoringCase: FieldText.contentEncoding):
            contentEncoding.read(bytes, value)
        case 17 where bytes.isEqual(name, ignoringCase: FieldText.socketKey):
            keep(bytes, value, as: .key)
        case 17 where capturesScheme && bytes.isEqual(name, ignoringCase: FieldText.xForwardedProto):
            forwardedScheme = ForwardedScheme(bytes, value)
        case 17 where bytes.isEqual(name, ignoringCase: FieldText.transferEncoding):
            // Any other coding, and any list, would leave the end of the body ambiguous.
            guard flags.insert(.transferEncoding).inserted, requestLine.version == .http11,
                bytes.isEqual(value, ignoringCase: FieldText.chunked)
            else { return .badTransferEncoding }
        case 21 where bytes.isEqual(name, ignoringCase: FieldText.socketVersion):
            keep(bytes, value, as: .version)
        case 22 where bytes.isEqual(name, ignoringCase: FieldText.socketProtocol):
            keep(bytes, value, as: .protocols)
        case 30 where requestLine.method == .options && bytes.isEqual(name, ignoringCase: FieldText.requestedHeaders):
            requestedHeaders.read(bytes, value)
        default:
            break
        }
        return nil
    }

    private mutating func takeConnectionOptions(_ bytes: Span<UInt8>, _ value: Range<Int>) {
        var seen: Flags = []
        FieldValue.eachElement(bytes, value) { option in
            if bytes.isEqual(option, ignoringCase: FieldText.keepAlive) {
                seen.insert(.keepAlive)
            } else if bytes.isEqual(option, ignoringCase: FieldText.close) {
                seen.insert(.close)
            }
        }
        flags.formUnion(seen)
    }

    private mutating func takeExpectations(_ bytes: Span<UInt8>, _ value: Range<Int>) {
        // A list without elements asks for nothing (RFC 9110 §5.6.1, §10.1.1).
        var seen: Flags = []
        FieldValue.eachElement(bytes, value) { expectation in
            let known = bytes.isEqual(expectation, ignoringCase: FieldText.continueExpectation)
            seen.insert(known ? .expectsContinue : .expectsElse)
        }
        flags.formUnion(seen)
    }

    private mutating func capture(_ bytes: Span<UInt8>, _ value: Range<Int>) {
        if value.isEmpty { return }
        if !forwarded.isEmpty { forwarded.append(contentsOf: FieldText.listSeparator) }
        forwarded.append(copying: bytes.extracting(value))
    }

    private mutating func capture(_ bytes: Span<UInt8>, _ value: Range<Int>, as mark: UInt8) {
        forwarded.append(mark)
        forwarded.append(copying: bytes.extracting(value))
        forwarded.append(ByteClass.lf)
    }

    /// Keeps a line by which a GET request asks for another protocol.
    private mutating func keep(_ bytes: Span<UInt8>, _ value: Range<Int>, as field: UpgradeField) {
        guard requestLine.method == .get else { return }
        upgradeLines.append(field.mark)
        upgradeLines.append(copying: bytes.extracting(value))
        upgradeLines.append(ByteClass.lf)
    }

    private func place(_ range: Range<Int>, _ base: Int) -> Place {
        Place(
            start: UInt32(truncatingIfNeeded: range.lowerBound - base),
            end: UInt32(truncatingIfNeeded: range.upperBound - base))
    }

    // MARK: The whole head

    /// The checks that need all fields.
    private func finish(_ limits: HTTPLimits) -> HTTPFault? {
        let isChunked = flags.contains(.transferEncoding)
        if requestLine.version == .http11, !flags.contains(.host) { return .missingHost }
        if isChunked, contentLength != nil { return .ambiguousFraming }
        if let contentLength, contentLength > limits.body { return .bodyTooLarge }
        if requestLine.version == .http11, flags.contains(.expectsElse) { return .unknownExpectation }
        return nil
    }

    /// The request head, once `read` has returned `complete`. The bytes are those of that call.
    func head(_ bytes: Span<UInt8>, base: Int) -> RequestHead {
        let isModern = requestLine.version == .http11
        let framing: HTTPFraming =
            flags.contains(.transferEncoding) ? .chunked : contentLength.map(HTTPFraming.length) ?? .none
        let hasBody =
            switch framing {
            case .none, .length(0): false
            case .length, .chunked: true
            }
        let persists = isModern || flags.contains(.keepAlive)
        return RequestHead(
            method: requestLine.method,
            version: requestLine.version,
            path: path(bytes, base),
            query: requestLine.queryStart.flatMap {
                bytes.string(base + Int($0)..<base + Int(requestLine.targetEnd))
            },
            origin: origin(bytes, base: base),
            acceptedCoding: acceptEncoding.preferred,
            coding: contentEncoding.coding,
            framing: framing,
            expectsContinue: isModern && hasBody && flags.contains(.expectsContinue),
            keepAlive: persists && !flags.contains(.close),
            forwarded: forwarded,
            forwardedScheme: forwardedScheme,
            requestedHeaders: requestedHeaders.text,
            isFromElsewhere: tellsOrigins
                && page.isElsewhere(bytes, origin: range(originPlace, base), host: range(hostPlace, base)),
            upgradeLines: upgradeLines, referer: copy(refererPlace, bytes, base), agent: copy(agentPlace, bytes, base))
    }

    private func copy(_ place: Place?, _ bytes: Span<UInt8>, _ base: Int) -> [UInt8] {
        var result: [UInt8] = []
        if let range = range(place, base) { result.append(copying: bytes.extracting(range)) }
        return result
    }

    /// `Origin`, if it has been read: pages of other origins must be able to read a refusal too (H-21).
    func origin(_ bytes: Span<UInt8>, base: Int) -> String? {
        text(originPlace, bytes, base)
    }

    private func path(_ bytes: Span<UInt8>, _ base: Int) -> String {
        let range = base + Int(requestLine.pathStart)..<base + Int(requestLine.pathEnd)
        // An absolute-form target without a path means `*` for OPTIONS and `/` otherwise (RFC 9112 §3.2.4, RFC 9110
        // §4.2.3).
        if range.isEmpty { return requestLine.method == .options && requestLine.queryStart == nil ? "*" : "/" }
        return bytes.string(range) ?? "/"
    }

    private func text(_ place: Place?, _ bytes: Span<UInt8>, _ base: Int) -> String? {
        range(place, base).flatMap { bytes.string($0) }
    }

    private func range(_ place: Place?, _ base: Int) -> Range<Int>? {
        place.map { base + Int($0.start)..<base + Int($0.end) }
    }
}
