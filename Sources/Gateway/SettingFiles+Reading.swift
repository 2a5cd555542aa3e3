import Reactor
import Settings

extension SettingFiles {
    /// Reads the files that the settings name, each once. Call it again for settings that take the place of others: the
    /// contents may have changed.
    ///
    /// - Throws: `StartError`, which names the setting, the domain, the file and its fault.
    package init(reading settings: Settings) throws(StartError) {
        self.init()
        var room = Self.mostBytes
        for file in settings.files {
            let bytes: [UInt8]?
            do throws(SystemError) {
                bytes = try FileContents.bytes(of: file.path, atMost: room)
            } catch {
                throw StartError(file.line("cannot be read: \(error.reason)"))
            }
            guard let bytes else {
                throw StartError(
                    file.line("is too long: the files of all settings have more than \(Self.mostBytes >> 20) MiB"))
            }
            room -= bytes.count
            self[file.path] = bytes
        }
    }
}
