//! Domination and crowding of two objectives.
//!
//! # Source
//! K. Deb, A. Pratap, S. Agarwal and T. Meyarivan, "A fast and elitist multiobjective genetic algorithm: NSGA-II", IEEE
//! Trans. Evol. Comput. 6, 182-197 (2002), sections III.A and III.B.

use std::cmp::Ordering;

use crate::fitness::compare_numbers;

/// `Less` if `left` dominates: is not worse in either objective, and better in one; `Equal` if neither does. NaN is
/// worse than any number.
pub(super) fn dominance(left: &[f64; 2], right: &[f64; 2]) -> Ordering {
    let [first, second] = [0, 1].map(|k| compare_numbers(left[k], right[k]));
    match (first, second) {
        (Ordering::Equal, other) | (other, Ordering::Equal) => other,
        (first, second) if first == second => first,
        _ => Ordering::Equal,
    }
}

/// Indices by fronts: those that nobody dominates, those that only they dominate, and so on. Each front is sorted by
/// the first objective.
pub(super) fn fronts(objectives: &[[f64; 2]]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..objectives.len()).collect();
    // Sorted so, a point is dominated by earlier ones only: by the member of a front with the least second objective.
    order.sort_by(|&a, &b| {
        let [first, second] = [0, 1].map(|k| compare_numbers(objectives[a][k], objectives[b][k]));
        first.then(second)
    });
    let mut fronts: Vec<Vec<usize>> = Vec::new();
    for index in order {
        let dominates = |front: &Vec<usize>| {
            let last = front.last().map(|&last| &objectives[last]);
            last.is_some_and(|last| dominance(last, &objectives[index]).is_lt())
        };
        let place = fronts.partition_point(dominates);
        match fronts.get_mut(place) {
            Some(front) => front.push(index),
            None => fronts.push(vec![index]),
        }
    }
    fronts
}

/// The crowding distance of each member of a front that is sorted by the first objective: the sum over objectives of
/// the distance between its neighbors, as a share of the front's extent; infinite at the ends.
pub(super) fn crowding(front: &[usize], objectives: &[[f64; 2]]) -> Vec<f64> {
    let count = front.len();
    let mut distances = vec![f64::INFINITY; count];
    let at = |place: usize, k: usize| objectives[front[place]][k];
    for place in 1..count.saturating_sub(1) {
        let shares = [0, 1].map(|k| {
            let extent = (at(count - 1, k) - at(0, k)).abs();
            let share = (at(place + 1, k) - at(place - 1, k)).abs() / extent;
            // A front of one point has no extent, one with an infinite objective no shares.
            if share.is_finite() { share } else { 0.0 }
        });
        distances[place] = shares[0] + shares[1];
    }
    distances
}

/// Indices from best to worst: by front, then by crowding distance, the less crowded first. Also the size of the first
/// front.
pub(super) fn ranked(objectives: &[[f64; 2]]) -> (Vec<usize>, usize) {
    let mut ranking = Vec::with_capacity(objectives.len());
    let fronts = fronts(objectives);
    for front in &fronts {
        let distances = crowding(front, objectives);
        let mut places: Vec<usize> = (0..front.len()).collect();
        places.sort_by(|&a, &b| distances[b].total_cmp(&distances[a]));
        ranking.extend(places.into_iter().map(|place| front[place]));
    }
    (ranking, fronts.first().map_or(0, Vec::len))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn who_is_better_in_one_and_not_worse_in_the_other_dominates() {
        let cases = [
            ([1.0, 1.0], [2.0, 2.0], Ordering::Less),
            ([1.0, 1.0], [1.0, 2.0], Ordering::Less),
            ([1.0, 3.0], [2.0, 2.0], Ordering::Equal),
            ([1.0, 1.0], [1.0, 1.0], Ordering::Equal),
            ([3.0, 3.0], [2.0, 3.0], Ordering::Greater),
            ([f64::NAN, 1.0], [f64::INFINITY, 1.0], Ordering::Greater),
        ];
        for (left, right, expected) in cases {
            assert_eq!(dominance(&left, &right), expected, "{left:?} {right:?}");
        }
    }

    /// By hand: five points on a front of extents 4 and 8.
    #[test]
    fn crowding_is_the_distance_of_neighbors() {
        let objectives = [[0.0, 8.0], [1.0, 4.0], [2.0, 3.0], [2.0, 1.0], [4.0, 0.0]];
        let distances = crowding(&[0, 1, 2, 4], &objectives);
        assert_eq!(
            distances,
            [f64::INFINITY, 0.5 + 0.625, 0.75 + 0.5, f64::INFINITY]
        );
        let (ranking, first) = ranked(&objectives);
        // [2, 3] is dominated by [2, 1].
        assert_eq!((first, ranking.last()), (4, Some(&2)));
    }

    fn objective() -> impl Strategy<Value = f64> {
        prop_oneof![8 => (0_u8..6).prop_map(f64::from), 1 => Just(f64::NAN), 1 => Just(f64::INFINITY)]
    }

    proptest! {
        /// Against the definition: a front is what nobody of those left dominates.
        #[test]
        fn fronts_are_those_of_the_definition(
            points in prop::collection::vec((objective(), objective()), 0..40),
        ) {
            let points: Vec<[f64; 2]> = points.into_iter().map(|(a, b)| [a, b]).collect();
            let mut left: Vec<usize> = (0..points.len()).collect();
            for front in fronts(&points) {
                let free = |&&a: &&usize| {
                    !left.iter().any(|&b| dominance(&points[b], &points[a]).is_lt())
                };
                let expected: Vec<usize> = left.iter().filter(free).copied().collect();
                let mut found = front.clone();
                found.sort_unstable();
                prop_assert_eq!(&found, &expected);
                left.retain(|index| !found.contains(index));
            }
            prop_assert!(left.is_empty());
            let (ranking, _) = ranked(&points);
            prop_assert_eq!(ranking.len(), points.len());
        }
    }
}
