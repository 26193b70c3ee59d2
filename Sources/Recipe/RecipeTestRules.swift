import Basics
import Failures

/// Contradictions inside one entry of `tests`.
package struct RecipeTestRules {
    package let problems: RecipeProblems
    /// `to` of every entry of `indices`.
    package let targets: [String]

    package func check(_ tests: [RecipeValue]) {
        var names: [String: SourceMark] = [:]
        for test in tests where !test.isWrong {
            if let name = test["name"], let text = name.text {
                if let first = names[text] {
                    problems.add(name.mark, "a test of the name \(name.quoted) is already in line \(first.line)")
                } else {
                    names[text] = name.mark
                }
            }
            checkInput(test)
            if let expect = test.member("expect"), !expect.value.isWrong { checkExpectation(expect) }
        }
    }

    private func checkInput(_ test: RecipeValue) {
        if let record = test["record"], record.member("key") != nil, let second = record.member("key_base64") {
            problems.add(second.mark, "a record has one key: key or key_base64")
        }
        switch (test.member("record"), test.member("document")) {
        case (nil, nil): problems.add(test.mark, "a test needs record or document")
        case (.some, .some(let document)):
            problems.add(document.mark, "a test has a record or a document, not both")
        case (nil, .some(let document)):
            if let base = test.member("base") {
                problems.add(base.mark, "base is for a record that is merged; a copied document is written whole")
            }
            if let index = document.value["index"] {
                checkTarget(index, "document.index")
            } else if targets.count > 1, !document.value.isWrong {
                problems.add(document.mark, "document needs index, because indices has several entries")
            }
        case (.some, nil): break
        }
    }

    private func checkExpectation(_ expect: RecipeMember) {
        let operation = expect.value["operation"]?.text
        let reject = expect.value.member("reject")
        if expect.value.members.isEmpty {
            problems.add(expect.mark, "expect says nothing: give operation, document, reject, or another of its keys")
        }
        if let reject, let operation, operation != "reject" {
            problems.add(reject.mark, "a reject is expected, and the operation \"\(operation)\" too")
        }
        let writes = ["index", "id", "routing", "version", "document"].compactMap { expect.value.member($0) }
        if reject != nil || operation == "reject" || operation == "skip", let member = writes.first {
            problems.add(member.mark, "\(member.key) means nothing here: nothing is written")
        }
        if operation == "delete", let document = expect.value.member("document") {
            problems.add(document.mark, "document means nothing here: a delete leaves none")
        }
        if let index = expect.value["index"] { checkTarget(index, "expect.index") }
        guard let code = reject?.value, let text = code.text else { return }
        let known = DeadLetterReasons.known.map(\.code)
        guard !known.contains(text), let near = NearestWord.to(text, among: known) else { return }
        problems.add(code.mark, "expect.reject is \(code.quoted), which is no reason that is known", suggestion: near)
    }

    private func checkTarget(_ index: RecipeValue, _ name: String) {
        guard let text = index.text, !targets.isEmpty, !targets.contains(text) else { return }
        problems.add(
            index.mark, "\(name) is \(index.quoted), which is the to of no entry of indices",
            suggestion: NearestWord.to(text, among: targets))
    }
}
