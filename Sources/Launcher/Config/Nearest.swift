extension Sequence<String> {
    /// What someone who wrote `word` most likely meant; nil where nothing here is close.
    func nearest(to word: String) -> String? {
        guard word.count <= 40 else { return nil }
        let limit = Swift.max(1, word.count / 3)
        let ranked = map { (distance: word.lowercased().editDistance(to: $0.lowercased()), candidate: $0) }
        return ranked.filter { $0.distance <= limit }.min { $0.distance < $1.distance }?.candidate
    }
}

extension String {
    /// How many letters must be added, dropped, changed or swapped with their neighbour to get `other`.
    func editDistance(to other: String) -> Int {
        let left = Array(self), right = Array(other)
        // Three rows of the table of distances between all prefixes: the one before the last, the last, the one being filled.
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
