extension KeyedDecodingContainer {
    /// Decodes a number of `range`, and throws in words for any other.
    func decode<Number: FixedWidthInteger & Decodable>(
        _ range: ClosedRange<Number>, forKey key: Key
    ) throws -> Number {
        let number = try decode(Number.self, forKey: key)
        guard range.contains(number) else {
            throw DecodingError.dataCorruptedError(
                forKey: key, in: self,
                debugDescription: "\(number) is not in \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }
}
