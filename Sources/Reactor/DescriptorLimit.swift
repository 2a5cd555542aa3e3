/// How many descriptors this process may have open.
package enum DescriptorLimit {
    /// Raises the soft limit to the hard one, which needs no privilege, and returns the limit in effect afterwards.
    package static func raise() -> Int {
        do throws(SystemError) {
            let limit = try Syscalls.limit(of: .descriptors)
            do throws(SystemError) {
                let raised = ResourceLimit(soft: limit.hard, hard: limit.hard)
                if limit.soft < limit.hard { try Syscalls.setLimit(of: .descriptors, to: raised) }
                return Int(clamping: limit.hard)
            } catch {
                return Int(clamping: limit.soft)
            }
        } catch {
            return 1_024
        }
    }
}
