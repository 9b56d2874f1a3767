//! Observations as the kernel returns them.

use axonml_autodiff::engine::{
    Crossing, Observation, ObserverKind, ObserverSpec, Recording, Rollout, Traces,
};
use axonml_autodiff::ir::Real;

use crate::layout::{NONE, row_length, warp_index};
use crate::observers::{ObserverPlan, resolved, watched};
use crate::pack::Launch;

impl ObserverPlan {
    /// The report of the fiber at `position` of the launch, which has `nodes` nodes; the number of crossings where a raster
    /// had too little room.
    pub(crate) fn report<R: Real>(
        &self,
        rollout: &Rollout,
        spec: &ObserverSpec,
        launch: &Launch<R>,
        position: usize,
        nodes: usize,
        nodes_per_lane: usize,
    ) -> Result<Observation, usize> {
        let row = row_length(nodes_per_lane);
        let ints = &launch.out_ints[self.words.ints as usize..][..self.out_ints];
        let reals = &launch.out_reals[self.words.reals as usize..][..self.out_reals];
        let reference = rollout.v_reference_mv;
        let listed = || resolved(spec, nodes);
        let of_node = |node: usize| position * row + warp_index(node, nodes_per_lane);
        Ok(match &spec.kind {
            ObserverKind::Active { .. } => Observation::Active(match ints[position] {
                NONE => None,
                at => Some(at as usize),
            }),
            ObserverKind::ActionPotentialCount => Observation::Count(
                listed()
                    .into_iter()
                    .map(|node| ints[of_node(node)])
                    .collect(),
            ),
            ObserverKind::Maximum => Observation::Maximum(
                listed()
                    .into_iter()
                    .map(|node| reals[of_node(node)].to_f64() + reference)
                    .collect(),
            ),
            ObserverKind::Raster => {
                let capacity = self.words.parameter as usize;
                let count = ints[position] as usize;
                if count > capacity {
                    return Err(count);
                }
                let fibers = launch.header.fibers as usize;
                let events = &ints[fibers + 2 * position * capacity..][..2 * count];
                let values = &reals[2 * position * capacity..][..2 * count];
                let mut crossings: Vec<Crossing> = events
                    .chunks_exact(2)
                    .zip(values.chunks_exact(2))
                    .map(|(event, values)| {
                        let state = event[1] as usize;
                        let [before, after] =
                            [values[0], values[1]].map(|u| u.to_f64() + reference);
                        let fraction = rise(before, after, spec.threshold_mv);
                        Crossing {
                            node: event[0] as usize,
                            state,
                            time_ms: rollout.grid.dt_ms() * ((state - 1) as f64 + fraction),
                            v_mv: after,
                        }
                    })
                    .collect();
                crossings.sort_by(|a, b| a.time_ms.total_cmp(&b.time_ms).then(a.node.cmp(&b.node)));
                Observation::Raster(crossings)
            }
            kind @ (ObserverKind::Recorder { .. } | ObserverKind::Traces { .. }) => {
                let Some((states, every)) = kind.recorded() else {
                    unreachable!("recorders and traces record")
                };
                let rows = ints[position] as usize;
                let (width, capacity) = (self.words.width as usize, self.words.rows as usize);
                let size = (1 + states.len()) * width;
                let data = &reals[position * capacity * size..][..rows * size];
                let watched = watched(spec, nodes);
                let nodes = listed();
                let columns: Vec<usize> = nodes
                    .iter()
                    .filter_map(|node| watched.binary_search(node).ok())
                    .collect();
                // Quantity 0 is the voltage, the others are the states.
                let numbers = |row: &[R], quantity: usize| -> Vec<f64> {
                    let offset = if quantity == 0 { reference } else { 0.0 };
                    let row = &row[quantity * width..];
                    columns.iter().map(|&c| row[c].to_f64() + offset).collect()
                };
                let data = || data.chunks_exact(size.max(1));
                let first_row = self.words.first_row as usize;
                let t_ms = (0..rows)
                    .map(|row| rollout.grid.time_ms(first_row + row * every.max(1)))
                    .collect();
                if let ObserverKind::Traces { quantities, .. } = kind {
                    let place = |name: &String| states.iter().position(|state| state == name);
                    let places: Vec<usize> = quantities
                        .iter()
                        .map(|name| place(name).map_or(0, |state| state + 1))
                        .collect();
                    let values = data()
                        .flat_map(|row| places.iter().flat_map(move |&q| numbers(row, q)))
                        .map(|x| x as f32)
                        .collect();
                    return Ok(Observation::Traced(Traces {
                        t_ms,
                        nodes,
                        values,
                    }));
                }
                let take = |quantity| data().flat_map(|row| numbers(row, quantity)).collect();
                Observation::Recorded(Recording {
                    t_ms,
                    v_mv: take(0),
                    states: (1..=states.len()).map(take).collect(),
                    nodes,
                })
            }
        })
    }
}

/// Fraction of a step after which the voltage reaches the threshold; 1 if it was there when watching began.
fn rise(before: f64, after: f64, threshold: f64) -> f64 {
    if before < threshold {
        (threshold - before) / (after - before)
    } else {
        1.0
    }
}
