/// The config allows no further pod for a run whose pod was taken away.
struct RelaunchRefused: Error {
    /// For a person.
    let reason: String
}

/// An offer cannot be had at this moment. The next one may.
struct OfferGone: Error, CustomStringConvertible {
    /// For a person.
    let description: String

    init(_ description: String) { self.description = description }
}
