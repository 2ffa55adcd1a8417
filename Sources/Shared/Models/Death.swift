/// The circumstances of a training's end, to explain it on one screen.
public struct Death: Sendable, Codable, Equatable {
    /// The last lines of the output.
    public var lines: [String] = []
    /// The steps after the newest checkpoint. The next attempt has to repeat them.
    public var lostSteps: Double?
    /// Whether the training saved a checkpoint after it got the signal to end. nil if it got none, or saves none.
    public var savedOnSignal: Bool?
    /// The time from the request to the end of the training's own process, in seconds.
    public var secondsAfterSignal: Double?
    /// The teardown; nil if the training ended by itself.
    public var teardown: TeardownReport?
    /// The number of processes in the container that the kernel killed for lack of memory during this training.
    public var outOfMemoryKills: Int?
    public var disks: [Disk] = []
    /// Observations of a stalled training, made before it got any signal.
    public var stall: [String]?

    public init() {}

    public struct Disk: Sendable, Codable, Equatable {
        public var path: String
        /// Bytes.
        public var size: Int
        /// Bytes that are free for a user without privileges.
        public var free: Int

        public init(path: String, size: Int, free: Int) {
            self.path = path
            self.size = size
            self.free = free
        }
    }
}
