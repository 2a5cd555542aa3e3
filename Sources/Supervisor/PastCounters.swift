import Handover
import Reactor

/// The counters of all workers that have ended, on a page that every worker reads.
final class PastCounters {
    let page: KeptPage
    private var sums = CounterSums()
    /// The table as it was laid out at the first end; nil before.
    private var table: CounterTable?

    /// - Throws: descriptors or memory have run out.
    init() throws(SystemError) {
        page = try KeptPage()
    }

    /// Adds what a worker has counted in its life.
    func add(_ worker: KeptPage) {
        guard let counted = CounterTable(pageOf: worker.page.count, word: { worker.page[$0] }) else { return }
        sums.add(counted, isOfDead: true) { worker.page[$0] }
        let table = self.table ?? CounterTable(sums.fields)
        guard table.end <= page.page.count else { return }
        for (index, field) in table.fields.enumerated() {
            page.page[table.valuesStart + index] = sums.word(of: field) ?? 0
        }
        guard self.table == nil else { return }
        // The first word says that there is a table, so it comes last.
        for (index, word) in table.head.enumerated().reversed() { page.page[PageWord.table + index] = word }
        self.table = table
    }
}
