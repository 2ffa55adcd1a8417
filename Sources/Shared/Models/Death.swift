/// The circumstances of a training's end, for the one screen that explains it.
public struct Death: Sendable, Codable, Equatable {
    /// The last lines of the output.
    public var lines: [String] = []
    /// Steps after the newest checkpoint, which the next attempt has to do again.
    public var lostSteps: Double?
    /// Whether a checkpoint was saved after the training was told to end. nil where it was not told, or saves none.
    public var savedOnSignal: Bool?
    /// From the moment when its end was asked for to the end of the training's own process, in seconds.
    public var secondsAfterSignal: Double?
    /// How it was ended. nil where it ended by itself.
    public var teardown: TeardownReport?
    /// Processes of the container that the kernel killed for lack of memory while this training ran.
    public var outOfMemoryKills: Int?
    public var disks: [Disk] = []
    /// What could be seen of a training that stood still, before it was touched.
    public var stall: [String]?

    public init() {}

    public struct Disk: Sendable, Codable, Equatable {
        public var path: String
        /// Bytes.
        public var size: Int
        /// Bytes that a user without privileges can still write.
        public var free: Int

        public init(path: String, size: Int, free: Int) {
            self.path = path
            self.size = size
            self.free = free
        }
    }
}
