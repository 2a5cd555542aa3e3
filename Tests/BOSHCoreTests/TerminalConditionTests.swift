import BOSHCore
import Testing

@Suite struct TerminalConditionTests {
    @Test("T-10 three conditions have the HTTP status that clients from before conditions know")
    func legacyStatus() {
        let statuses = TerminalCondition.allCases.compactMap { condition in
            condition.legacyStatus.map { "\(condition.rawValue) \($0)" }
        }
        #expect(statuses == ["bad-request 400", "item-not-found 404", "policy-violation 403"])
    }
}
