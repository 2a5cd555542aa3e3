/// What the arrival of a new rid proves about the answers to lower rids (`T-12` a).
///
/// The axiom: a client has at most `requests` rids whose answers it has not read, and one more while a pause or a
/// terminate is among them (XEP-0124 §11). It counted the new rid among those when it sent it, and every lower rid that
/// has no answer yet. An answer to another rid is proven to have been read when there was no room for it beside them.
///
/// Nothing else proves anything: a request may cross an answer, and answers are read in any order or never. A page that
/// is loaded again is a new client, and what its predecessor had not read is lost.
package struct ReceiptProof: Sendable, Equatable {
    private let requests: Int
    private let unanswered: Int
    private let mayIncludeExtra: Bool

    /// The arrival of a new rid.
    ///
    /// - Parameters: `requests`, how many rids a client may have open; `unanswered`, how many lower rids have no
    ///   answer, including those that have not come; `mayIncludeExtra`, whether the new rid or one of those is a pause
    ///   or a terminate, or may be one because it has not come.
    package init(requests: Int, unanswered: Int, mayIncludeExtra: Bool) {
        self.requests = requests
        self.unanswered = unanswered
        self.mayIncludeExtra = mayIncludeExtra
    }

    /// Whether the client had read the answer to a lower rid. `isExtra`: that rid was a pause or a terminate.
    package func isProven(isExtra: Bool) -> Bool {
        let room = requests + (isExtra || mayIncludeExtra ? 1 : 0)
        // The new rid and the answer in question make two.
        return unanswered + 2 > room
    }
}
