internal import Shared

/// Times, sizes and steps as a person reads them.
enum Format {
    /// `31.4 s`, `4 min 05 s`, `2 h 10 min`; `0.0 s` if `seconds` is negative, as after a clock was set back.
    static func clock(_ seconds: Double) -> String {
        // A record may hold any number; this one is 30 million years.
        let seconds = min(max(0, seconds), 1e15)
        let whole = Int(seconds)
        if seconds < 60 { return "\(Int(seconds * 10) / 10).\(Int(seconds * 10) % 10) s" }
        if whole < 3600 { return "\(whole / 60) min \(String(whole % 60, width: 2)) s" }
        return "\(whole / 3600) h \(String(whole / 60 % 60, width: 2)) min"
    }

    /// `1000`, `0.5`: a step, without a fraction if it is whole.
    static func number(_ step: Double) -> String {
        step == step.rounded() && abs(step) < 1e15 ? "\(Int(step))" : "\(step)"
    }

    /// `512 B`, `1.5 MB`: bytes in units of 1000.
    static func size(_ bytes: Int) -> String {
        let units = ["B", "kB", "MB", "GB", "TB"]
        var (value, unit) = (Double(bytes), 0)
        while value >= 1000 && unit < units.count - 1 {
            value /= 1000
            unit += 1
        }
        return unit == 0 ? "\(bytes) B" : "\((value * 10).rounded() / 10) \(units[unit])"
    }
}
