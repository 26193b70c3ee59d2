import State

/// The rail `copy_deaths`: a copy that was stopped, because its documents mostly became dead letters, must be mended
/// before a replay builds on it.
enum CopyDeathsRail {
    static func look(_ survey: Survey) -> [Rail] {
        guard let why = survey.state?.copy?.stopped, survey.state?.copy?.finished == nil else { return [] }
        return [
            Rail(
                name: "copy_deaths", verdict: .refused,
                detail: "the copy was stopped: \(why). A replay would build on an index without these documents, and a "
                    + "partial update of one of them would make a document that lacks fields, which no redrive mends. "
                    + "Mend the mapping or the transform, then copy again, which begins anew")
        ]
    }
}
