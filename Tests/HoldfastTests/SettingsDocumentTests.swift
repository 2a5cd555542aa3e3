import Settings
import Testing

@testable import holdfast

@Suite struct SettingsDocumentTests {
    @Test(arguments: SettingsTable.rows)
    func `Every example is one of a file`(row: SettingRow) throws {
        let file = try ConfigurationFile(path: "f", text: Array(SettingsDocument.example(row).utf8))
        #expect(file.allFaults == [])
        let given = file.entries.filter { $0.name == row.name }
        #expect(given.map(\.value) == row.example)
        #expect(given.allSatisfy { ($0.domain == "example.org") == row.isPerDomain })
    }

    @Test func `The complete example is valid`() throws {
        let file = try ConfigurationFile(path: "f", text: Array(SettingsDocument.completeExample.utf8))
        #expect(file.allFaults == [])
        let settings = try Settings.resolve(entries: file.entries)
        #expect(settings.domains.map(\.name) == ["example.org", "example.net"])
        #expect(settings.domains.map(\.tls) == [.starttls, .direct])
        #expect(settings.defaultDomain == "example.org")
    }

    @Test(arguments: SettingsTable.rows)
    func `Every setting is described`(row: SettingRow) throws {
        let text = SettingsDocument.text
        let start = try #require(text.firstRange(of: "\n### \(row.name)\n"))
        let entry = text[start.upperBound...].prefix { $0 != "#" }
        #expect(entry.contains(row.doc))
        #expect(entry.contains(row.allowed))
        #expect(entry.contains("`\(SettingRow.environmentName(of: row.name))`"))
        #expect(entry.contains("flag: `--\(row.name) ") == row.hasFlag)
        for value in row.defaults { #expect(entry.contains("`\(value)`")) }
    }
}
