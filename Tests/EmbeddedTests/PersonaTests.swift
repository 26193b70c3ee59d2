import Embedded
import SearchCluster
import Testing

@Suite struct PersonaTests {
    @Test func personasAreComparedByProductAndVersion() {
        #expect(
            ServerPersona(.elasticsearch, ServerVersion(6, 8, 23))
                != ServerPersona(.opensearch, ServerVersion(6, 8, 23)))
    }

    @Test func whatWasNeverReleasedIsNoPersona() {
        for name in ["es-3", "es-3.0", "es-4.2", "es-2.5", "es-7.18", "os-1.4", "es-0.9", "es-99", "es-", "x"] {
            #expect(ServerPersona(named: name) == nil, "\(name)")
        }
        for name in ["es-1.7", "es-2.4", "es-5.0", "es-6.8", "es-7.17.28", "es-8.17", "es-9.0", "os-1", "os-3"] {
            #expect(ServerPersona(named: name) != nil, "\(name)")
        }
        #expect(ServerPersona.nearest(to: "es-3") == ["es-2.4", "es-5.6"])
        #expect(ServerPersona.nearest(to: "es-99") == ["es-9.0"])
        #expect(ServerPersona.nearest(to: "os-1.4") == ["os-1", "os-2"])
        #expect(ServerPersona.nearest(to: "x") == ["es-9.0"])
    }
}
