/// Versions of the libraries that this room stands on.
public enum LibraryVersions {
    /// libyaml's, which reads recipes.
    public static var yaml: String { YAMLLoader.libraryVersion }
    /// libxxhash's, which makes fingerprints.
    public static var xxhash: String { Fingerprint.libraryVersion }
}
