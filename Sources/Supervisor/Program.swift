import Settings

/// Why the supervisor could not start, or could not do what it was asked, as lines for the operator.
package struct SupervisorError: Error {
    /// The line, without the program's name. Several faults have a line each.
    package let line: String

    /// An error of this line.
    package init(line: String) {
        self.line = line
    }
}

/// Settings with the contents of the files that they name.
package struct LoadedConfiguration {
    /// The settings.
    package let settings: Settings
    /// The contents of the files that they name.
    package let files: SettingFiles
    /// A line for each setting that is allowed and probably not meant.
    package let warnings: [String]

    /// A configuration made of its parts.
    package init(_ settings: Settings, _ files: SettingFiles, warnings: [String] = []) {
        self.settings = settings
        self.files = files
        self.warnings = warnings
    }
}

/// What the program that is run offers its supervisor.
package struct Program {
    /// The arguments with which the process was started; the first is the program's name.
    let arguments: [String]
    /// The program's version.
    let version: String
    /// Reads the configuration again, and checks it as at a start.
    let load: () -> Result<LoadedConfiguration, SupervisorError>

    /// A program made of its parts.
    package init(
        arguments: [String], version: String, load: @escaping () -> Result<LoadedConfiguration, SupervisorError>
    ) {
        self.arguments = arguments
        self.version = version
        self.load = load
    }
}
