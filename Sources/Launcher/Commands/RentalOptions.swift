import ArgumentParser

/// The option of commands that read a run whose rented pod is gone.
struct RentalOptions: ParsableArguments {
    @Flag(
        help: """
            If the run has no pod any more, read its network volume through a pod without a GPU, which costs some cents.
            """)
    var rent = false

    func apply(to world: World) async {
        guard rent else { return }
        for provider in world.providers.all { await provider.allowReaders() }
    }
}
