import Primitives

/// All that a worker is told before it serves, except for what comes with a descriptor.
package struct WorkerPlan: Sendable, Equatable {
    /// The worker's tag, which stands in the `sid` of its sessions. No two workers of a supervisor have the same.
    package var tag: UInt32
    /// How many workers the supervisor keeps running, 1 or more; each has this part of limits for the whole program.
    package var workers: UInt32
    /// A random number that all workers share and strangers do not know.
    package var seed: UInt64
    /// The node's name, which stands in the `sid`.
    package var node: String
    /// The generation that the worker belongs to: all its workers have the same settings.
    package var generation: UInt32
    /// The numbers of the listeners in the order of the settings `listen`, `listen-proxy` and `admin`. For each of them
    /// `SupervisorMessage.listener` comes before `started`.
    package var listeners: [UInt32]
    /// What clients may send to the workers of this generation.
    package var rules: SharedRules
    /// The settings as they were written.
    package var entries: [Entry]
    /// The files that the settings name. The worker reads none.
    package var files: [File]

    /// One value of one setting; the same as a `SettingEntry`, which this room does not know.
    package struct Entry: Sendable, Equatable {
        package var name: String
        package var value: String
        /// The domain in whose table the value stands; nil for a value for all domains.
        package var domain: String?
        /// Whether the entry stands for an empty list.
        package var isEmptyList: Bool
        package var origin: Origin

        /// An entry made of its parts.
        package init(name: String, value: String, domain: String? = nil, isEmptyList: Bool = false, origin: Origin) {
            self.name = name
            self.value = value
            self.domain = domain
            self.isEmptyList = isEmptyList
            self.origin = origin
        }
    }

    /// A file that the settings name. It may be a key, so its bytes are secret.
    package struct File: Sendable, Equatable, CustomStringConvertible {
        /// As the settings have it.
        package var path: String
        /// All its bytes. The frame bounds how many these can be.
        package var bytes: [UInt8]

        /// The path alone, so that no key is ever printed.
        package var description: String { path }

        /// A file made of its parts.
        package init(path: String, bytes: [UInt8]) {
            self.path = path
            self.bytes = bytes
        }
    }

    /// Where a value was written.
    package enum Origin: Sendable, Equatable {
        /// A configuration file; line and column count from 1 and are below 2^32.
        case file(path: String, line: Int, column: Int)
        case environment
        case flag
    }

    /// A plan made of its parts.
    package init(
        tag: UInt32, generation: UInt32 = 1, workers: UInt32, seed: UInt64, node: String, listeners: [UInt32],
        rules: SharedRules = SharedRules(), entries: [Entry], files: [File] = []
    ) {
        self.tag = tag
        self.generation = generation
        self.workers = workers
        self.seed = seed
        self.node = node
        self.listeners = listeners
        self.rules = rules
        self.entries = entries
        self.files = files
    }

    /// The most bytes of a text.
    private static let longestText = 1 << 20

    func append(to bytes: inout [UInt8]) {
        bytes.append(bigEndian: tag)
        bytes.append(bigEndian: workers)
        bytes.append(bigEndian: seed)
        bytes.append(counted: node)
        bytes.append(bigEndian: generation)
        bytes.append(numbers: listeners)
        rules.append(to: &bytes)
        bytes.append(bigEndian: UInt32(clamping: entries.count))
        for entry in entries { entry.append(to: &bytes) }
        bytes.append(bigEndian: UInt32(clamping: files.count))
        for file in files {
            bytes.append(counted: file.path)
            bytes.append(counted: file.bytes)
        }
    }

    init(reading reader: inout PayloadReader) throws(MessageFault) {
        tag = try reader.number32()
        workers = try reader.number32()
        seed = try reader.number64()
        node = try reader.text(atMost: Self.longestText)
        generation = try reader.number32()
        listeners = try reader.numbers()
        rules = try SharedRules(reading: &reader)
        guard workers > 0 else { throw .malformed }
        entries = []
        // Nothing is reserved, because a damaged count may be anything.
        for _ in 0..<(try reader.number32()) { entries.append(try Entry(reading: &reader)) }
        files = []
        for _ in 0..<(try reader.number32()) {
            files.append(File(path: try reader.text(atMost: Self.longestText), bytes: try reader.bytes()))
        }
    }
}

extension WorkerPlan.Entry {
    fileprivate func append(to bytes: inout [UInt8]) {
        bytes.append(counted: name)
        bytes.append(counted: value)
        bytes.append(flag: domain != nil)
        if let domain { bytes.append(counted: domain) }
        bytes.append(flag: isEmptyList)
        switch origin {
        case .file(let path, let line, let column):
            bytes.append(0)
            bytes.append(counted: path)
            bytes.append(bigEndian: UInt32(clamping: line))
            bytes.append(bigEndian: UInt32(clamping: column))
        case .environment: bytes.append(1)
        case .flag: bytes.append(2)
        }
    }

    fileprivate init(reading reader: inout PayloadReader) throws(MessageFault) {
        let longest = WorkerPlan.longestText
        name = try reader.text(atMost: longest)
        value = try reader.text(atMost: longest)
        domain = try reader.flag() ? try reader.text(atMost: longest) : nil
        isEmptyList = try reader.flag()
        switch try reader.byte() {
        case 0:
            origin = .file(
                path: try reader.text(atMost: longest), line: Int(try reader.number32()),
                column: Int(try reader.number32()))
        case 1: origin = .environment
        case 2: origin = .flag
        default: throw .malformed
        }
    }
}
