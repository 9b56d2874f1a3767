//! From a rollout to the flat tables that a kernel reads.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use axonml_autodiff::cable::{ExplicitCable, MODES, Projection};
use axonml_autodiff::{Cable, Real, Rollout, SourceField, Start};

use crate::CudaError;
use crate::layout::{
    FIBER_WORDS, Header, NONE, ON_MODES, PER_STEP, RESULT_WORDS, WARPS, field_rows, slot, slots,
    state_rows,
};
use crate::membrane::ParameterSets;
use crate::observers::{ObserverPlan, level};
use crate::source::KernelSource;

/// S/cm2 times cm2 is S; the cables count in uS.
pub(crate) const US_PER_S: f64 = 1e6;

/// One launch: some fibres of a rollout, in tables.
#[derive(Debug)]
pub(crate) struct Launch<R> {
    pub(crate) words: Vec<u64>,
    pub(crate) ints: Vec<u32>,
    pub(crate) reals: Vec<R>,
    pub(crate) doubles: Vec<f64>,
    /// Filled by the kernel.
    pub(crate) out_ints: Vec<u32>,
    pub(crate) out_reals: Vec<R>,
    pub(crate) blocks: usize,
    pub(crate) state_rows: usize,
    pub(crate) header: Header,
    pub(crate) observers: Vec<ObserverPlan>,
}

impl<R: Real> Launch<R> {
    /// Whether the tables are those that `kernel` takes, as long as their offsets say.
    ///
    /// # Errors
    /// [`CudaError::Launch`] naming the table.
    pub(crate) fn check(&self, kernel: &KernelSource) -> Result<(), CudaError> {
        let mut expected = Vec::new();
        self.header.push_to(&mut expected);
        let observers = self.observers.len();
        let words = expected.len() + self.observers.iter().map(ObserverPlan::word_count).sum::<usize>();
        let of_observers = |size: fn(&ObserverPlan) -> usize| self.observers.iter().map(size).sum::<usize>();
        let fibers = self.header.fibers as usize;
        let row = slots(kernel.nodes_per_lane);
        let results = fibers * RESULT_WORDS + of_observers(|o| o.out_ints);
        let state = self.header.states as usize + fibers * self.state_rows * row;
        let places = self.observers.last().map_or(self.ints.len(), |o| {
            o.words.selections as usize + o.places.len()
        });
        let waveforms = self.doubles.len() - self.header.waveforms as usize;
        let whole_waveforms = waveforms / self.header.steps as usize * self.header.steps as usize;
        for (what, expected, found) in [
            ("bytes of a number", kernel.bytes_of_a_number(), size_of::<R>()),
            ("words", words, self.words.len()),
            ("whole numbers", places, self.ints.len()),
            ("numbers", self.header.levels as usize + observers, self.reals.len()),
            ("waveforms", whole_waveforms, waveforms),
            ("results in whole numbers", results, self.out_ints.len()),
            ("results", state + of_observers(|o| o.out_reals), self.out_reals.len()),
            ("blocks", fibers.div_ceil(WARPS), self.blocks),
        ] {
            if expected != found {
                return Err(CudaError::Launch {
                    what: what.into(),
                    expected,
                    found,
                });
            }
        }
        Ok(())
    }
}

/// Distinct things, numbered in order of appearance.
struct Numbered<K>(HashMap<K, usize>);

impl<K: Eq + Hash> Numbered<K> {
    fn new() -> Self {
        Numbered(HashMap::new())
    }

    /// Number of `key`; `first` is called when it is new.
    fn number(&mut self, key: K, first: impl FnOnce()) -> u32 {
        let next = self.0.len();
        let number = *self.0.entry(key).or_insert_with(|| {
            first();
            next
        });
        number as u32
    }
}

/// Packs the fibres `fibers` of a checked rollout for `kernel`; `sets` are their parameter sets, `capacity[observer]`
/// the room of rasters.
pub(crate) fn pack<R: Real>(
    rollout: &Rollout,
    fibers: &[usize],
    sets: &ParameterSets,
    kernel: &KernelSource,
    capacity: &[usize],
) -> Launch<R> {
    let row = slots(kernel.nodes_per_lane);
    let mut tables = Tables::<R> {
        rollout,
        nodes_per_lane: kernel.nodes_per_lane,
        rows: Vec::new(),
        modes: Vec::new(),
        stability: Vec::new(),
        starts: Vec::new(),
        fields: Vec::new(),
    };
    let mut fiber_words = Vec::with_capacity(fibers.len() * FIBER_WORDS);
    let mut source_words: Vec<u32> = Vec::new();
    let mut amplitudes = Vec::new();
    let mut cables = Numbered::new();
    let mut fields: HashMap<(usize, usize), u32> = HashMap::new();
    let mut lengths = Numbered::new();
    let mut length_list = Vec::new();
    for (position, &fiber) in fibers.iter().enumerate() {
        let cable = &rollout.fibers[fiber].cable;
        let nodes = cable.nodes();
        let cable_key = Arc::as_ptr(cable) as usize;
        let cable_number = cables.number(cable_key, || tables.add_cable(cable));
        let set = sets.of_fiber[position];
        let start = tables.start_of(fiber, set, position);
        let selection = lengths.number(nodes, || length_list.push(nodes));
        let first_source = amplitudes.len() as u32;
        for source in rollout.drive.sources[fiber].iter() {
            amplitudes.push(if source.scaled {
                rollout.drive.amplitudes[fiber]
            } else {
                1.0
            });
            let (key, waveform, flags) = match &source.field {
                SourceField::Separable {
                    projection,
                    waveform,
                } => {
                    let on_modes = projection.modes.iter().any(|&x| x != 0.0);
                    let flags = if on_modes { ON_MODES } else { 0 };
                    (Arc::as_ptr(projection) as usize, *waveform as u32, flags)
                }
                SourceField::Dense(ve_mv) => {
                    let flags = PER_STEP | ON_MODES;
                    (Arc::as_ptr(ve_mv) as usize, NONE, flags)
                }
            };
            let field = *fields
                .entry((key, cable_key))
                .or_insert_with(|| tables.add_field(cable, &source.field));
            source_words.extend([field, waveform, flags]);
        }
        let sources = amplitudes.len() as u32 - first_source;
        let words: [u32; FIBER_WORDS] = [
            nodes as u32,
            cable_number,
            set as u32,
            start,
            first_source,
            sources,
            selection,
        ];
        fiber_words.extend(words);
    }

    // The tables one behind the other; offsets go into the header.
    let mut header = Header {
        fibers: fibers.len() as u64,
        first_step: rollout.steps.start as u64,
        end_step: rollout.steps.end as u64,
        steps: rollout.grid.steps() as u64,
        start_is_given: u64::from(matches!(rollout.start, Start::From(_))),
        ..Header::default()
    };
    let mut ints = Vec::new();
    header.fiber_words = append(&mut ints, fiber_words);
    header.source_words = append(&mut ints, source_words);
    let mut reals = tables.rows;
    header.modes = append(&mut reals, tables.modes);
    header.parameters = reals.len() as u64;
    for set in 0..sets.examples.len() {
        reals.extend(
            kernel
                .parameters
                .iter()
                .map(|values| R::from_f64(values[set])),
        );
    }
    header.starts = append(&mut reals, tables.starts);
    header.fields = append(&mut reals, tables.fields);
    let mut doubles = tables.stability;
    header.amplitudes = append(&mut doubles, amplitudes);
    if doubles.is_empty() {
        // Devices have no empty tables.
        doubles.push(0.0);
    }
    header.waveforms = doubles.len() as u64;
    for waveform in &rollout.drive.waveforms {
        doubles.extend_from_slice(waveform);
    }

    // The results, likewise.
    let mut out_ints = fibers.len() * RESULT_WORDS;
    let mut out_reals = 2 * fibers.len();
    header.states = out_reals as u64;
    out_reals += fibers.len() * state_rows(rollout) * row;
    header.levels = reals.len() as u64;
    let mut observers = Vec::new();
    for (spec, &capacity) in rollout.observers.iter().zip(capacity) {
        let mut plan = ObserverPlan::new(
            rollout,
            spec,
            &length_list,
            kernel.nodes_per_lane,
            capacity,
            fibers.len(),
        );
        reals.push(level::<R>(spec.threshold_mv, rollout.v_reference_mv));
        plan.words.selections = append(&mut ints, plan.places.clone());
        plan.words.ints = out_ints as u64;
        plan.words.reals = out_reals as u64;
        out_ints += plan.out_ints;
        out_reals += plan.out_reals;
        observers.push(plan);
    }
    let mut words = Vec::new();
    header.push_to(&mut words);
    observers.iter().for_each(|o| o.words.push_to(&mut words));
    Launch {
        words,
        ints,
        reals,
        doubles,
        out_ints: vec![0; out_ints],
        out_reals: vec![R::default(); out_reals],
        blocks: fibers.len().div_ceil(WARPS),
        state_rows: state_rows(rollout),
        header,
        observers,
    }
}

fn append<T>(to: &mut Vec<T>, values: Vec<T>) -> u64 {
    let offset = to.len();
    to.extend(values);
    offset as u64
}

/// Tables of numbers under construction.
struct Tables<'r, R> {
    rollout: &'r Rollout,
    nodes_per_lane: usize,
    rows: Vec<R>,
    modes: Vec<R>,
    stability: Vec<f64>,
    starts: Vec<R>,
    fields: Vec<R>,
}

impl<R: Real> Tables<'_, R> {
    fn row(&self, fill: f64) -> Vec<R> {
        vec![R::from_f64(fill); slots(self.nodes_per_lane)]
    }

    /// Coefficients of a step of `cable`.
    fn add_cable(&mut self, cable: &Cable) {
        let dt_ms = self.rollout.grid.dt_ms();
        let nodes = cable.nodes();
        // capacitance, passive conductance, off-diagonal of node k
        let of_node: Box<dyn Fn(usize) -> [f64; 3]> = match cable {
            Cable::Explicit(cable) => return self.add_explicit(cable, dt_ms),
            Cable::Implicit(cable) => Box::new(move |k| {
                let left = if k > 0 { cable.link_us[k - 1] } else { 0.0 };
                let right = if k + 1 < nodes { cable.link_us[k] } else { 0.0 };
                [cable.capacitance_nf[k] / dt_ms, left + right, -right]
            }),
            Cable::Double(cable) => {
                let step = cable.internode.step_coefficients(dt_ms);
                self.modes
                    .extend(step.a.iter().chain(&step.kappa).map(|&x| R::from_f64(x)));
                Box::new(move |k| {
                    let first = k == 0;
                    let last = k + 1 == nodes;
                    let sides = if first || last { 1.0 } else { 2.0 };
                    let off = if last { 0.0 } else { -step.neighbor_coupling };
                    [
                        cable.node_capacitance_nf / dt_ms,
                        sides * step.self_coupling,
                        off,
                    ]
                })
            }
        };
        // Rows behind the fibre's end couple to nothing: u stays.
        let mut capacitance = self.row(1.0);
        let mut diagonal = self.row(1.0);
        let mut area = self.row(0.0);
        let mut off = self.row(0.0);
        for k in 0..nodes {
            let [c, passive, coupling] = of_node(k);
            let at = slot(k, self.nodes_per_lane);
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
        let limit =
            ExplicitCable::STABILITY_LIMIT * cable.capacitance_nf / dt_ms - cable.stencil_us();
        let area = cable.area_cm2 * US_PER_S;
        let coefficients = [
            dt_over_c,
            cable.axial_us * cable.v_weights.0,
            cable.axial_us * cable.v_weights.1,
            area,
            limit,
        ];
        self.rows
            .extend(coefficients.into_iter().map(|x| R::from_f64(x)));
        self.stability.extend([
            dt_over_c,
            cable.stencil_us(),
            area,
            ExplicitCable::STABILITY_LIMIT,
        ]);
    }

    /// Index of the start of a fibre: one per parameter set if uniform, else one per fibre.
    fn start_of(&mut self, fiber: usize, set: usize, position: usize) -> u32 {
        let rollout = self.rollout;
        let reference = rollout.v_reference_mv;
        let rows = state_rows(rollout);
        match &rollout.start {
            Start::Uniform { v_mv, states } => {
                if self.starts.len() == set * rows {
                    let u = v_mv - reference;
                    let values = states.clone().unwrap_or_else(|| {
                        let inputs: Vec<f64> = rollout
                            .constants(0, fiber)
                            .into_iter()
                            .map(|constant| constant.unwrap_or(u))
                            .collect();
                        rollout.membrane.rest.eval(&inputs)
                    });
                    self.starts.push(R::from_f64(u));
                    self.starts.extend(values.into_iter().map(R::from_f64));
                    self.starts.resize((set + 1) * rows, R::default());
                }
                set as u32
            }
            Start::From(saved) => {
                let state = &saved[fiber];
                let nodes = state.v_mv.len();
                let mut all = vec![R::default(); rows * slots(self.nodes_per_lane)];
                let mut chunks = all.chunks_exact_mut(slots(self.nodes_per_lane));
                let voltages: Vec<f64> = state.v_mv.iter().map(|v| v - reference).collect();
                for values in std::iter::once(&voltages).chain(&state.states) {
                    let Some(row) = chunks.next() else { break };
                    for k in 0..row.len() {
                        // Behind the fibre's end its last node is repeated: finite, and coupled to nothing.
                        row[slot(k, self.nodes_per_lane)] = R::from_f64(values[k.min(nodes - 1)]);
                    }
                }
                for (mode, row) in chunks.enumerate() {
                    for k in 0..nodes - 1 {
                        row[slot(k, self.nodes_per_lane)] =
                            R::from_f64(state.modes[k * MODES + mode]);
                    }
                }
                self.starts.extend(all);
                position as u32
            }
        }
    }

    /// Fields of a source for a strength of 1, and their index: one, or one for every step to be taken.
    fn add_field(&mut self, cable: &Cable, field: &SourceField) -> u32 {
        let size = field_rows(cable) * slots(self.nodes_per_lane);
        let index = (self.fields.len() / size) as u32;
        match field {
            SourceField::Separable { projection, .. } => self.add_projection(cable, projection),
            SourceField::Dense(ve_mv) => {
                let samples = cable.samples();
                for step in self.rollout.steps.clone() {
                    let projection = cable.project(&ve_mv[step * samples..(step + 1) * samples]);
                    self.add_projection(cable, &projection);
                }
            }
        }
        index
    }

    /// On the double cable the modes pass a part of their drive on to the nodes within the step.
    fn add_projection(&mut self, cable: &Cable, projection: &Projection) {
        let p = self.nodes_per_lane;
        let row = slots(p);
        let mut nodes = projection.nodes_na.clone();
        let mut modes = vec![R::default(); (field_rows(cable) - 1) * row];
        if let (Cable::Double(double), true) = (cable, projection.modes.iter().any(|&x| x != 0.0)) {
            let dt_ms = self.rollout.grid.dt_ms();
            let step = double.internode.step_coefficients(dt_ms);
            for (k, drives) in projection.modes.chunks_exact(MODES).enumerate() {
                for (mode, drive) in drives.iter().enumerate() {
                    let beta = step.a[mode] * dt_ms * drive;
                    modes[mode * row + slot(k, p)] = R::from_f64(beta);
                    nodes[k] += beta;
                    nodes[k + 1] += if mode < MODES / 2 { beta } else { -beta };
                }
            }
        }
        let mut currents = self.row(0.0);
        for (k, current) in nodes.into_iter().enumerate() {
            currents[slot(k, p)] = R::from_f64(current);
        }
        self.fields.extend(currents);
        self.fields.extend(modes);
    }
}
