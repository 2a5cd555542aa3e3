/// What the arrival of a new rid proves of the answers that were given to lower ones (`T-12` a).
///
/// The axiom: a client has at most `requests` rids whose answers it has not read, and one more while a pause or a terminate
/// is among them (XEP-0124 §11). As it sent the rid that has now come, that rid was one of those, and so was every lower one
/// that has no answer here to this moment. An answer is proven to have been read when there was no room for it beside them.
/// Nothing else proves anything: a request may cross an answer that is on its way, and answers are read in any order, or
/// never. A page that is loaded again is a new client: what its predecessor had not read it has given up.
package struct ReceiptProof: Sendable, Equatable {
    private let requests: Int
    private let unanswered: Int
    private let mayIncludeExtra: Bool

    /// The arrival of a new rid.
    ///
    /// - Parameters: `requests`, how many rids a client may have open; `unanswered`, how many lower rids have no answer here,
    ///   those that have not come included; `mayIncludeExtra`, whether the new rid or one of those is a pause or a terminate,
    ///   or could be one since it has not come.
    package init(requests: Int, unanswered: Int, mayIncludeExtra: Bool) {
        self.requests = requests
        self.unanswered = unanswered
        self.mayIncludeExtra = mayIncludeExtra
    }

    /// Whether the client had read an answer that was given to a lower rid; `isExtra` for that to a pause or a terminate.
    package func isProven(isExtra: Bool) -> Bool {
        let room = requests + (isExtra || mayIncludeExtra ? 1 : 0)
        // The new rid, and the answer in question.
        return unanswered + 2 > room
    }
}
