internal import Shared

/// A number of the training's progress in one line.
struct Reading: Equatable {
    /// Names the series of numbers that it belongs to.
    struct Series: Hashable {
        var kind: ProgressLabels.Kind
        var label: String
    }

    var series: Series
    var value: Double
    var total: Double?
}

/// The readings of one line of the training's output.
struct LineReadings {
    /// Numbers that may be the step.
    var steps: [Reading] = []
    var bar: ProgressBar?
    /// The losses, by their labels.
    var losses: [(label: String, value: Double)] = []
    /// The last step, if the line announces it.
    var total: Double?

    init(of line: [UInt8]) {
        let fields = Field.all(in: line)
        bar = ProgressBar(in: line)
        // An evaluation's line: what it says is not of the training.
        if let first = fields.first, ProgressLabels.isNested(first.label), bar == nil { return }
        if bar?.isNested == true { return }
        for field in fields where ProgressLabels.losses.contains(field.label) {
            losses.append((field.label, field.isNegative ? -field.quantity.value : field.quantity.value))
        }
        for (index, field) in fields.enumerated() where !field.isNegative {
            if ProgressLabels.totals.contains(field.label) {
                total = field.quantity.value
            } else if let reading = labelled(field, in: line) ?? bracketed(field, after: fields[..<index], in: line) {
                steps.append(reading)
            }
        }
        if let row = Self.row(line) ?? Self.range(line) { steps.append(row) }
    }

    private func labelled(_ field: Field, in line: [UInt8]) -> Reading? {
        guard let kind = ProgressLabels.kind(of: field.label) else { return nil }
        let (value, total) = (field.quantity.value, field.quantity.total)
        if kind == .epoch {
            // "epoch 3" alone stands in many a sentence.
            let isSure = total != nil || line.contains(UInt8(ascii: "{")) || field.label.hasPrefix("train")
            guard isSure || !losses.isEmpty else { return nil }
        } else if value != value.rounded() {
            return nil
        }
        // A bar's own postfix knows better than the bar only if it counts over all epochs.
        if bar != nil, kind != .globalStep { return nil }
        return Reading(series: Reading.Series(kind: kind, label: field.label), value: value, total: total)
    }

    /// `Epoch: [3][ 100/5005]`, `Train: 3 [  42/1000 (  4%)]`, `Epoch(train)  [3][ 118/1000]`,
    /// `epoch 003:    118 / 1000`
    private func bracketed(_ field: Field, after fields: ArraySlice<Field>, in line: [UInt8]) -> Reading? {
        guard bar == nil, let total = field.quantity.total else { return nil }
        var label = field.label
        if label.isEmpty, let outer = fields.last, field.gap <= 8 { label = outer.label }
        guard let last = label.split(separator: " ").last, !ProgressLabels.isNested(label) else { return nil }
        guard ProgressLabels.bracketed.contains(String(last)), label != "epoch" || field.label.isEmpty else {
            return nil
        }
        return Reading(
            series: Reading.Series(kind: .step, label: "\(last) []"), value: field.quantity.value, total: total)
    }

    /// `[118]⇥train-rmse:0.5` of XGBoost and LightGBM, `118:⇥learn: 0.5` of CatBoost.
    private static func row(_ line: [UInt8]) -> Reading? {
        let isBracketed = line.first == UInt8(ascii: "[")
        guard let quantity = Quantity(in: line, at: isBracketed ? 1 : 0), quantity.total == nil else { return nil }
        let rest = line[quantity.range.upperBound...]
        let isRow =
            isBracketed
            ? rest.starts(with: "]\t".utf8) && rest.contains(UInt8(ascii: ":"))
            : rest.starts(with: ":\tlearn:".utf8) || rest.starts(with: ":\ttest:".utf8)
        return isRow ? Reading(series: Reading.Series(kind: .row, label: ""), value: quantity.value) : nil
    }

    /// `3epoch:train:101-150batch:` of ESPnet.
    private static func range(_ line: [UInt8]) -> Reading? {
        guard let train = line.firstIndex(of: "epoch:train:") else { return nil }
        let begin = train + "epoch:train:".utf8.count
        guard let first = Quantity(in: line, at: begin), first.range.upperBound < line.count,
            line[first.range.upperBound] == UInt8(ascii: "-"),
            let last = Quantity(in: line, at: first.range.upperBound + 1), last.unit == "batch"
        else { return nil }
        return Reading(series: Reading.Series(kind: .step, label: "batch"), value: last.value)
    }
}
