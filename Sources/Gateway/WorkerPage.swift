import Handover
import ProcessLinks
import Reactor

/// The counter page of a worker: words of memory that it alone writes, and that the supervisor and all workers read.
final class WorkerPage: DescriptorOwner {
    private let page: SharedPage
    var number: Int32 { page.descriptor.number }
    /// The table of counters, once its head is written; another process may have written it.
    private var table: CounterTable?
    /// Where another worker's table has the number of its sessions; nil while the table is not read.
    private var sessionsPlace: Int?

    /// - Throws: when the descriptor is not a page, or cannot be mapped.
    init(_ descriptor: consuming Descriptor, isOwn: Bool) throws(SharedPage.AdoptionError) {
        page = try SharedPage(adopting: descriptor, isWritable: isOwn)
    }

    /// One of the words with a fixed meaning.
    subscript(word: PageWord) -> UInt64 {
        get { page[word.rawValue] }
        set { page[word.rawValue] = newValue }
    }

    /// What the addresses of one bucket hold in the worker (`AddressTotals`).
    subscript(address bucket: Int) -> UInt64 {
        get { page[PageWord.addresses + bucket] }
        set { page[PageWord.addresses + bucket] = newValue }
    }

    /// Writes samples; the head of the table the first time. What does not fit is left out.
    func show(_ samples: [Sample]) {
        if table == nil {
            let table = CounterTable(samples.compactMap(\.counter).map(\.field))
            guard table.end <= PageWord.addresses else { return }
            // The first word says that there is a table, so it comes last.
            for (index, word) in table.head.enumerated().reversed() { page[PageWord.table + index] = word }
            self.table = table
        }
        // The samples are always the same ones, so their names are made only once.
        guard let table, table.fields.count == samples.count(where: { $0.word != nil }) else { return }
        var place = table.valuesStart
        for case let word? in samples.lazy.map(\.word) {
            page[place] = word
            place += 1
        }
    }

    /// Adds all counters to sums, if the worker has written any. The number of sessions is that of this moment, because
    /// people look at it first; the others may be a second old.
    func add(to sums: inout CounterSums, isOfDead: Bool = false) {
        if table == nil {
            table = CounterTable(pageOf: page.count) { page[$0] }
            let place = table?.fields.firstIndex { $0.name == Sample.name(["sessions", "now"]) }
            if let table, let place { sessionsPlace = table.valuesStart + place }
        }
        guard let table else { return }
        sums.add(table, isOfDead: isOfDead) { $0 == sessionsPlace ? self[.sessions] : page[$0] }
    }
}
