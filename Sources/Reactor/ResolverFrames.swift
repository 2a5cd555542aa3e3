/// A host to look up, asked of the resolver process.
struct ResolverQuestion: Equatable {
    /// Chosen by the asker; the answer carries it back.
    let id: UInt64
    /// A name of 1...255 bytes.
    let host: String
    /// Copied into the addresses of the answer.
    let port: UInt16
}

/// What became of one question.
package struct ResolverAnswer: Equatable, Sendable {
    /// How a question ended.
    package enum Outcome: Equatable, Sendable {
        /// At least one address, in the order in which they should be tried.
        case addresses([SocketAddress])
        /// No address, the reason in words, and whether asking again later may help (`EAI_AGAIN`).
        case failure(String, isTemporary: Bool)
    }

    /// The asker's number.
    package let id: UInt64
    /// The result.
    package let outcome: Outcome

    /// An answer to question `id`.
    package init(id: UInt64, outcome: Outcome) {
        self.id = id
        self.outcome = outcome
    }
}

/// The bytes between a worker and its resolver process: frames of a big-endian 32-bit length and a payload.
///
/// Question: id 8, port 2, host. Answer: id 8, kind 1, then either per address family 1 (4 or 6), address 4 or 16, scope 4
/// (IPv6 only), port 2; or the reason as text. Both ends are the same binary, but a frame that does not parse is still
/// only an error: the other process may have been damaged.
enum ResolverFrames {
    /// The longest payload: 64 addresses need less.
    static let maximumPayload = 2_048
    /// More addresses of one host than this are left out.
    static let maximumAddresses = 64
    /// The longest name that DNS knows.
    static let maximumHostLength = 255

    static func append(_ question: ResolverQuestion, to bytes: inout [UInt8]) {
        let host = Array(question.host.utf8.prefix(maximumHostLength))
        append(UInt32(10 + host.count), to: &bytes)
        append(question.id, to: &bytes)
        append(question.port, to: &bytes)
        bytes.append(contentsOf: host)
    }

    static func append(_ answer: ResolverAnswer, to bytes: inout [UInt8]) {
        var payload: [UInt8] = []
        append(answer.id, to: &payload)
        switch answer.outcome {
        case .addresses(let addresses):
            payload.append(Kind.addresses.rawValue)
            for address in addresses.prefix(maximumAddresses) { append(address, to: &payload) }
        case .failure(let reason, let isTemporary):
            payload.append(isTemporary ? Kind.temporaryFailure.rawValue : Kind.failure.rawValue)
            payload.append(contentsOf: reason.utf8.prefix(maximumHostLength))
        }
        append(UInt32(payload.count), to: &bytes)
        bytes.append(contentsOf: payload)
    }

    /// Nil if the payload is not a question.
    static func question(_ payload: ArraySlice<UInt8>) -> ResolverQuestion? {
        var rest = payload
        guard let id: UInt64 = number(&rest), let port: UInt16 = number(&rest),
            (1...maximumHostLength).contains(rest.count)
        else { return nil }
        return ResolverQuestion(id: id, host: String(decoding: rest, as: UTF8.self), port: port)
    }

    /// Nil if the payload is not an answer.
    static func answer(_ payload: ArraySlice<UInt8>) -> ResolverAnswer? {
        var rest = payload
        guard let id: UInt64 = number(&rest), let byte = rest.popFirst(), let kind = Kind(rawValue: byte) else {
            return nil
        }
        switch kind {
        case .addresses:
            var addresses: [SocketAddress] = []
            while !rest.isEmpty {
                guard addresses.count < maximumAddresses, let address = address(&rest) else { return nil }
                addresses.append(address)
            }
            return addresses.isEmpty ? nil : ResolverAnswer(id: id, outcome: .addresses(addresses))
        case .failure, .temporaryFailure:
            let reason = String(decoding: rest, as: UTF8.self)
            return ResolverAnswer(id: id, outcome: .failure(reason, isTemporary: kind == .temporaryFailure))
        }
    }

    private enum Kind: UInt8 {
        case addresses = 0
        case failure = 1
        case temporaryFailure = 2
    }

    private static func append(_ address: SocketAddress, to bytes: inout [UInt8]) {
        switch address {
        case .ipv4(let number, let port):
            bytes.append(4)
            append(number, to: &bytes)
            append(port, to: &bytes)
        case .ipv6(let number, let port, let scope):
            bytes.append(6)
            append(number, to: &bytes)
            append(scope, to: &bytes)
            append(port, to: &bytes)
        case .unix:
            break
        }
    }

    private static func address(_ rest: inout ArraySlice<UInt8>) -> SocketAddress? {
        switch rest.popFirst() {
        case 4:
            guard let address: UInt32 = number(&rest), let port: UInt16 = number(&rest) else { return nil }
            return .ipv4(address, port: port)
        case 6:
            guard let address: UInt128 = number(&rest), let scope: UInt32 = number(&rest),
                let port: UInt16 = number(&rest)
            else { return nil }
            return .ipv6(address, port: port, scope: scope)
        default:
            return nil
        }
    }

    private static func append<Number: FixedWidthInteger>(_ number: Number, to bytes: inout [UInt8]) {
        for shift in stride(from: Number.bitWidth - 8, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> Number(shift)))
        }
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

    /// The other side announced a frame longer than any frame is; the stream is of no further use.
    struct FrameTooLong: Error, Equatable {}

    /// Adds received bytes and calls `body` with every payload that is complete now.
    mutating func receive(_ bytes: Span<UInt8>, _ body: (ArraySlice<UInt8>) -> Void) throws(FrameTooLong) {
        for index in bytes.indices { pending.append(bytes[index]) }
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
