@testable import Agent

/// Blocks the volume's thread until it is opened, as a hung network volume does.
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
    /// Makes each job from now on wait until the returned gate is opened.
    func hang() -> Gate {
        let gate = Gate()
        enqueue { gate.pass() }
        return gate
    }
}
