import Embedded
import SearchCluster
import Testing

@Suite struct PersonaTests {
    @Test func personasAreComparedByProductAndVersion() {
        #expect(
            ServerPersona(.elasticsearch, ServerVersion(6, 8, 23))
                != ServerPersona(.opensearch, ServerVersion(6, 8, 23)))
    }
}
