import Primitives
import Reactor

/// A question on its way to a resolver process.
struct ResolverQuestion: Equatable {
    /// The asker chose it; the reply carries it back.
    let id: UInt64
    /// Its name has 1...254 bytes.
    let query: ResolverQuery
}

/// The finding of a resolver process.
struct ResolverReply: Equatable {
    /// The question's number.
    let id: UInt64
    let finding: ResolverFinding
}

/// What a resolver process of several workers and one of these workers tell each other beside questions and replies.
enum ResolverWord: UInt8 {
    /// The process works for another worker. It will not read what it was asked before `noted`.
    case busy = 0x80
    /// The process works for nobody: it may be asked.
    case free = 0x81
    /// The worker has heard `busy`. What it has asked before is still its own.
    case noted = 0x82
}

/// The bytes between a worker and a resolver process: frames of a big-endian 32-bit length and a payload.
///
/// Question: id 8, kind 1 (0 addresses, 1 services), name. Reply: id 8, kind 1, lifetime 4, then either per address
/// family 1 (4 or 6), address 4 or 16, scope 4 (IPv6 only); or per record priority 2, weight 2, port 2, length 1,
/// target; or the reason as text. Word: 1. Both ends are the same binary, but a frame that does not parse is still only an
/// error, because the other process may be damaged.
enum ResolverFrames {
    /// The most addresses or records of one name; others are left out.
    static let maximumItems = 64
    /// The longest payload: the most records, with the longest targets.
    static let maximumPayload = 13 + maximumItems * (7 + ResolverQuery.maximumNameLength)
    /// The most bytes of a reason.
    static let maximumReasonLength = 255

    static func append(_ question: ResolverQuestion, to bytes: inout [UInt8]) {
        let name = Array(question.query.name.utf8.prefix(ResolverQuery.maximumNameLength + 1))
        bytes.append(bigEndian: UInt32(9 + name.count))
        bytes.append(bigEndian: question.id)
        switch question.query {
        case .addresses: bytes.append(Kind.addresses.rawValue)
        case .services: bytes.append(Kind.services.rawValue)
        }
        bytes.append(contentsOf: name)
    }

    static func append(_ reply: ResolverReply, to bytes: inout [UInt8]) {
        var payload: [UInt8] = []
        payload.append(bigEndian: reply.id)
        let kind: Kind =
            switch reply.finding.outcome {
            case .addresses: .addresses
            case .services: .services
            case .failure(_, let isTemporary): isTemporary ? .temporaryFailure : .failure
            }
        payload.append(kind.rawValue)
        payload.append(bigEndian: reply.finding.lifetime)
        switch reply.finding.outcome {
        case .addresses(let addresses):
            for address in addresses.prefix(maximumItems) { append(address, to: &payload) }
        case .services(let records):
            for record in records.prefix(maximumItems) { append(record, to: &payload) }
        case .failure(let reason, _):
            payload.append(contentsOf: reason.utf8.prefix(maximumReasonLength))
        }
        bytes.append(bigEndian: UInt32(payload.count))
        bytes.append(contentsOf: payload)
    }

    static func append(_ word: ResolverWord, to bytes: inout [UInt8]) {
        bytes.append(bigEndian: UInt32(1))
        bytes.append(word.rawValue)
    }

    /// Nil if the payload is not a word.
    static func word(_ payload: ArraySlice<UInt8>) -> ResolverWord? {
        guard payload.count == 1, let byte = payload.first else { return nil }
        return ResolverWord(rawValue: byte)
    }

    /// Nil if the payload is not a question.
    static func question(_ payload: ArraySlice<UInt8>) -> ResolverQuestion? {
        var rest = payload
        guard let id: UInt64 = number(&rest), let byte = rest.popFirst(), let kind = Kind(rawValue: byte) else {
            return nil
        }
        let name = String(decoding: rest, as: UTF8.self)
        let query: ResolverQuery
        switch kind {
        case .addresses: query = .addresses(host: name)
        case .services: query = .services(name: name)
        case .failure, .temporaryFailure: return nil
        }
        // The other end sends only names that were checked.
        guard query.normalized == query else { return nil }
        return ResolverQuestion(id: id, query: query)
    }

    /// Nil if the payload is not a reply.
    static func reply(_ payload: ArraySlice<UInt8>) -> ResolverReply? {
        var rest = payload
        guard let id: UInt64 = number(&rest), let byte = rest.popFirst(), let kind = Kind(rawValue: byte),
            let lifetime: UInt32 = number(&rest), let outcome = outcome(kind, rest)
        else { return nil }
        return ResolverReply(id: id, finding: ResolverFinding(outcome, lifetime: lifetime))
    }

    private enum Kind: UInt8 {
        case addresses = 0
        case services = 1
        case failure = 2
        case temporaryFailure = 3
    }

    private static func outcome(_ kind: Kind, _ items: ArraySlice<UInt8>) -> ResolverAnswer.Outcome? {
        var rest = items
        switch kind {
        case .addresses:
            var addresses: [SocketAddress] = []
            while !rest.isEmpty {
                guard addresses.count < maximumItems, let address = address(&rest) else { return nil }
                addresses.append(address)
            }
            return addresses.isEmpty ? nil : .addresses(addresses)
        case .services:
            var records: [ResolverRecord] = []
            while !rest.isEmpty {
                guard records.count < maximumItems, let record = record(&rest) else { return nil }
                records.append(record)
            }
            return records.isEmpty ? nil : .services(records)
        case .failure, .temporaryFailure:
            guard rest.count <= maximumReasonLength else { return nil }
            return .failure(String(decoding: rest, as: UTF8.self), isTemporary: kind == .temporaryFailure)
        }
    }

    private static func append(_ address: SocketAddress, to bytes: inout [UInt8]) {
        switch address {
        case .ipv4(let number, _):
            bytes.append(4)
            bytes.append(bigEndian: number)
        case .ipv6(let number, _, let scope):
            bytes.append(6)
            bytes.append(bigEndian: number)
            bytes.append(bigEndian: scope)
        case .unix:
            break
        }
    }

    private static func address(_ rest: inout ArraySlice<UInt8>) -> SocketAddress? {
        switch rest.popFirst() {
        case 4:
            guard let address: UInt32 = number(&rest) else { return nil }
            return .ipv4(address, port: 0)
        case 6:
            guard let address: UInt128 = number(&rest), let scope: UInt32 = number(&rest) else { return nil }
            return .ipv6(address, port: 0, scope: scope)
        default:
            return nil
        }
    }

    private static func append(_ record: ResolverRecord, to bytes: inout [UInt8]) {
        let target = record.target.utf8.prefix(ResolverQuery.maximumNameLength)
        bytes.append(bigEndian: record.priority)
        bytes.append(bigEndian: record.weight)
        bytes.append(bigEndian: record.port)
        bytes.append(UInt8(clamping: target.count))
        bytes.append(contentsOf: target)
    }

    private static func record(_ rest: inout ArraySlice<UInt8>) -> ResolverRecord? {
        guard let priority: UInt16 = number(&rest), let weight: UInt16 = number(&rest),
            let port: UInt16 = number(&rest), let length = rest.popFirst(), rest.count >= Int(length)
        else { return nil }
        let target = String(decoding: rest.prefix(Int(length)), as: UTF8.self)
        rest = rest.dropFirst(Int(length))
        guard target == "." || (DNSName.lowercased(target) == target && !target.hasSuffix(".")) else { return nil }
        return ResolverRecord(priority: priority, weight: weight, port: port, target: target)
    }

    private static func number<Number: FixedWidthInteger>(_ rest: inout ArraySlice<UInt8>) -> Number? {
        let size = Number.bitWidth / 8
        guard rest.count >= size else { return nil }
        var value: Number = 0
        for byte in rest.prefix(size) { value = value << 8 | Number(byte) }
        rest = rest.dropFirst(size)
        return value
    }
}

/// Cuts received bytes into payloads.
struct ResolverFrameReader {
    private var pending: [UInt8] = []

    /// The other side announced a frame that is too long; the stream is useless.
    struct FrameTooLong: Error, Equatable {}

    /// Adds received bytes and calls `body` with every payload that is now complete.
    mutating func receive(_ bytes: Span<UInt8>, _ body: (ArraySlice<UInt8>) -> Void) throws(FrameTooLong) {
        pending.append(copying: bytes)
        var rest = pending[...]
        while rest.count >= 4 {
            let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            guard length <= ResolverFrames.maximumPayload else { throw FrameTooLong() }
            guard rest.count >= 4 + length else { break }
            body(rest.dropFirst(4).prefix(length))
            rest = rest.dropFirst(4 + length)
        }
        pending = Array(rest)
    }
}
