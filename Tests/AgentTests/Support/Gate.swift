@testable import Agent

/// Holds up the volume's thread, as a hung network volume does, until it is opened.
final class Gate: Sendable {
    private let state = Monitor((isReached: false, isOpen: false))

    var isReached: Bool { state.update { $0.isReached } }

    func open() { state.update { $0.isOpen = true } }

    /// Blocks the calling thread.
    func pass() {
        state.update { $0.isReached = true }
        _ = state.wait { $0.isOpen ? true : nil }
    }

    deinit { open() }
}

extension VolumeWriter {
    /// From now on each job waits for the gate.
    func hang() -> Gate {
        let gate = Gate()
        enqueue { gate.pass() }
        return gate
    }
}
