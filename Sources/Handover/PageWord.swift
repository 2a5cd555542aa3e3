/// The words at the beginning of a worker's counter page. Each has one fixed meaning in all versions of the program,
/// because workers of several versions read each other's pages. The table of counters follows them.
package enum PageWord: Int, Sendable, CaseIterable {
    /// How many turns the worker's loop has made. The supervisor ends a worker whose number stands still.
    case turns = 0
    /// How many sessions the worker has.
    case sessions = 1

    /// Where the table of counters begins.
    package static let table = 8
    /// Where the words begin that tell what client addresses hold, one for each bucket; the table ends before.
    package static let addresses = 16_384
    /// How many words a page has.
    package static let count = 32_768
}
