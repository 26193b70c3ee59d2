/// An object that C keeps as the context of a callback and hands back with every call.
///
/// C knows only a pointer, which keeps nothing alive and has no type. Here is the one place that turns objects into
/// pointers and back; the way back checks the type.
public enum CallbackContext {
    /// A pointer to `object` that does not keep it alive: the caller does, for as long as C may call.
    public static func borrowed(_ object: AnyObject) -> UnsafeMutableRawPointer {
        Unmanaged.passUnretained(object).toOpaque()
    }

    /// A pointer to `object` that keeps it alive until ``take(_:as:)`` gets it, which has to happen exactly once.
    public static func owned(_ object: AnyObject) -> UnsafeMutableRawPointer {
        Unmanaged.passRetained(object).toOpaque()
    }

    /// The object behind a pointer made here; nil for a null pointer or an object of another type.
    public static func object<Object: AnyObject>(
        _ pointer: UnsafeRawPointer?, as type: Object.Type = Object.self
    ) -> Object? {
        guard let pointer else { return nil }
        return Unmanaged<AnyObject>.fromOpaque(pointer).takeUnretainedValue() as? Object
    }

    /// The object behind a pointer that ``owned(_:)`` made, which no longer keeps it alive.
    @discardableResult public static func take<Object: AnyObject>(
        _ pointer: UnsafeRawPointer?, as type: Object.Type = Object.self
    ) -> Object? {
        guard let pointer else { return nil }
        return Unmanaged<AnyObject>.fromOpaque(pointer).takeRetainedValue() as? Object
    }
}
