//! Names as people type them: spelling variants, and the nearest match for a name that does not
//! exist.

/// The canonical spelling of a name: lower case, with `-` for `_`, without surrounding blanks.
///
/// # Example
/// ```
/// assert_eq!(axonml_core::names::canonical(" MRG_Poly"), "mrg-poly");
/// ```
pub fn canonical(name: &str) -> String {
    name.trim().to_lowercase().replace('_', "-")
}

/// The candidate that `name` was most likely meant to be, or `None` when nothing is near.
///
/// Near is an edit distance (insert, delete, replace, swap neighbors) of at most a third of the
/// longer name, one edit being always allowed; or a candidate that begins with `name`. Spellings
/// are compared in [`canonical`] form; of equally near candidates the first wins.
///
/// # Example
/// ```
/// use axonml_core::names::nearest;
/// assert_eq!(nearest("monofasic", ["biphasic", "monophasic"]), Some("monophasic"));
/// assert_eq!(nearest("banana", ["biphasic", "monophasic"]), None);
/// ```
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = canonical(name);
    candidates
        .into_iter()
        .filter_map(|candidate| Some((remoteness(&name, &canonical(candidate))?, candidate)))
        .min_by_key(|&(remoteness, _)| remoteness)
        .map(|(_, candidate)| candidate)
}

/// How far `name` is from `candidate`, or `None` when they have nothing to do with each other.
fn remoteness(name: &str, candidate: &str) -> Option<usize> {
    // An abbreviation counts like two edits: less near than one slip of the finger.
    const ABBREVIATION: usize = 2;
    let longer = name.chars().count().max(candidate.chars().count());
    let distance = edit_distance(name, candidate);
    if distance <= (longer / 3).max(1) && distance < longer.max(1) {
        Some(distance)
    } else if name.len() >= 2 && candidate.starts_with(name) {
        Some(ABBREVIATION)
    } else {
        (distance == 0).then_some(0)
    }
}

/// Optimal string alignment distance: edits that insert, delete, replace one character or swap two
/// neighbors.
///
/// # Source
/// F. J. Damerau, "A technique for computer detection and correction of spelling errors", Comm. ACM
/// 7 (1964) 171-176.
pub fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before_last = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1; b.len() + 1];
        for j in 0..b.len() {
            let replaced = last[j] + usize::from(a[i] != b[j]);
            row[j + 1] = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            let swapped = i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j];
            if swapped {
                row[j + 1] = row[j + 1].min(before_last[j - 1] + 1);
            }
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Pairwise more than two edits apart, so that one typo has one answer.
    const NAMES: [&str; 7] = [
        "monophasic",
        "charge-balanced",
        "gaussian",
        "triangle",
        "train",
        "ramp",
        "sine",
    ];

    #[test]
    fn edit_distance_counts_edits() {
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(
            edit_distance("gasusian", "gaussian"),
            1,
            "a swap is one edit"
        );
        assert_eq!(edit_distance("flaw", "lawn"), 2);
    }

    #[test]
    fn abbreviations_are_near_but_strangers_are_not() {
        assert_eq!(nearest("mono", NAMES), Some("monophasic"));
        assert_eq!(nearest("square", NAMES), None);
        assert_eq!(nearest("m", ["n"]), None);
        assert_eq!(nearest("", NAMES), None);
        assert_eq!(nearest("n", ["n"]), Some("n"));
    }

    #[test]
    fn spelling_variants_are_the_same_name() {
        assert_eq!(nearest("Charge_Balanced", NAMES), Some("charge-balanced"));
        assert_eq!(canonical("Charge_Balanced"), "charge-balanced");
    }

    proptest! {
        #[test]
        fn one_typo_is_forgiven(which in 0..NAMES.len(), at in 0_usize..32, letter in "[a-z]", kind in 0..4) {
            let name = NAMES[which];
            let mut typed: Vec<char> = name.chars().collect();
            let at = at % typed.len();
            let letter = letter.chars().next().unwrap_or('x');
            match kind {
                0 => typed.insert(at, letter),
                1 => typed[at] = letter,
                2 => drop(typed.remove(at)),
                _ => typed.swap(at, at.saturating_sub(1)),
            }
            let typed: String = typed.into_iter().collect();
            prop_assert_eq!(nearest(&typed, NAMES), Some(name), "typed {}", typed);
        }
    }
}
