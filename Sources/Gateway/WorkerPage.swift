import Handover
import Reactor

/// The counter page of a worker: words of memory that it alone writes, and that the supervisor and all workers read.
final class WorkerPage {
    private let page: SharedPage

    /// - Throws: when the descriptor is not a page, or cannot be mapped.
    init(_ descriptor: consuming Descriptor, isOwn: Bool) throws(SharedPage.AdoptionError) {
        page = try SharedPage(adopting: descriptor, isWritable: isOwn)
    }

    /// One of the words with a fixed meaning.
    subscript(word: PageWord) -> UInt64 {
        get { page[word.rawValue] }
        set { page[word.rawValue] = newValue }
    }
}
