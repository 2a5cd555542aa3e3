import Handover
import Reactor

/// The memory in which two workers show each other which connections they have taken over.
final class ReceiptPage {
    private let page: SharedPage
    private let own: Int
    private let other: Int

    /// - Parameters:
    ///   - tag: this worker.
    ///   - otherTag: the worker at the other end.
    /// - Throws: when the descriptor is not a page, or cannot be mapped.
    init(_ descriptor: consuming Descriptor, of tag: UInt32, with otherTag: UInt32) throws(SharedPage.AdoptionError) {
        page = try SharedPage(adopting: descriptor, isWritable: true)
        own = Receipts.place(of: tag, for: otherTag)
        other = Receipts.place(of: otherTag, for: tag)
    }

    /// Shows what this worker has taken over.
    func show(_ receipts: Receipts) { page[own] = receipts.word }

    /// What the other worker has taken over.
    var shown: Receipts { Receipts(word: page[other]) }
}
