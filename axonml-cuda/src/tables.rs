//! Tables of numbers: coefficients of cables, initial states, fields of sources.

use axonml_autodiff::cable::Cable;
use axonml_autodiff::cable::{ExplicitCable, ModalStep, Projection, US_PER_S};
use axonml_autodiff::engine::{Rollout, Source, Start};
use axonml_autodiff::ir::Real;
use rayon::prelude::*;

use crate::layout::{field_rows, modes, row_length, state_rows, warp_index};

/// Tables under construction.
pub(crate) struct Tables<'r, R> {
    rollout: &'r Rollout,
    nodes_per_lane: usize,
    /// Step coefficients per cable: `[cable][quantity][warp index]`, of explicit cables `[cable][quantity]`.
    pub(crate) rows: Vec<R>,
    /// `[cable][a, a kappa, kappa][mode]`
    pub(crate) modes: Vec<R>,
    /// The modes' coefficients per cable.
    steps: Vec<Option<ModalStep>>,
    fields: Vec<Field<'r>>,
}

/// A field to be computed.
struct Field<'r> {
    /// Number and coefficients of the cable.
    number: u32,
    cable: &'r Cable,
    effect: Effect<'r>,
}

enum Effect<'r> {
    Known(&'r Projection),
    /// Projection of potentials at the sample points, mV.
    Of(&'r [f64]),
}

impl<'r, R: Real> Tables<'r, R> {
    pub(crate) fn new(rollout: &'r Rollout, nodes_per_lane: usize) -> Self {
        Tables {
            rollout,
            nodes_per_lane,
            rows: Vec::new(),
            modes: Vec::new(),
            steps: Vec::new(),
            fields: Vec::new(),
        }
    }

    fn row(&self, fill: f64) -> Vec<R> {
        vec![R::from_f64(fill); row_length(self.nodes_per_lane)]
    }

    /// Coefficients of a step of `cable`.
    pub(crate) fn add_cable(&mut self, cable: &Cable) {
        let dt_ms = self.rollout.grid.dt_ms();
        let nodes = cable.nodes();
        let step = cable.modal_step(dt_ms);
        if let Some(step) = &step {
            let sent = step.sent_us();
            let all = step.a.iter().copied().chain(sent);
            let all = all.chain(step.kappa.iter().copied());
            self.modes.extend(all.map(|x| R::from_f64(x)));
        }
        self.steps.push(step.clone());
        // capacitance, passive conductance, off-diagonal of node k
        let of_node: Box<dyn Fn(usize) -> [f64; 3]> = match (cable, step) {
            (_, Some(step)) => Box::new(move |k| {
                let (passive, off) = step.node_row(k, nodes);
                [step.capacitance_nf / dt_ms, passive, off]
            }),
            (Cable::Explicit(cable), None) => return self.add_explicit(cable, dt_ms),
            (Cable::Implicit(cable), None) => Box::new(move |k| {
                let left = if k > 0 { cable.link_us[k - 1] } else { 0.0 };
                let right = if k + 1 < nodes { cable.link_us[k] } else { 0.0 };
                [cable.capacitance_nf[k] / dt_ms, left + right, -right]
            }),
            (Cable::Double(_) | Cable::Reduced(_), None) => {
                unreachable!("cables with modes have coefficients of a step")
            }
        };
        // Padding rows couple to nothing: u stays.
        let mut capacitance = self.row(1.0);
        let mut diagonal = self.row(1.0);
        let mut area = self.row(0.0);
        let mut off = self.row(0.0);
        for k in 0..nodes {
            let [c, passive, coupling] = of_node(k);
            let at = warp_index(k, self.nodes_per_lane);
            capacitance[at] = R::from_f64(c);
            diagonal[at] = R::from_f64(c + passive);
            area[at] = R::from_f64(cable.area_cm2(k) * US_PER_S);
            off[at] = R::from_f64(coupling);
        }
        for row in [capacitance, diagonal, area, off] {
            self.rows.extend(row);
        }
    }

    fn add_explicit(&mut self, cable: &ExplicitCable, dt_ms: f64) {
        let dt_over_c = dt_ms / cable.capacitance_nf;
        let area = cable.area_cm2 * US_PER_S;
        let coefficients = [
            dt_over_c,
            cable.axial_us * cable.v_weights.0,
            cable.axial_us * cable.v_weights.1,
            area,
            cable.stability(dt_ms, 0.0),
        ];
        self.rows
            .extend(coefficients.into_iter().map(|x| R::from_f64(x)));
    }

    /// Registers the field of a source; its index: that of one field, or of the first of one per step to be taken.
    pub(crate) fn add_field(&mut self, number: u32, cable: &'r Cable, field: &'r Source) -> u32 {
        let index = self.fields.len() as u32;
        let of = |effect| Field {
            number,
            cable,
            effect,
        };
        match field {
            Source::Separable { projection, .. } => {
                self.fields.push(of(Effect::Known(projection)));
            }
            Source::SpaceTime(ve_mv) => {
                let samples = cable.samples();
                let steps = self.rollout.steps.clone();
                let at = |step: usize| &ve_mv[step * samples..(step + 1) * samples];
                self.fields
                    .extend(steps.map(|step| of(Effect::Of(at(step)))));
            }
        }
        index
    }

    /// Appends the initial states: one per parameter set (of which `examples` are fibers) if they are uniform, else one
    /// per fiber.
    pub(crate) fn append_starts(&self, to: &mut Vec<R>, fibers: &[usize], examples: &[usize]) {
        let rollout = self.rollout;
        let reference = rollout.v_reference_mv;
        let rows = state_rows(rollout);
        let row = row_length(self.nodes_per_lane);
        let first = to.len();
        match &rollout.start {
            Start::Uniform { v_mv, states } => {
                to.resize(first + examples.len() * rows, R::default());
                let u = v_mv - reference;
                for (start, &fiber) in to[first..].chunks_exact_mut(rows).zip(examples) {
                    let values = states.clone().unwrap_or_else(|| rollout.rest(fiber, *v_mv));
                    for (to, value) in start.iter_mut().zip(std::iter::once(u).chain(values)) {
                        *to = R::from_f64(value);
                    }
                }
            }
            Start::From(saved) => {
                let (p, modes) = (self.nodes_per_lane, modes(rollout));
                to.resize(first + fibers.len() * rows * row, R::default());
                let each = to[first..].par_chunks_exact_mut(rows * row).zip(fibers);
                each.for_each(|(start, &fiber)| {
                    let state = &saved[fiber];
                    let nodes = state.v_mv.len();
                    let mut rows = start.chunks_exact_mut(row);
                    let u: Vec<f64> = state.v_mv.iter().map(|v| v - reference).collect();
                    for (values, row) in std::iter::once(&u).chain(&state.states).zip(&mut rows) {
                        for k in 0..row.len() {
                            // Padding rows repeat the last node: finite, and coupled to nothing.
                            row[warp_index(k, p)] = R::from_f64(values[k.min(nodes - 1)]);
                        }
                    }
                    for (mode, row) in rows.enumerate() {
                        for k in 0..nodes - 1 {
                            row[warp_index(k, p)] = R::from_f64(state.modes[k * modes + mode]);
                        }
                    }
                });
            }
        }
    }

    /// Appends the fields, each for a strength of 1.
    pub(crate) fn append_fields(&self, to: &mut Vec<R>) {
        let Some(size) = self
            .fields
            .first()
            .map(|field| field_rows(field.cable) * row_length(self.nodes_per_lane))
        else {
            return;
        };
        let first = to.len();
        to.resize(first + self.fields.len() * size, R::default());
        let each = to[first..].par_chunks_exact_mut(size).zip(&self.fields);
        each.for_each(|(to, field)| match field.effect {
            Effect::Known(projection) => self.fill_field(to, field.number, projection),
            Effect::Of(ve_mv) => self.fill_field(to, field.number, &field.cable.project(ve_mv)),
        });
    }

    /// Modes pass a part of their drive on to the nodes within the step.
    fn fill_field(&self, to: &mut [R], cable: u32, projection: &Projection) {
        let p = self.nodes_per_lane;
        let (currents, modes) = to.split_at_mut(row_length(p));
        let mut nodes = projection.nodes_na.clone();
        if let (Some(step), true) = (
            &self.steps[cable as usize],
            projection.modes.iter().any(|&x| x != 0.0),
        ) {
            let dt_ms = self.rollout.grid.dt_ms();
            let increments = step.drive_modes(&projection.modes, dt_ms, &mut nodes);
            for (k, increments) in increments.chunks_exact(step.modes()).enumerate() {
                for (mode, increment) in increments.iter().enumerate() {
                    // Modes are stored in units of their coupling.
                    modes[mode * row_length(p) + warp_index(k, p)] =
                        R::from_f64(increment / step.kappa[mode]);
                }
            }
        }
        for (k, current) in nodes.into_iter().enumerate() {
            currents[warp_index(k, p)] = R::from_f64(current);
        }
    }
}
