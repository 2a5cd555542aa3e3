import Handover
import ProcessLinks
import Settings

extension WorkerPlan {
    /// What the workers of a generation are told, but for the tag, when they are to serve with these settings and the contents of the files that they name.
    init(
        generation: UInt32, workers: Int, seed: UInt64, node: String, listeners: [UInt32], _ settings: Settings,
        _ files: SettingFiles
    ) {
        self.init(
            tag: 0, generation: generation, workers: UInt32(clamping: workers), seed: seed, node: node,
            listeners: listeners, rules: SharedRules(settings), entries: settings.entries.map { Entry($0) },
            files: files.paths.compactMap { path in files[path].map { File(path: path, bytes: $0) } })
    }
}

extension SharedRules {
    /// What clients may send to workers with these settings.
    init(_ settings: Settings) {
        let origins: [String] = if case .list(let origins, _) = settings.crossOrigin { origins } else { [] }
        let paths = [settings.path] + (settings.pollingPath.map { [$0] } ?? [])
        self.init(paths: paths, body: UInt32(clamping: settings.maxBody), origins: origins)
    }
}

extension FrameWriter {
    /// - Throws: `SupervisorError`, when the settings and the files that they name are too long for a worker.
    func check(_ settings: Settings, _ files: SettingFiles) throws(SupervisorError) {
        // The other parts have always the same length, but for the node's name, which is short.
        let plan = WorkerPlan(
            generation: 0, workers: 1, seed: 0, node: String(repeating: "n", count: 256),
            listeners: [UInt32](repeating: 0, count: 256), settings, files)
        guard frame(.begin(plan) as SupervisorMessage) == nil else { return }
        let most = FrameSocket.standardBound >> 20
        throw SupervisorError(
            line: "the settings and the files that they name are too long: a worker takes \(most) MiB")
    }
}

extension WorkerPlan.Entry {
    /// An entry as a worker is told it.
    init(_ entry: SettingEntry) {
        let origin: WorkerPlan.Origin =
            switch entry.origin {
            case .file(let path, let line, let column): .file(path: path, line: line, column: column)
            case .environment: .environment
            case .flag: .flag
            }
        self.init(
            name: entry.name, value: entry.value, domain: entry.domain, isEmptyList: entry.isEmptyList, origin: origin)
    }
}
