extension Sequence<String> {
    /// Returns the text here that is most similar to `word`; nil if none is close.
    func nearest(to word: String) -> String? {
        guard word.count <= 40 else { return nil }
        let limit = Swift.max(1, word.count / 3)
        let ranked = map { (distance: word.lowercased().editDistance(to: $0.lowercased()), candidate: $0) }
        return ranked.filter { $0.distance <= limit }.min { $0.distance < $1.distance }?.candidate
    }
}

extension String {
    /// Counts the letters to add, drop, change or swap with their neighbour to turn this text into `other`.
    func editDistance(to other: String) -> Int {
        let left = Array(self), right = Array(other)
        // Rows of the table of distances between all prefixes: the last but one, the last, and the one being filled.
        var older: [Int] = [], last = Array(0...right.count)
        for row in left.indices {
            var next = [row + 1]
            for column in right.indices {
                let change = left[row] == right[column] ? 0 : 1
                var best = Swift.min(last[column] + change, last[column + 1] + 1, next[column] + 1)
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    best = Swift.min(best, older[column - 1] + 1)
                }
                next.append(best)
            }
            (older, last) = (last, next)
        }
        return last[right.count]
    }
}
