import Handover
import Reactor

/// The counters of all workers that have ended, and the supervisor's own, in a page that every worker reads.
///
/// The names in a page never change. When a worker with further names ends, another page takes the place of this one.
final class PastCounters {
    /// What the supervisor counts itself.
    enum Own: String, CaseIterable {
        /// Workers that ended while they should have served.
        case deaths
        /// Workers among these that were ended because their loop stood still or they did not begin to serve.
        case killed
        /// Processes that look up names and have ended.
        case resolverDeaths = "resolver_deaths"
        /// Configurations that were read anew and hold now.
        case reloads
        /// Configurations that were read anew and could not be used.
        case reloadsFailed = "reloads_failed"
        /// Programs that have taken the place of this one.
        case upgrades
        /// Programs that could not take the place of this one.
        case upgradesFailed = "upgrades_failed"
        /// Workers that this supervisor has taken over from one that had died.
        case adopted

        fileprivate var field: CounterTable.Field { CounterTable.Field(.sum, "supervisor/\(rawValue)") }
    }

    /// The tag of no worker, which this page has.
    static let tag: UInt32 = 0

    /// The page as it is now.
    private(set) var page: KeptPage
    private var table = CounterTable([])
    private var sums = CounterSums()

    /// - Throws: descriptors or memory have run out.
    init() throws(SystemError) {
        page = try KeptPage()
        for own in Own.allCases { sums.add(own.field, 0) }
        write(CounterTable(sums.fields))
    }

    /// Goes on with the page of an earlier supervisor.
    ///
    /// - Throws: the descriptor is no page, or cannot be mapped.
    init(adopting descriptor: consuming Descriptor) throws(SharedPage.AdoptionError) {
        let adopted = try KeptPage(adopting: descriptor, isWritable: true)
        page = adopted
        if let counted = CounterTable(pageOf: adopted.page.count, word: { adopted.page[$0] }) {
            sums.add(counted) { adopted.page[$0] }
            table = counted
        }
    }

    /// Has fields for all that this version of the program counts. Otherwise what an earlier version did not know would
    /// not be shown.
    ///
    /// - Returns: whether there is another page now.
    /// - Throws: there is no memory for another page.
    func addMissingFields() throws(SystemError) -> Bool {
        for own in Own.allCases { sums.add(own.field, 0) }
        guard sums.fields != table.fields else { return false }
        page = try KeptPage()
        write(CounterTable(sums.fields))
        return true
    }

    /// Counts one.
    func count(_ own: Own) {
        sums.add(own.field, 1)
        writeValues()
    }

    /// Adds what a worker has counted that has ended.
    ///
    /// - Returns: whether there is another page now.
    /// - Throws: there is no memory for another page. What was counted is shown with the next page.
    func add(_ dead: KeptPage) throws(SystemError) -> Bool {
        guard let counted = CounterTable(pageOf: dead.page.count, word: { dead.page[$0] }) else { return false }
        sums.add(counted, isOfDead: true) { dead.page[$0] }
        let wanted = sums.fields == table.fields ? table : CounterTable(sums.fields)
        // What does not fit is not shown. A page has room for the counters of a thousand domains.
        guard wanted != table, wanted.end <= page.page.count else {
            writeValues()
            return false
        }
        page = try KeptPage()
        write(wanted)
        return true
    }

    private func write(_ table: CounterTable) {
        self.table = table
        writeValues()
        // The first word says that there is a table, so it comes last.
        for (index, word) in table.head.enumerated().reversed() { page.page[PageWord.table + index] = word }
    }

    private func writeValues() {
        for (index, field) in table.fields.enumerated() {
            page.page[table.valuesStart + index] = sums.word(of: field) ?? 0
        }
    }
}
