import Testing

@testable import Runtime

@Suite struct RecurringTests {
    @Test func isDueAgainAfterItsTime() {
        var task = Recurring(every: 100, first: 50)
        #expect([0, 49, 50, 51, 149, 150, 1000, 1099, 1100].filter { task.isDue($0) } == [50, 150, 1000, 1100])
    }

    @Test func canBePostponed() {
        var task = Recurring(every: 100, first: 50)
        task.postpone(until: 500)
        task.postpone(until: 20)
        #expect([50, 499, 500, 599, 600].filter { task.isDue($0) } == [500, 600])
    }
}
