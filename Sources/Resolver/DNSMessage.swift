/// A response about one question (RFC 1035 §4.1).
///
/// The bytes come from the network, so all lengths, counts and pointers in them are checked. A message that is wrong
/// anywhere before the end of its authority section is rejected.
struct DNSMessage: Equatable {
    /// The kinds of records that are asked for, with their numbers.
    enum Kind: UInt16 {
        case a = 1
        case aaaa = 28
        case srv = 33
    }

    /// The data of one record of the requested kind.
    enum Item: Equatable {
        case a(UInt32)
        case aaaa(UInt128)
        case srv(ResolverRecord)
    }

    /// The response code: 0 no error, 2 server failure, 3 no such name, 5 refused.
    let code: UInt8
    /// The records of the requested name, or of the name to which aliases lead, in the order of the message; 64 at
    /// most.
    let items: [Item]
    /// The lifetime of the items in seconds: the shortest of theirs and of the aliases on the way.
    let lifetime: UInt32
    /// The lifetime in seconds of the absence of the name or of such records (RFC 2308 §5); nil without a `SOA`.
    let absenceLifetime: UInt32?
    /// Whether the name server has no answer and names other servers that may have one.
    let isReferral: Bool
    /// Whether there are records for the question, but no usable one: their targets are not host names.
    let isUnusable: Bool

    /// Reads the response to a question about `name` (in the form of `DNSName.lowercased`, without a final dot).
    ///
    /// Nil if it is damaged, truncated, or the response to another question.
    init?(_ bytes: ArraySlice<UInt8>, name: String, kind: Kind) {
        var reader = DNSReader(Array(bytes))
        guard reader.skip(2), let flags = reader.number16(), let questions = reader.number16(),
            let answers = reader.number16(), let authorities = reader.number16(), reader.skip(2)
        else { return nil }
        // The message must be a response to an ordinary query and not truncated.
        guard flags & 0xFA00 == 0x8000, questions == 1 else { return nil }
        let asked = DNSName.wire(name)
        guard reader.name() == asked, reader.number16() == kind.rawValue, reader.number16() == Self.internet else {
            return nil
        }
        var found: [Record] = []
        for _ in 0..<answers {
            guard let record = Record(&reader, kind) else { return nil }
            found.append(record)
        }
        var absenceLifetime: UInt32?
        var hasNameServers = false
        for _ in 0..<authorities {
            guard let record = Record(&reader, kind) else { return nil }
            switch record.data {
            case .authority(let minimum): absenceLifetime = min(record.lifetime, minimum)
            case .nameServer: hasNameServers = true
            default: break
            }
        }
        let result = Self.follow(asked, through: found)
        code = UInt8(truncatingIfNeeded: flags & 0xF)
        items = result.items
        lifetime = result.lifetime
        isUnusable = result.items.isEmpty && result.hasMatches
        isReferral = found.isEmpty && absenceLifetime == nil && hasNameServers && flags & Self.authoritative == 0
        self.absenceLifetime = absenceLifetime
    }

    private static let internet: UInt16 = 1
    private static let authoritative: UInt16 = 0x0400
    /// The most aliases that are followed in a row.
    private static let maximumAliases = 16

    private struct Record {
        enum Data {
            case item(Item)
            case alias([UInt8])
            case authority(minimum: UInt32)
            case nameServer
            /// A record of the requested kind that cannot be used.
            case unusable
            case other
        }

        let owner: [UInt8]
        let lifetime: UInt32
        let data: Data

        /// Nil if the record is damaged.
        init?(_ reader: inout DNSReader, _ kind: Kind) {
            guard let owner = reader.name(), let type = reader.number16(), let family = reader.number16(),
                let lifetime = reader.number32(), let length = reader.number16(),
                let end = reader.position(after: Int(length))
            else { return nil }
            self.owner = owner
            // A lifetime with the highest bit set counts as 0 (RFC 2181 §8).
            self.lifetime = lifetime >> 31 == 0 ? lifetime : 0
            guard family == DNSMessage.internet else {
                data = .other
                reader.move(to: end)
                return
            }
            guard let data = Self.data(&reader, type, kind), reader.move(to: end, isExactlyAt: data.isRead) else {
                return nil
            }
            self.data = data.data
        }

        /// The target of an alias of `name`; nil if this record is none.
        func alias(of name: [UInt8]) -> (name: [UInt8], lifetime: UInt32)? {
            guard case .alias(let target) = data, owner == name else { return nil }
            return (target, lifetime)
        }

        private static func data(_ reader: inout DNSReader, _ type: UInt16, _ kind: Kind) -> (data: Data, isRead: Bool)?
        {
            switch type {
            case Kind.a.rawValue where kind == .a:
                return reader.number32().map { (.item(.a($0)), true) }
            case Kind.aaaa.rawValue where kind == .aaaa:
                return reader.number128().map { (.item(.aaaa($0)), true) }
            case Kind.srv.rawValue where kind == .srv:
                guard let priority = reader.number16(), let weight = reader.number16(), let port = reader.number16(),
                    let wire = reader.name()
                else { return nil }
                guard let target = DNSReader.text(wire) else { return (.unusable, true) }
                let record = ResolverRecord(priority: priority, weight: weight, port: port, target: target)
                return (.item(.srv(record)), true)
            case 2:
                return (.nameServer, false)
            case 5:
                return reader.name().map { (.alias($0), true) }
            case 6:
                guard reader.name() != nil, reader.name() != nil, reader.skip(16) else { return nil }
                return reader.number32().map { (.authority(minimum: $0), true) }
            default:
                return (.other, false)
            }
        }
    }

    private static func follow(
        _ asked: [UInt8], through records: [Record]
    ) -> (items: [Item], lifetime: UInt32, hasMatches: Bool) {
        var name = asked
        var lifetime = UInt32.max
        for _ in 0..<maximumAliases {
            guard let next = records.lazy.compactMap({ $0.alias(of: name) }).first else { break }
            name = next.name
            lifetime = min(lifetime, next.lifetime)
        }
        var items: [Item] = []
        var hasMatches = false
        for record in records where record.owner == name {
            switch record.data {
            case .item(let item):
                hasMatches = true
                items.append(item)
                lifetime = min(lifetime, record.lifetime)
            case .unusable:
                hasMatches = true
            default:
                break
            }
        }
        return (Array(Self.bestFirst(items).prefix(ResolverFrames.maximumItems)), lifetime, hasMatches)
    }

    /// Sorts services by priority, so that the best are among those that are kept. All others keep their order.
    private static func bestFirst(_ items: [Item]) -> [Item] {
        func priority(_ item: Item) -> UInt16 { if case .srv(let record) = item { record.priority } else { 0 } }
        return items.enumerated().sorted { (priority($0.element), $0.offset) < (priority($1.element), $1.offset) }
            .map(\.element)
    }
}

extension DNSMessage {
    /// The bytes of a question with recursion desired (RFC 1035 §4.1); `name` as in `init`.
    static func question(id: UInt16, name: String, kind: Kind) -> [UInt8] {
        [UInt8(id >> 8), UInt8(id & 0xFF), 1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + DNSName.wire(name)
            + [0, UInt8(kind.rawValue & 0xFF), 0, 1]
    }
}
