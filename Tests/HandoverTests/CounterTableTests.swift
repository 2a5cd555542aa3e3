import Effort
import Testing

@testable import Handover

@Suite struct CounterTableTests {
    private static let fields: [CounterTable.Field] = [
        .init(.sum, "http/requests"), .init(.largest, "memory/pressure"), .init(.realSum, "sites/é.example/sum"),
        .init(.realLargest, ""), .init(.sum, "a name of more than eight bytes"),
    ]

    /// A page with a table and its values.
    private static func page(_ table: CounterTable, values: [UInt64], count: Int = 256) -> [UInt64] {
        var words = [UInt64](repeating: 0, count: count)
        for (index, word) in table.head.enumerated() { words[PageWord.table + index] = word }
        for (index, value) in values.enumerated() { words[table.valuesStart + index] = value }
        return words
    }

    private static func read(_ words: [UInt64]) -> CounterTable? {
        CounterTable(pageOf: words.count) { words.indices.contains($0) ? words[$0] : 0 }
    }

    @Test("what was laid out is read again")
    func roundTrip() throws {
        let table = CounterTable(Self.fields)
        #expect(Self.read(Self.page(table, values: [1, 2, 3, 4, 5])) == table)
        let none = CounterTable([])
        #expect(Self.read(Self.page(none, values: [])) == none)
        #expect(none.end == PageWord.table + 4)
    }

    @Test("a page ends exactly at the last value, or is none")
    func exactSize() {
        let table = CounterTable(Self.fields)
        let words = Self.page(table, values: [0, 0, 0, 0, 0])
        #expect(Self.read(Array(words[..<table.end])) == table)
        for count in 0..<table.end { #expect(Self.read(Array(words[..<count])) == nil) }
    }

    @Test("a page without a table, or of another layout, has none")
    func noTable() {
        #expect(Self.read([UInt64](repeating: 0, count: 256)) == nil)
        #expect(Self.read([UInt64](repeating: .max, count: 256)) == nil)
        var words = Self.page(CounterTable(Self.fields), values: [])
        words[PageWord.table] += 1
        #expect(Self.read(words) == nil)
    }

    @Test("a damaged page is a value, never a trap")
    func damaged() {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        let words = Self.page(CounterTable(Self.fields), values: [1, 2, 3, 4, 5])
        var readable = 0
        for _ in 0..<Effort.cases(20_000) {
            var damaged = words
            for _ in 0...generator.below(3) {
                let place = PageWord.table + generator.below(20)
                switch generator.below(3) {
                case 0: damaged[place] = generator.next()
                case 1: damaged[place] ^= 1 << UInt64(generator.below(64))
                default: damaged[place] = UInt64(generator.below(40))
                }
            }
            // Mostly with a right checksum, or nothing but that would be tested.
            if !generator.oneIn(4) {
                let start = PageWord.table
                let bytes = damaged[start + 2]
                let names = damaged[(start + 4)...].prefix(Int(clamping: bytes / 8 + (bytes % 8 == 0 ? 0 : 1)))
                damaged[start + 3] = CounterTable.checksum(
                    fieldCount: damaged[start + 1], nameBytes: bytes, names: Array(names))
            }
            guard let table = Self.read(damaged) else { continue }
            readable += 1
            #expect(table.end <= damaged.count, "seed \(seed)")
            var sums = CounterSums()
            sums.add(table) { damaged[$0] }
        }
        #expect(readable > 0, "seed \(seed)")
    }

    @Test("any damage to the head is noticed, and so is a head of which a part is missing")
    func noticed() {
        let table = CounterTable(Self.fields)
        let words = Self.page(table, values: [1, 2, 3, 4, 5])
        for place in PageWord.table..<table.valuesStart {
            for bit in 0..<64 {
                var damaged = words
                damaged[place] ^= 1 << UInt64(bit)
                #expect(Self.read(damaged) == nil)
            }
            var partial = words
            partial[place] = 0
            #expect(words[place] == 0 || Self.read(partial) == nil)
        }
    }

    @Test("a name of another process that is too long makes no table")
    func longName() {
        let longest = CounterTable([.init(.sum, String(repeating: "a", count: 1023))])
        #expect(Self.read(Self.page(longest, values: [1])) == longest)
        let tooLong = CounterTable([.init(.sum, String(repeating: "a", count: 1024))])
        #expect(Self.read(Self.page(tooLong, values: [1])) == nil)
    }

    @Test("a line end in a name cannot make two counters of one")
    func controlCharacters() {
        let table = CounterTable([.init(.sum, "a\n1b\u{0}")])
        #expect(table.fields.map(\.name) == ["a 1b "])
        #expect(Self.read(Self.page(table, values: [1])) == table)
    }

    @Test("the counters of several workers are added by name, whatever their order")
    func sums() throws {
        let first = CounterTable([
            .init(.sum, "a"), .init(.largest, "b"), .init(.realSum, "c"), .init(.realLargest, "d"),
        ])
        let second = CounterTable([
            .init(.realLargest, "d"), .init(.sum, "a"), .init(.largest, "b"), .init(.sum, "new"),
        ])
        let firstPage = Self.page(first, values: [3, 7, (0.5).bitPattern, (2.5).bitPattern])
        let secondPage = Self.page(second, values: [(1.5).bitPattern, .max, 5, 9])
        var sums = CounterSums()
        sums.add(first) { firstPage[$0] }
        sums.add(second) { secondPage[$0] }
        #expect(sums.fields.map(\.name) == ["a", "b", "c", "d", "new"])
        #expect(sums.word(of: .init(.sum, "a")) == 2)
        #expect(sums.word(of: .init(.largest, "b")) == 7)
        #expect(sums.word(of: .init(.realSum, "c")) == (0.5).bitPattern)
        #expect(sums.word(of: .init(.realLargest, "d")) == (2.5).bitPattern)
        #expect(sums.word(of: .init(.sum, "new")) == 9)
        #expect(sums.word(of: .init(.sum, "b")) == nil)
    }

    @Test("a table that is too long for its page has the first counters, up to the last that fits")
    func fitting() {
        let whole = CounterTable(Self.fields)
        #expect(CounterTable(fitting: Self.fields, before: whole.end) == whole)
        for end in PageWord.table..<whole.end {
            let table = CounterTable(fitting: Self.fields, before: end)
            #expect(table.fields.isEmpty || table.end <= end)
            #expect(table.fields == Array(Self.fields.prefix(table.fields.count)))
            #expect(table.fields.count < Self.fields.count)
        }
    }

    @Test("a page of another worker is recognised by its whole head")
    func sameHead() {
        let table = CounterTable(Self.fields)
        let words = Self.page(table, values: [1, 2, 3, 4, 5])
        #expect(table.isHead { words[$0] })
        for place in PageWord.table..<table.valuesStart {
            var damaged = words
            damaged[place] ^= 1 << 40
            #expect(!table.isHead { damaged[$0] })
        }
        var sums = CounterSums()
        sums.add(table) { words[$0] }
        #expect(sums.fields == table.fields && sums.word(at: 1) == 2)
    }

    @Test("workers with the same table are added like those with different ones")
    func sameTable() {
        let table = CounterTable(Self.fields)
        let turned = CounterTable(Self.fields.reversed())
        let ones = Self.page(table, values: [1, 2, 1.5.bitPattern, 2.5.bitPattern, 5])
        let others = Self.page(turned, values: [5, 2.5.bitPattern, 1.5.bitPattern, 2, 1])
        var same = CounterSums()
        var mixed = CounterSums()
        for _ in 0..<3 { same.add(table) { ones[$0] } }
        mixed.add(table) { ones[$0] }
        mixed.add(turned) { others[$0] }
        mixed.add(table) { ones[$0] }
        #expect(same == mixed)
        #expect(same.word(of: Self.fields[0]) == 3 && same.word(of: Self.fields[1]) == 2)
        #expect(same.word(of: Self.fields[2]) == 4.5.bitPattern && same.word(of: Self.fields[3]) == 2.5.bitPattern)
    }

    @Test("of a worker that has ended, only what grows counts")
    func dead() {
        let kinds = CounterTable.Kind.allCases
        let table = CounterTable(kinds.map { .init($0, "\($0)") })
        let page = Self.page(table, values: kinds.map { _ in (2.0).bitPattern })
        var sums = CounterSums()
        sums.add(table, isOfDead: true) { page[$0] }
        #expect(sums.fields.map(\.kind) == [.sum, .realSum, .realLargest])
    }
}
