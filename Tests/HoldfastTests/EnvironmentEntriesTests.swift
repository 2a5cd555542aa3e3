import Settings
import Testing

@testable import holdfast

@Suite struct EnvironmentEntriesTests {
    /// `NAME=VALUE` of each entry, `[]` for an empty list.
    private func entries(_ environment: [String: String]) -> [String] {
        EnvironmentEntries.entries(of: environment).map { entry in
            #expect(entry.origin == .environment)
            return "\(entry.name)=\(entry.isEmptyList ? "[]" : entry.value)"
        }
    }

    @Test func `Variables of this program, by name`() {
        #expect(
            entries([
                "HOLDFAST_PATH": "/a,b ", "PATH": "/bin", "HOLDFAST_MAX_WAIT": "5", "holdfast_polling": "2",
                "HOLDFAST": "x",
                "MY_HOLDFAST_POLLING": "2",
            ]) == ["max-wait=5", "path=/a,b "])
    }

    @Test(arguments: SettingsTable.rows)
    func `Every setting has a variable`(row: SettingRow) {
        let name = SettingRow.environmentName(of: row.name)
        let values = row.isRepeatable ? row.example.joined(separator: ",") : row.example[0]
        #expect(
            EnvironmentEntries.entries(of: [name: values])
                == row.example.map { SettingEntry(row.name, $0, origin: .environment) })
    }

    @Test func `Lists have commas`() {
        #expect(entries(["HOLDFAST_DOMAIN": "a, b ,c"]) == ["domain=a", "domain=b", "domain=c"])
        #expect(entries(["HOLDFAST_UPSTREAM": "a:1 priority=2,b:1"]) == ["upstream=a:1 priority=2", "upstream=b:1"])
        #expect(entries(["HOLDFAST_DOMAIN": ""]) == ["domain=[]"])
        #expect(entries(["HOLDFAST_DOMAIN": "a,,b"]) == ["domain=a", "domain=", "domain=b"])
        #expect(entries(["HOLDFAST_MAX_WAIT": ""]) == ["max-wait="])
    }

    @Test func `What is no setting is an entry too`() {
        #expect(entries(["HOLDFAST_MAX_WIAT": "5", "HOLDFAST_": "6"]) == ["=6", "max-wiat=5"])
        #expect(entries(["HOLDFAST_PORT": "5280"]) == ["port=5280"])
        #expect(entries(["HOLDFAST_PORT_NUMBER": "5280"]) == ["port-number=5280"])
        #expect(entries(["HOLDFAST_SERVICE": "x"]) == ["service=x"])
    }

    @Test func `What tests and Kubernetes set is passed over`() {
        #expect(
            entries([
                "HOLDFAST_HISTORIES": "5", "HOLDFAST_SEED": "6", "HOLDFAST_EFFORT": "10", "HOLDFAST_ROOMS": "pure",
                "HOLDFAST_PORT": "tcp://10.0.0.1:5280",
                "HOLDFAST_SERVICE_HOST": "10.0.0.1", "HOLDFAST_SERVICE_PORT": "5280",
                "HOLDFAST_SERVICE_PORT_BOSH": "5280",
                "HOLDFAST_PORT_5280_TCP": "tcp://10.0.0.1:5280", "HOLDFAST_PORT_5280_TCP_PROTO": "tcp",
                "HOLDFAST_ADMIN_SERVICE_HOST": "10.0.0.2", "HOLDFAST_ADMIN_PORT": "tcp://10.0.0.2:5281",
            ]) == [])
    }
}
