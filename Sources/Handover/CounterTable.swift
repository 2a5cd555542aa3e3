/// The counters of a worker as words of its page: a head with their names, written once, and one word for each value.
///
/// The layout has a version, and counters are found by name, so workers of different versions of the program can add up
/// each other's counters.
package struct CounterTable: Sendable, Equatable {
    /// How the values of several workers become one.
    package enum Kind: UInt8, Sendable, CaseIterable {
        /// Whole numbers that only grow are added.
        case sum = 0x31
        /// The largest whole number of the living workers counts.
        case largest = 0x32
        /// Numbers with a fraction, as the bits of a `Double`, are added. They only grow.
        case realSum = 0x33
        /// The largest number with a fraction counts.
        case realLargest = 0x34
        /// Whole numbers that go up and down are added; a worker that has ended has none.
        case gauge = 0x35

        /// Whether the number of a worker that has ended still counts.
        package var outlivesWorker: Bool {
            switch self {
            case .sum, .realSum, .realLargest: true
            case .largest, .gauge: false
            }
        }
    }

    /// One counter.
    package struct Field: Sendable, Hashable {
        package let kind: Kind
        /// The name, without control characters; its parts are joined by the caller.
        package let name: String

        /// A counter. Control characters in its name become spaces.
        package init(_ kind: Kind, _ name: String) {
            self.kind = kind
            self.name = String(String.UnicodeScalarView(name.unicodeScalars.map { $0.value < 0x20 ? " " : $0 }))
        }
    }

    /// The counters in their order.
    package let fields: [Field]
    /// The words of the head, for the place `PageWord.table` of a page.
    package let head: [UInt64]

    /// Where the values begin, as an index in the page.
    package var valuesStart: Int { PageWord.table + head.count }
    /// How many words of a page the table ends at.
    package var end: Int { valuesStart + fields.count }

    /// A table of these counters.
    package init(_ fields: [Field]) {
        self.fields = fields
        var names: [UInt8] = []
        for field in fields {
            names.append(field.kind.rawValue)
            names.append(contentsOf: field.name.utf8)
            names.append(Self.lineFeed)
        }
        var words: [UInt64] = []
        for start in stride(from: 0, to: names.count, by: 8) {
            words.append(names[start..<min(start + 8, names.count)].reversed().reduce(0) { $0 << 8 | UInt64($1) })
        }
        let checksum = Self.checksum(fieldCount: UInt64(fields.count), nameBytes: UInt64(names.count), names: words)
        head = [Self.magic, UInt64(fields.count), UInt64(names.count), checksum] + words
    }

    /// A table of as many of these counters, from the first on, as leave room for their values before a word of the page.
    package init(fitting fields: [Field], before word: Int) {
        var nameBytes = 0
        var count = 0
        for field in fields {
            nameBytes += field.name.utf8.count + 2
            let end = PageWord.table + Self.headCount + (nameBytes + 7) / 8 + count + 1
            guard end <= word else { break }
            count += 1
        }
        self.init(Array(fields.prefix(count)))
    }

    /// Reads the head of a table in a page of `count` words; nil when there is none, or when it is damaged or half
    /// written.
    package init?(pageOf count: Int, word: (Int) -> UInt64) {
        let start = PageWord.table
        let names = start + Self.headCount
        guard count >= names, word(start) == Self.magic else { return nil }
        guard let fieldCount = Int(exactly: word(start + 1)), let nameBytes = Int(exactly: word(start + 2)),
            fieldCount <= count, nameBytes <= 8 * count, names + (nameBytes + 7) / 8 + fieldCount <= count
        else { return nil }
        let words = (names..<(names + (nameBytes + 7) / 8)).map(word)
        let checksum = Self.checksum(fieldCount: word(start + 1), nameBytes: word(start + 2), names: words)
        guard word(start + 3) == checksum else { return nil }
        let bytes = words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
        var fields: [Field] = []
        for line in bytes.prefix(nameBytes).split(separator: Self.lineFeed) {
            guard let kind = line.first.flatMap({ Kind(rawValue: $0) }), line.count <= Self.longestName,
                let name = String(validating: line.dropFirst(), as: UTF8.self)
            else { return nil }
            fields.append(Field(kind, name))
        }
        guard fields.count == fieldCount else { return nil }
        self.init(fields)
        // A name that this type does not write would move the values.
        guard head.count == Self.headCount + words.count else { return nil }
    }

    /// Whether a page begins with the head of this table, so that its values are those of this table's counters.
    package func isHead(at word: (Int) -> UInt64) -> Bool {
        head.indices.allSatisfy { word(PageWord.table + $0) == head[$0] }
    }

    /// A sum that tells whether all of the head is there: FNV-1a over its words. Stores of one process may become
    /// visible to another in any order.
    static func checksum(fieldCount: UInt64, nameBytes: UInt64, names: [UInt64]) -> UInt64 {
        var sum: UInt64 = 0xCBF2_9CE4_8422_2325
        for word in [fieldCount, nameBytes] { sum = (sum ^ word) &* 0x0000_0100_0000_01B3 }
        for word in names { sum = (sum ^ word) &* 0x0000_0100_0000_01B3 }
        return sum
    }

    /// Words of the head before the names: magic, number of fields, bytes of the names, checksum.
    private static let headCount = 4
    /// The most bytes of a name in another process's table, because names are compared.
    private static let longestName = 1024
    private static let lineFeed: UInt8 = 0x0A
    /// "hfcount" and the version of the layout.
    private static let magic: UInt64 = 0x6866_636F_756E_7402
}

/// The counters of several workers, added up by name.
package struct CounterSums: Sendable, Equatable {
    /// The counters in the order in which they were first seen.
    package private(set) var fields: [CounterTable.Field] = []
    private var places: [CounterTable.Field: Int] = [:]
    private var values: [UInt64] = []

    /// Where the counters of tables are among `fields`. Workers of one generation have the same table, so their names
    /// are compared once and not one by one.
    private var knownTables: [(head: [UInt64], places: [Int])] = []

    /// Nothing counted.
    package init() {}

    /// Whether both have the same counters with the same values.
    package static func == (one: CounterSums, other: CounterSums) -> Bool {
        one.fields == other.fields && one.values == other.values
    }

    /// Adds a value, as the word in which it stands in a page.
    package mutating func add(_ field: CounterTable.Field, _ word: UInt64) {
        guard let place = places[field] else {
            _ = makePlace(of: field, word)
            return
        }
        add(word, at: place, field.kind)
    }

    private mutating func makePlace(of field: CounterTable.Field, _ word: UInt64) -> Int {
        places[field] = fields.count
        fields.append(field)
        values.append(word)
        return fields.count - 1
    }

    private mutating func add(_ word: UInt64, at place: Int, _ kind: CounterTable.Kind) {
        switch kind {
        case .sum, .gauge: values[place] &+= word
        case .largest: values[place] = max(values[place], word)
        case .realSum: values[place] = (Double(bitPattern: values[place]) + Double(bitPattern: word)).bitPattern
        case .realLargest:
            values[place] = max(Double(bitPattern: values[place]), Double(bitPattern: word)).bitPattern
        }
    }

    /// Adds all values of a page with this table.
    ///
    /// - Parameter isOfDead: whether the worker has ended; then only what outlives it is added.
    package mutating func add(_ table: CounterTable, isOfDead: Bool = false, word: (Int) -> UInt64) {
        if isOfDead {
            for (index, field) in table.fields.enumerated() where field.kind.outlivesWorker {
                add(field, word(table.valuesStart + index))
            }
            return
        }
        let places = places(of: table)
        for index in places.indices {
            add(word(table.valuesStart + index), at: places[index], table.fields[index].kind)
        }
    }

    /// Where the counters of a table are; those that are new begin at zero.
    private mutating func places(of table: CounterTable) -> [Int] {
        if let known = knownTables.first(where: { $0.head == table.head }) { return known.places }
        let found = table.fields.map { places[$0] ?? makePlace(of: $0, 0) }
        knownTables.append((table.head, found))
        return found
    }

    /// The value of the counter at this place in `fields`, as a word.
    package func word(at place: Int) -> UInt64 { values[place] }

    /// The value of a counter as a word; nil when no worker has it.
    package func word(of field: CounterTable.Field) -> UInt64? { places[field].map { values[$0] } }
}
