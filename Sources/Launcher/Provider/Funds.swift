/// The money of an account, in US dollars.
struct Funds: Sendable, Equatable {
    var credit: Double
    /// Spent in an hour by everything that runs now.
    var perHour: Double

    /// Hours for which the credit lasts once `price` is spent in an hour too; nil if nothing is spent.
    func hours(with price: Double) -> Double? {
        let sum = perHour + price
        return sum > 0 ? credit / sum : nil
    }
}
