import FoundationEssentials
import Settings
import Testing

@testable import holdfast

@Suite struct ManualPageTests {
    /// What a reader sees of a hyphen and of quotes.
    private func plain(_ page: String) -> String {
        page.replacing("\\-", with: "-").replacing("\\(dq", with: "\"").replacing("\\(aq", with: "'")
            .replacing("\n", with: " ")
    }

    @Test(arguments: SettingsTable.rows)
    func `Every setting is in the page of the file`(row: SettingRow) {
        let page = plain(ManualPage.file)
        #expect(page.contains(".TP .B \(row.name) "))
        #expect(page.contains(row.doc))
        for value in row.defaults { #expect(page.contains(value)) }
        #expect(plain(ManualPage.program).contains(".B --\(row.name) \(row.valueName)") == row.hasFlag)
    }

    @Test func `Every command and action is in the page of the program`() {
        let page = plain(ManualPage.program)
        for command in ["run", "check", "status", "reload", "upgrade", "drain"] {
            #expect(page.contains(".B holdfast \(command)"))
        }
        for action in RunCommand.actions { #expect(page.contains(".B --\(action.name)")) }
        for hidden in ["resolver", "settings-doc", "worker "] { #expect(!page.contains("holdfast \(hidden)")) }
    }

    /// A line that begins with a full stop or an apostrophe is a request; only those that are meant may.
    @Test(arguments: [ManualPage.program, ManualPage.file])
    func `No text is taken for a request`(page: String) {
        for line in page.split(separator: "\n") {
            #expect(!line.hasPrefix("'"))
            guard line.hasPrefix(".") else { continue }
            let request = line.dropFirst().prefix { $0 != " " }
            #expect(
                [".TH", ".SH", ".SS", ".TP", ".B", ".BR", ".PP", ".br", ".nf", ".fi"].contains("." + request), "\(line)"
            )
        }
    }

    @Test(arguments: SettingsDocumentCommand.Page.allCases)
    func `Each document is in its file`(page: SettingsDocumentCommand.Page) throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let file = try #require(FileManager.default.contents(atPath: root.appendingPathComponent(page.rawValue).path))
        #expect(String(decoding: file, as: UTF8.self) == page.text, "write it with deploy/lib/settings-doc")
        #expect(
            HoldfastCommand.parse(["settings-doc", page.rawValue], environment: [:], version: "1")
                == .exit(code: 0, standardOutput: page.text, standardError: ""))
    }
}
