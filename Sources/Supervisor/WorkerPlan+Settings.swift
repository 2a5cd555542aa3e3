import Handover
import Settings

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
