import Settings
import Testing

/// The files that settings name, and their contents.
@Suite struct SettingFilesTests {
    private func settings(_ entries: [(name: String, value: String, domain: String?)]) throws -> Settings {
        try Settings.resolve(
            entries: entries.map {
                SettingEntry(
                    $0.name, $0.value, origin: .file(path: "f", line: 1, column: 1), domain: $0.domain)
            })
    }

    @Test func `Each file is named once, by the first domain that needs it`() throws {
        let files = try settings([
            ("upstream", "b:1", nil), ("upstream-ca", "/ca", nil), ("domain", "a", nil), ("domain", "b", nil),
            ("open-proxy", "on", nil), ("domains", "b", nil), ("upstream-certificate", "/c", "b"),
            ("upstream-key", "/c", "b"),
        ]).files
        #expect(files.map(\.path) == ["/ca", "/c"])
        #expect(files.map(\.kind) == [.trust, .certificate])
        #expect(files.map(\.domain) == ["a", "b"])
    }

    @Test func `The open proxy needs files too`() throws {
        let files = try settings([
            ("upstream-ca", "/ca", nil), ("open-proxy", "on", nil), ("upstream-certificate", "/c", nil),
            ("upstream-key", "/k", nil),
        ]).files
        #expect(files.map(\.path) == ["/ca"])
        #expect(files.map(\.domain) == [""])
    }

    @Test func `Without TLS no file is needed`() throws {
        let files = try settings([
            ("upstream", "b:1", nil), ("upstream-ca", "/ca", nil), ("domains", "a", nil), ("upstream-tls", "none", "a"),
        ]).files
        #expect(files.isEmpty)
    }

    @Test func `A fault is one line with the setting, the domain and the file`() {
        func line(_ kind: NamedFile.Kind, _ domain: String = "a.example", path: String = "/etc/f.pem") -> String {
            NamedFile(kind: kind, path: path, domain: domain).line("cannot be read: no")
        }
        #expect(line(.trust) == "upstream-ca of a.example: CA file '/etc/f.pem' cannot be read: no")
        #expect(
            line(.certificate)
                == "upstream-certificate of a.example: certificate file '/etc/f.pem' cannot be read: no")
        #expect(line(.key) == "upstream-certificate of a.example: key file '/etc/f.pem' cannot be read: no")
        #expect(line(.trust, "", path: "a\nb") == "upstream-ca: CA file 'a?b' cannot be read: no")
    }

    @Test func `Contents are found by their path, and their words do not show them`() {
        var files = SettingFiles()
        #expect(files["/k"] == nil)
        files["/k"] = Array("secret".utf8)
        files["/c"] = []
        #expect(files["/k"] == Array("secret".utf8))
        #expect(files.paths == ["/c", "/k"])
        #expect("\(files)" == "/c, /k")
    }
}
