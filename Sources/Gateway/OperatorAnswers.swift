import HTTPWire
import Handover

/// The answers to operators' questions about sessions.
enum OperatorAnswers {
    /// The answer to a question, when all workers have answered that will.
    ///
    /// - Parameters:
    ///   - count: how many sessions were found or ended.
    ///   - rows: an object in JSON for each session that is shown.
    ///   - missing: the workers that have not answered.
    static func response(
        to question: OperatorQuestion, count: Int, rows: [String], limit: Int, missing: [UInt32]
    ) -> HTTPResponse {
        let missing = missing.map(String.init).joined(separator: ",")
        switch question.kind {
        case .list:
            let text = """
                {"schema":1,"count":\(count),"shown":\(rows.count),"limit":\(limit),"missing_workers":[\(missing)],\
                "sessions":[
                \(rows.joined(separator: ",\n"))
                ]}

                """
            return HTTPResponse(status: .ok, contentType: .json, body: Array(text.utf8))
        case .end:
            guard count == 0 else {
                return HTTPResponse(status: .ok, contentType: .json, body: Array(#"{"ended":\#(count)}"#.utf8) + [0x0A])
            }
            let line =
                missing.isEmpty
                ? "no session has this name\n"
                : "no session of this name was found, but the workers \(missing) have not answered\n"
            return HTTPResponse(
                status: missing.isEmpty ? .notFound : .serviceUnavailable, contentType: .plain, body: Array(line.utf8))
        }
    }
}
