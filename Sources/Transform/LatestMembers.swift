/// Finds the members of an object that a later one with the same name replaces, in one walk over the members. It keeps
/// a place for each name of the recipe, which is marked with the walk that wrote it, so that no walk has to clear them.
///
/// Like ``NodeArena`` it holds a plain pointer, which the transformer frees.
struct LatestMembers {
    private struct Place {
        var walk = 0
        var member: Int32 = -1
    }

    /// The places of all names.
    private let places: UnsafeMutablePointer<Place>
    private let walks: UnsafeMutablePointer<Int>

    init(names: Int) {
        places = .allocate(capacity: max(names, 1))
        places.initialize(repeating: Place(), count: max(names, 1))
        walks = .allocate(capacity: 1)
        walks.initialize(to: 0)
    }

    func deallocate() {
        places.deallocate()
        walks.deallocate()
    }

    /// Of the members of `object` that the recipe names, only the last one of each name stays.
    func keep(in object: Int32, _ arena: NodeArena) {
        walks.pointee &+= 1
        let walk = walks.pointee
        var child = arena[object].first
        while child >= 0 {
            arena.visit()
            let member = arena.pointer(child)
            if member.pointee.name >= 0 {
                let place = places + Int(member.pointee.name)
                if place.pointee.walk == walk { arena.pointer(place.pointee.member).pointee.shape = .gone }
                place.pointee = Place(walk: walk, member: child)
            }
            child = member.pointee.next
        }
    }
}
