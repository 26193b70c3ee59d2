import JSONText

/// The names of an object that have no field.
struct SeenNames {
    private var few: [String] = []
    private var many: Set<String> = []

    /// False when the name was already there.
    mutating func insert(_ name: String) -> Bool {
        if many.isEmpty {
            guard !few.contains(name) else { return false }
            few.append(name)
            if few.count > 16 { many = Set(few) }
            return true
        }
        return many.insert(name).inserted
    }
}

extension String {
    var trimmingBlanks: Substring { self[...].drop { $0 == " " } }
}
