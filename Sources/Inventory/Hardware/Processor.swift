extension HardwareReport {
    /// All processors together; machines of two kinds of processor are not built.
    public struct Processor: Codable, Equatable, Sendable {
        /// `amd64` or `arm64`.
        public var architecture: String
        public var model: String?
        public var sockets: Int
        public var cores: Int
        public var threads: Int
        /// Of the kernel's names for what it can, those that decide what runs on it: `vmx`, `avx512f`, `sve`; and on amd64 the
        /// levels that distributions are built for: `x86-64-v2`.
        @Listed public var flags: [String]
        /// The revision that runs, in hex.
        public var microcode: String?

        public init(
            architecture: String, model: String? = nil, sockets: Int, cores: Int, threads: Int, flags: [String] = [],
            microcode: String? = nil
        ) {
            (self.architecture, self.model, self.sockets) = (architecture, model, sockets)
            (self.cores, self.threads, self.flags, self.microcode) = (cores, threads, flags, microcode)
        }
    }

    public struct Memory: Codable, Equatable, Sendable {
        /// What is in the sockets; what the kernel can use, where firmware does not tell or is not believed.
        public var installedBytes: Int64
        /// What the kernel can use: some percent less.
        public var usableBytes: Int64
        /// Its errors are mended (ECC); nil: not told.
        public var mendsErrors: Bool?
        /// Sockets for modules, empty ones too.
        public var sockets: Int?
        @Listed public var modules: [Module]
        @Listed public var nodes: [Node]

        public init(
            installedBytes: Int64, usableBytes: Int64? = nil, mendsErrors: Bool? = nil, sockets: Int? = nil,
            modules: [Module] = [], nodes: [Node] = []
        ) {
            (self.installedBytes, self.usableBytes) = (installedBytes, usableBytes ?? installedBytes)
            (self.mendsErrors, self.sockets, self.modules, self.nodes) = (mendsErrors, sockets, modules, nodes)
        }

        /// One module (DIMM).
        public struct Module: Codable, Equatable, Sendable {
            /// As printed on the board: `DIMM A3`.
            public var slot: String
            public var bank: String?
            /// Nil: firmware does not know.
            public var sizeBytes: Int64?
            /// Million transfers in a second that it is made for.
            public var speedMTps: Int?
            public var manufacturer: String?
            public var partNumber: String?
            public var serial: String?

            public init(
                slot: String, bank: String? = nil, sizeBytes: Int64? = nil, speedMTps: Int? = nil,
                manufacturer: String? = nil, partNumber: String? = nil, serial: String? = nil
            ) {
                (self.slot, self.bank, self.sizeBytes, self.speedMTps) = (slot, bank, sizeBytes, speedMTps)
                (self.manufacturer, self.partNumber, self.serial) = (manufacturer, partNumber, serial)
            }
        }

        /// A part of the memory and the processors that are near to it (NUMA).
        public struct Node: Codable, Equatable, Sendable {
            public var number: Int
            public var memoryBytes: Int64
            public var threads: Int

            public init(number: Int, memoryBytes: Int64, threads: Int) {
                (self.number, self.memoryBytes, self.threads) = (number, memoryBytes, threads)
            }
        }
    }
}
