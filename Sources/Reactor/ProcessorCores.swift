/// The processor cores of this machine.
package enum ProcessorCores {
    /// On how many cores this process can run at the same time, at least 1: those it is allowed, or the share of time that
    /// its control group has, rounded up, if that is less.
    package static var usable: Int {
        let cores = max(Syscalls.usableProcessors(), 1)
        return quotaFiles.reduce(cores) { least, file in
            TextFile.text(of: file).flatMap { share(in: $0) }.map { min(least, $0) } ?? least
        }
    }

    /// The limit in a control group's `cpu.max`, in whole cores; nil when it sets none.
    static func share(in text: String) -> Int? {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.count == 2, let quota = Int(words[0]), let period = Int(words[1]), quota > 0, period > 0 else {
            return nil
        }
        return (quota - 1) / period + 1
    }

    private static var quotaFiles: [String] {
        ["/sys/fs/cgroup/cpu.max"] + TextFile.ownControlGroup.map { "\($0)/cpu.max" }
    }
}
