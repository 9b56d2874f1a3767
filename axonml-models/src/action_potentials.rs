//! The crossings of one fiber, sorted into action potentials.

use axonml_autodiff::engine::Crossing;

/// A crossing that lies further back than this belongs to an earlier action potential, ms: no fiber needs so long from
/// one node to the next.
pub(crate) const NEIGHBOR_DELAY_MS: f64 = 2.0;

/// For every crossing the index of the one with which its action potential began.
///
/// A node was excited by the neighbor that crossed last before it, if that was the same action potential: if no other
/// crossing of the node lies nearer in time to the neighbor's. (In a fiber that fires twice within
/// [`NEIGHBOR_DELAY_MS`] the neighbor's last crossing may be that of the first action potential, which the node has
/// answered already, or given.) A node that no neighbor excited is a beginning.
pub(crate) fn beginnings(crossings: &[Crossing]) -> Vec<usize> {
    let nodes = crossings.iter().map(|at| at.node + 1).max().unwrap_or(0);
    let mut order: Vec<usize> = (0..crossings.len()).collect();
    order.sort_by(|&a, &b| {
        let (a, b) = (&crossings[a], &crossings[b]);
        a.time_ms.total_cmp(&b.time_ms).then(a.node.cmp(&b.node))
    });
    let mut of_node = vec![Vec::new(); nodes];
    for &index in &order {
        of_node[crossings[index].node].push(index);
    }
    // Crossings of a node that precede the present one in `order`.
    let mut passed = vec![0_usize; nodes];
    let mut begins: Vec<usize> = (0..crossings.len()).collect();
    for &index in &order {
        let (node, time_ms) = (crossings[index].node, crossings[index].time_ms);
        let excited_by = |neighbor: usize| {
            let last = passed.get(neighbor)?.checked_sub(1)?;
            let candidate: usize = of_node[neighbor][last];
            let at_ms = crossings[candidate].time_ms;
            let from_it = |other: usize| (crossings[other].time_ms - at_ms).abs();
            let is_nearest = of_node[node]
                .iter()
                .all(|&other| from_it(index) <= from_it(other));
            (is_nearest && time_ms - at_ms <= NEIGHBOR_DELAY_MS).then_some(candidate)
        };
        let neighbors = [node.checked_sub(1), Some(node + 1)];
        let exciting = neighbors.into_iter().flatten().filter_map(excited_by);
        let last = exciting.max_by(|&a, &b| crossings[a].time_ms.total_cmp(&crossings[b].time_ms));
        if let Some(last) = last {
            begins[index] = begins[last];
        }
        passed[node] += 1;
    }
    begins
}

/// The crossings of action potentials that began at the state `first` or later.
pub(crate) fn begun_from(first: usize, crossings: &[Crossing]) -> Vec<Crossing> {
    let each = crossings.iter().zip(beginnings(crossings));
    let later = each.filter(|(_, begin)| crossings[*begin].state >= first);
    later.map(|(crossing, _)| *crossing).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NODES: usize = 41;

    fn crossing(node: usize, time_ms: f64) -> Crossing {
        Crossing {
            node,
            state: (time_ms / 0.005).ceil() as usize,
            time_ms,
            v_mv: 1.0,
        }
    }

    /// An action potential that begins at `node` and takes `delay_ms` from node to node.
    fn spike(node: usize, at_ms: f64, delay_ms: f64) -> impl Iterator<Item = Crossing> {
        let later = move |to: usize| at_ms + delay_ms * to.abs_diff(node) as f64;
        (0..NODES).map(move |to| crossing(to, later(to)))
    }

    #[test]
    fn an_action_potential_right_behind_another_begins_where_it_does() {
        // 0.7 ms behind it, at the node where the first one began, and between there and an end.
        for second in [20, 26, 5] {
            let crossings: Vec<Crossing> = spike(20, 1.0, 0.02)
                .chain(spike(second, 1.7, 0.03))
                .collect();
            let begins = beginnings(&crossings);
            assert!(begins[..NODES].iter().all(|&at| at == 20));
            assert!(begins[NODES..].iter().all(|&at| at == NODES + second));
            assert_eq!(begun_from(330, &crossings), crossings[NODES..]);
        }
    }

    #[test]
    fn an_action_potential_that_is_still_travelling_began_before() {
        let crossings: Vec<Crossing> = spike(0, 1.0, 0.05).collect();
        // At 2 ms it is at node 20.
        assert!(crossings.iter().filter(|at| at.state > 400).count() > 15);
        assert_eq!(begun_from(400, &crossings), []);
        // One that begins ahead of it, and meets it between nodes 29 and 30, does not.
        let mut met: Vec<Crossing> = (0..30)
            .map(|k| crossing(k, 1.0 + 0.05 * k as f64))
            .collect();
        met.extend((30..NODES).map(|k| crossing(k, 2.17 + 0.05 * k.abs_diff(36) as f64)));
        let later = begun_from(400, &met);
        // The last node to cross, 30, has been reached from both sides.
        let nodes: Vec<usize> = later.iter().map(|at| at.node).collect();
        assert_eq!(nodes, (31..NODES).collect::<Vec<_>>());
    }

    proptest! {
        #[test]
        fn trains_fall_apart_into_their_action_potentials(
            starts in proptest::collection::vec((0..NODES, 0.001_f64..0.04), 1..6),
            period_ms in 0.7_f64..10.0,
        ) {
            // They do not catch up with each other: delays differ by less than the period over the whole fiber.
            let delay_ms = starts[0].1.min(0.4 * period_ms / NODES as f64);
            let of = |(index, (node, _)): (usize, &(usize, f64))| {
                spike(*node, 1.0 + period_ms * index as f64, delay_ms)
            };
            let crossings: Vec<Crossing> = starts.iter().enumerate().flat_map(of).collect();
            let begins = beginnings(&crossings);
            for (index, begin) in begins.into_iter().enumerate() {
                let spike = index / NODES;
                prop_assert_eq!(begin, spike * NODES + starts[spike].0);
            }
        }
    }
}
