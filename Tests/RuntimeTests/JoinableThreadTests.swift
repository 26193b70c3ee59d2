import Glibc
import Synchronization
import Testing

@testable import Runtime

@Suite struct JoinableThreadTests {
    @Test func joinWaitsForTheEnd() {
        let box = Mailbox<Int>()
        let thread = JoinableThread("waits") { _ = box.take(waiting: nil) }
        #expect(!thread.join(seconds: 0.02))
        box.close()
        #expect(thread.join(seconds: 60))
        // Again, and without a limit.
        #expect(thread.join())
    }

    private final class Token: Sendable {}

    /// What the body held is free when `join` returns.
    @Test func aJoinedThreadKeepsNothingAlive() {
        let box = Mailbox<Token>()
        let (thread, token) = {
            let token = Token()
            weak let watched = token
            return (JoinableThread("holds") { box.put(token) }, { watched == nil })
        }()
        thread.join()
        #expect(box.take(waiting: 0) != nil)
        #expect(token())
    }

    @Test func knowsItself() {
        let box = Mailbox<JoinableThread>()
        let answers = Mailbox<(isCurrent: Bool, joined: Bool)>()
        let thread = JoinableThread("itself") {
            guard let own = box.take(waiting: nil) else { return }
            answers.put((own.isCurrent, own.join()))
        }
        #expect(!thread.isCurrent)
        box.put(thread)
        let answer = answers.take(waiting: 60_000)
        // It cannot wait for its own end.
        #expect(answer?.isCurrent == true && answer?.joined == false)
        #expect(thread.join(seconds: 60))
        #expect(!thread.isCurrent)
    }

    @Test func hasAName() {
        let box = Mailbox<String>()
        let thread = JoinableThread("cf-fifteen-char") {
            let file = open("/proc/thread-self/comm", O_RDONLY)
            var bytes = [UInt8](repeating: 0, count: 32)
            let count = read(file, &bytes, 32)
            close(file)
            box.put(String(decoding: bytes.prefix(max(0, count)), as: UTF8.self))
        }
        #expect(box.take(waiting: 60_000) == "cf-fifteen-char\n")
        thread.join()
    }

    /// Every core busy, and more threads than cores: each body runs once, and each join sees its end.
    @Test func withAllCoresBusy() {
        let isOver = Atomic(false)
        let spinning = (0..<2 * sysconf(Int32(_SC_NPROCESSORS_ONLN))).map { number in
            JoinableThread("spins-\(number)") { while !isOver.load(ordering: .relaxed) {} }
        }
        let ran = Atomic(0)
        let threads = (0..<50).map { number in
            JoinableThread("runs-\(number)") { ran.wrappingAdd(1, ordering: .relaxed) }
        }
        for thread in threads { #expect(thread.join(seconds: 60)) }
        #expect(ran.load(ordering: .relaxed) == 50)
        #expect(spinning.allSatisfy { !$0.join(seconds: 0) })
        isOver.store(true, ordering: .relaxed)
        for thread in spinning { #expect(thread.join(seconds: 60)) }
    }
}
