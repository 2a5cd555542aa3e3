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
    /// Where another worker's table has the numbers that are shown of each worker.
    private var sharePlaces: [Int?] = []

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

    /// Writes samples; the head of the table the first time. The last ones that do not fit are left out.
    func show(_ samples: [Sample]) {
        if table == nil {
            let table = CounterTable(
                fitting: samples.compactMap(\.counter).map(\.field), before: PageWord.addresses)
            // The first word says that there is a table, so it comes last.
            for (index, word) in table.head.enumerated().reversed() { page[PageWord.table + index] = word }
            self.table = table
        }
        // The samples are always the same ones, so their names are made only once.
        guard let table, table.fields.count <= samples.count(where: { $0.word != nil }) else { return }
        var place = table.valuesStart
        for case let word? in samples.lazy.map(\.word) where place < table.end {
            page[place] = word
            place += 1
        }
    }

    /// Adds samples of the worker itself, for which there is room in this page.
    func add(own samples: [Sample], to sums: inout CounterSums) {
        let words = samples.compactMap(\.word)
        if let table, table.fields.count == words.count {
            sums.add(table) { words[$0 - table.valuesStart] }
        } else {
            for case let (field, word)? in samples.map(\.counter) { sums.add(field, word) }
        }
    }

    /// The samples for which there is room in this page; all of them while nothing was written.
    func shown(of samples: [Sample]) -> [Sample] {
        guard let table else { return samples }
        var rest = table.fields.count
        return samples.filter { sample in
            guard sample.word != nil else { return true }
            rest -= 1
            return rest >= 0
        }
    }

    /// Adds all counters to sums, if the worker has written any. The number of sessions is that of this moment, because
    /// people look at it first; the others may be a second old.
    ///
    /// - Parameter own: the page of this worker, which most often has the same table.
    func add(to sums: inout CounterSums, isOfDead: Bool = false, like own: WorkerPage? = nil) {
        guard let table = readTable(like: own) else { return }
        sums.add(table, isOfDead: isOfDead) { $0 == sessionsPlace ? self[.sessions] : page[$0] }
    }

    /// The numbers of the worker with these paths; nil in the place of each that it does not have.
    ///
    /// - Parameter paths: always the same ones, because they are looked for only once.
    func samples(at paths: [[String]], like own: WorkerPage? = nil) -> [Sample?] {
        guard let table = readTable(like: own) else { return paths.map { _ in nil } }
        if sharePlaces.isEmpty {
            sharePlaces = paths.map { path in
                let name = Sample.name(path)
                return table.fields.firstIndex { $0.name == name }
            }
        }
        return sharePlaces.map { place in
            guard let place else { return nil }
            let index = table.valuesStart + place
            return Sample(table.fields[place], index == sessionsPlace ? self[.sessions] : page[index])
        }
    }

    /// The table of another process, once all of it is there.
    private func readTable(like own: WorkerPage?) -> CounterTable? {
        if let table { return table }
        // To read the names of a full page takes milliseconds, and there may be 63 other workers.
        if let known = own?.table, known.end <= page.count, known.isHead(at: { page[$0] }) {
            table = known
        } else {
            table = CounterTable(pageOf: page.count) { page[$0] }
        }
        let place = table?.fields.firstIndex { $0.name == Sample.name(["sessions", "now"]) }
        if let table, let place { sessionsPlace = table.valuesStart + place }
        return table
    }
}
