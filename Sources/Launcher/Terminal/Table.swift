/// Aligned columns. An empty table prints nothing. The last column is not padded.
struct Table {
    private let rows: [[String]]

    init(_ head: [String], _ rows: [[String]]) {
        self.rows = rows.isEmpty ? [] : [head] + rows.map { $0.map(\.printableLine) }
    }

    /// Two columns without a head: names and values.
    init(_ facts: [(name: String, value: String)]) {
        rows = facts.map { [$0.name.printableLine, $0.value.printableLine] }
    }

    var lines: [String] {
        let columns = rows.first?.count ?? 0
        let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.enumerated().map { column, cell in
                column == columns - 1 ? cell : cell + String(repeating: " ", count: widths[column] - cell.count + 2)
            }.joined()
        }
    }

    var text: String { lines.map { $0 + "\n" }.joined() }
}
