/// An offer cannot be had at this moment. The next one may.
struct OfferGone: Error, CustomStringConvertible {
    /// For a person.
    let description: String

    init(_ description: String) { self.description = description }
}
