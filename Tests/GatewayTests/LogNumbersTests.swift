import FoundationEssentials
import Testing

/// The numbers in the lines of the log, in docs/logging.md.
@Suite struct LogNumbersTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
        "../..")

    /// The keys of fields in the sources: those with numbers, and those with anything else.
    private func keys() throws -> (numbers: Set<String>, others: Set<String>) {
        var numbers: Set<String> = []
        var others: Set<String> = []
        for target in ["Gateway", "Supervisor", "LogLines", "holdfast"] {
            let folder = Self.root.appendingPathComponent("Sources/\(target)")
            let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            for file in files where file.pathExtension == "swift" {
                let source = try String(contentsOf: file, encoding: .utf8)
                for match in source.matches(of: /"([a-z][a-z0-9_-]*)"(?:: |\] = )(\.number\(|\.wholeSeconds\(|"\\\()/) {
                    let key = String(match.1)
                    if match.2.first == "." { numbers.insert(key) } else { others.insert(key) }
                }
            }
        }
        return (numbers, others)
    }

    @Test("the document names each key whose value is a number, and no other one")
    func document() throws {
        let text = try String(contentsOf: Self.root.appendingPathComponent("docs/logging.md"), encoding: .utf8)
        let section = try #require(
            text.components(separatedBy: "## Numbers\n").last?.components(separatedBy: "\n## ").first)
        let named = section.split(separator: "\n").filter { $0.hasPrefix("| `") }.flatMap { row in
            row.split(separator: "|")[0].matches(of: /`([^`]+)`/).map { String($0.1) }
        }
        // The lines themselves count these two.
        #expect(Set(named) == (try keys().numbers).union(["lines", "left_out"]))
        #expect(named.count == Set(named).count)
    }

    @Test("a value is a number in all lines or in none")
    func sameEverywhere() throws {
        let keys = try keys()
        #expect(keys.numbers.count > 20 && keys.others.count > 20)
        #expect(keys.numbers.intersection(keys.others).isEmpty)
    }
}
