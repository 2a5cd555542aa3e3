import Reactor
import Settings
import TLSCodec

/// What settings want of this machine: the files that they name, which it reads, and the folders of Unix sockets.
struct MachineCheck {
    /// The contents of the files.
    private(set) var files = SettingFiles()
    /// What is not there or cannot be used, in the order of the entries.
    private(set) var faults: [SettingsError] = []
    /// What can be used and is probably not meant.
    private(set) var warnings: [SettingsError] = []

    private var room = SettingFiles.mostBytes

    /// Looks at everything that the entries name, but for those that are wrong by themselves. Each file is read once.
    ///
    /// - Parameter settings: what the entries make, if they are valid. A file that none of its domains needs is not read.
    init(_ entries: [SettingEntry], for settings: Settings?) {
        let needed = settings.map { Set($0.files.map(\.path)) }
        let usable = settings == nil ? entries.filter { Settings.faults(in: [$0]).isEmpty } : entries
        for group in Self.groups(usable) {
            check(group, needed)
            for name in ["listen", "listen-proxy", "admin", "control"] {
                for entry in group[name] ?? [] { checkSocket(entry) }
            }
        }
        faults = faults.inOrder
    }

    /// The entries that count, by name, of all domains and of each domain's own table.
    private static func groups(_ entries: [SettingEntry]) -> [[String: [SettingEntry]]] {
        var groups: [String?: [String: [SettingEntry]]] = [:]
        var domains: [String?] = []
        for entry in entries {
            if groups[entry.domain] == nil { domains.append(entry.domain) }
            let earlier = groups[entry.domain]?[entry.name] ?? []
            let isStronger = earlier.first.map { $0.origin < entry.origin } ?? true
            groups[entry.domain, default: [:]][entry.name] = isStronger ? [entry] : earlier + [entry]
        }
        return domains.compactMap { groups[$0] }
    }

    private mutating func check(_ group: [String: [SettingEntry]], _ needed: Set<String>?) {
        func file(_ setting: SettingRow) -> SettingEntry? {
            guard let entry = group[setting.name]?.last, needed?.contains(entry.value) ?? true else { return nil }
            return entry
        }
        if let token = file(SettingsTable.adminTokenFile.row), let bytes = read(token)?.bytes {
            checkToken(token, bytes)
        }
        if let ca = file(SettingsTable.upstreamCA.row), let pem = read(ca) {
            judge(ca) { () throws(TLSError) in try CertificateCheck.checkTrust(pem) }
        }
        var shown: PEMFile?
        if let certificate = file(SettingsTable.upstreamCertificate.row), let pem = read(certificate) {
            let isGood = judge(certificate) { () throws(TLSError) in try CertificateCheck.checkCertificate(pem) }
            if isGood {
                shown = pem
                checkValidity(certificate, pem)
            }
        }
        if let key = file(SettingsTable.upstreamKey.row), let pem = read(key) {
            let isGood = judge(key) { () throws(TLSError) in try CertificateCheck.checkKey(pem) }
            if isGood, let shown {
                judge(key) { () throws(TLSError) in try CertificateCheck.checkPair(shown, key: pem) }
            }
        }
    }

    private mutating func checkToken(_ entry: SettingEntry, _ bytes: [UInt8]) {
        do throws(AdminToken.Fault) {
            _ = try AdminToken(fileContent: bytes)
        } catch {
            fault(entry, .conflict(value: entry.value, reason: error.words))
            return
        }
        guard FilePlace.isReadableByAll(entry.value) else { return }
        let words = "the token in '\(SettingsError.printable(entry.value))' can be read by every user: chmod o-r it"
        warnings.append(error(entry, .unusable(words)))
    }

    /// The content of the file that the entry names; nil, and a fault, when it cannot be read.
    private mutating func read(_ entry: SettingEntry) -> PEMFile? {
        let path = entry.value
        if let bytes = files[path] { return PEMFile(path: path, bytes: bytes) }
        let bytes: [UInt8]?
        do throws(SystemError) {
            bytes = try FileContents.bytes(of: path, atMost: room)
        } catch {
            fault(entry, .conflict(value: path, reason: FileFault.predicate(error)))
            return nil
        }
        guard let bytes else {
            let most = SettingFiles.mostBytes >> 20
            fault(
                entry, .conflict(value: path, reason: "is too long: the files of all settings have at most \(most) MiB")
            )
            return nil
        }
        room -= bytes.count
        files[path] = bytes
        return PEMFile(path: path, bytes: bytes)
    }

    @discardableResult
    private mutating func judge(_ entry: SettingEntry, _ check: () throws(TLSError) -> Void) -> Bool {
        do throws(TLSError) {
            try check()
            return true
        } catch {
            fault(entry, .unusable(error.description))
            return false
        }
    }

    private mutating func checkValidity(_ entry: SettingEntry, _ file: PEMFile) {
        var words: String?
        do throws(TLSError) {
            switch try CertificateCheck.validity(of: file) {
            case .expired(let day)?: words = "has expired on \(day): servers refuse it"
            case .notYet(let day)?: words = "is valid from \(day) on: until then servers refuse it"
            case .valid?, nil: break
            }
        } catch {
            words = "cannot be judged: \(error)"
        }
        guard let words else { return }
        warnings.append(
            error(entry, .unusable("the certificate in '\(SettingsError.printable(entry.value))' \(words)")))
    }

    private mutating func checkSocket(_ entry: SettingEntry) {
        guard case .unix(let path)? = ListenAddress(entry.value), let slash = path.lastIndex(of: "/") else { return }
        let folder = slash == path.startIndex ? "/" : String(path[..<slash])
        guard !FilePlace.isFolder(folder) else { return }
        fault(entry, .conflict(value: entry.value, reason: "is in a folder that is not there"))
    }

    private mutating func fault(_ entry: SettingEntry, _ problem: SettingsError.Problem) {
        faults.append(error(entry, problem))
    }

    private func error(_ entry: SettingEntry, _ problem: SettingsError.Problem) -> SettingsError {
        SettingsError(name: entry.name, domain: entry.domain, origin: entry.origin, problem: problem)
    }
}
