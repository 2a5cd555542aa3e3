import Settings

/// How the lines of a log look.
package struct LineStyle: Hashable, Sendable {
    /// The form of a line.
    package enum Form: Sendable, CaseIterable {
        /// `TIME level part: event key=value …`, for people.
        case text
        /// One JSON object a line, in which what the program counts is a number.
        case json
        /// `ts=TIME level=level event="event" subsystem=part key=value …`.
        case logfmt
    }

    package var form: Form
    /// Whether a line begins with its priority, `<0>` to `<7>` (sd-daemon(3)). Who reads these notes the time too, so a
    /// line of text then has none.
    package var hasPriorities: Bool

    /// A style made of its parts.
    package init(_ form: Form, hasPriorities: Bool = false) {
        self.form = form
        self.hasPriorities = hasPriorities
    }

    /// The style that the settings want.
    ///
    /// - Parameter isJournal: whether systemd's journal reads the log.
    package init(_ settings: Settings, isJournal: Bool) {
        form =
            switch settings.logFormat {
            case .auto, .text: .text
            case .json: .json
            case .logfmt: .logfmt
            }
        hasPriorities =
            switch settings.logPriorities {
            case .auto: isJournal
            case .on: true
            case .off: false
            }
    }
}
