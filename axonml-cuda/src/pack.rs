//! From a rollout to the flat tables that a kernel reads.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use axonml_autodiff::engine::{QuietEnd, Rollout, Source, Start};
use axonml_autodiff::ir::Real;

use crate::CudaError;
use crate::layout::{
    FIBER_WORDS, Header, NONE, ON_MODES, PER_STEP, RESULT_WORDS, WARPS, final_state_rows,
    row_length,
};
use crate::membrane::ParameterSets;
use crate::observers::{ObserverPlan, level};
use crate::source::KernelSource;
use crate::tables::Tables;

/// One launch: some fibers of a rollout, in tables.
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
    pub(crate) final_state_rows: usize,
    pub(crate) header: Header,
    pub(crate) observers: Vec<ObserverPlan>,
}

impl<R: Real> Launch<R> {
    /// Checks that the tables are those that `kernel` takes, with the lengths that their offsets imply.
    ///
    /// # Errors
    /// [`CudaError::Launch`] naming the table.
    pub(crate) fn check(&self, kernel: &KernelSource) -> Result<(), CudaError> {
        let mut expected = Vec::new();
        self.header.push_to(&mut expected);
        let observers = self.observers.len();
        let words = expected.len()
            + self
                .observers
                .iter()
                .map(ObserverPlan::word_count)
                .sum::<usize>();
        let of_observers =
            |size: fn(&ObserverPlan) -> usize| self.observers.iter().map(size).sum::<usize>();
        let fibers = self.header.fibers as usize;
        let row = row_length(kernel.nodes_per_lane);
        let results = fibers * RESULT_WORDS + of_observers(|o| o.out_ints);
        let state = self.header.states as usize + fibers * self.final_state_rows * row;
        let places = self.observers.last().map_or(self.ints.len(), |o| {
            o.words.selections as usize + o.places.len()
        });
        let waveforms = self.doubles.len() - self.header.waveforms as usize;
        let whole_waveforms = waveforms / self.header.steps as usize * self.header.steps as usize;
        for (what, expected, found) in [
            (
                "bytes of a number",
                kernel.precision.bytes(),
                size_of::<R>(),
            ),
            ("words", words, self.words.len()),
            ("whole numbers", places, self.ints.len()),
            (
                "numbers",
                self.header.levels as usize + observers,
                self.reals.len(),
            ),
            ("waveforms", whole_waveforms, waveforms),
            ("results in whole numbers", results, self.out_ints.len()),
            (
                "results",
                state + of_observers(|o| o.out_reals),
                self.out_reals.len(),
            ),
            ("blocks", fibers.div_ceil(WARPS), self.blocks),
        ] {
            CudaError::unless_equal(what, expected, found)?;
        }
        Ok(())
    }
}

/// The header and the observers as a kernel reads them.
pub(crate) fn words(header: &Header, observers: &[ObserverPlan]) -> Vec<u64> {
    let mut words = Vec::new();
    header.push_to(&mut words);
    observers.iter().for_each(|o| o.words.push_to(&mut words));
    words
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

/// Packs the fibers `fibers` of a checked rollout for `kernel`, and for the adjoint kernel `reverse` if there is one;
/// `sets` are their parameter sets, `capacity[observer]` the room of rasters.
pub(crate) fn pack<R: Real>(
    rollout: &Rollout,
    fibers: &[usize],
    sets: &ParameterSets,
    kernel: &KernelSource,
    reverse: Option<&KernelSource>,
    capacity: &[usize],
) -> Launch<R> {
    let row = row_length(kernel.nodes_per_lane);
    let mut tables = Tables::<R>::new(rollout, kernel.nodes_per_lane);
    let mut fiber_words = Vec::with_capacity(fibers.len() * FIBER_WORDS);
    let mut source_words: Vec<u32> = Vec::new();
    let mut gains: Vec<f64> = Vec::new();
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
        // One start per parameter set if they are uniform, else one per fiber.
        let start = match rollout.start {
            Start::Uniform { .. } => set,
            Start::From(_) => position,
        };
        let selection = lengths.number(nodes, || length_list.push(nodes));
        let first_source = gains.len() as u32;
        gains.extend(&rollout.drive.gains[fiber]);
        for source in rollout.drive.sources[fiber].iter() {
            let (key, waveform, flags) = match source {
                Source::Separable {
                    projection,
                    waveform,
                    ..
                } => {
                    let on_modes = projection.modes.iter().any(|&x| x != 0.0);
                    let flags = if on_modes { ON_MODES } else { 0 };
                    (Arc::as_ptr(projection) as usize, *waveform as u32, flags)
                }
                Source::SpaceTime(ve_mv) => {
                    let flags = PER_STEP | ON_MODES;
                    (Arc::as_ptr(ve_mv) as usize, NONE, flags)
                }
            };
            let field = *fields
                .entry((key, cable_key))
                .or_insert_with(|| tables.add_field(cable_number, cable, source));
            source_words.extend([field, waveform, flags]);
        }
        let sources = gains.len() as u32 - first_source;
        let words: [u32; FIBER_WORDS] = [
            nodes as u32,
            cable_number,
            set as u32,
            start as u32,
            first_source,
            sources,
            selection,
        ];
        fiber_words.extend(words);
    }

    // The tables one after the other; offsets go into the header.
    let [least_u, greatest_u] = rollout.voltage_bounds::<R>().map(|u| u.to_f64().to_bits());
    let mut header = Header {
        fibers: fibers.len() as u64,
        first_step: rollout.steps.start as u64,
        begin_step: rollout.steps.start as u64,
        end_step: rollout.steps.end as u64,
        run_end: rollout.steps.end as u64,
        steps: rollout.grid.steps() as u64,
        start_is_given: u64::from(matches!(rollout.start, Start::From(_))),
        least_u,
        greatest_u,
        ..Header::default()
    };
    let mut ints = Vec::new();
    header.fiber_words = append(&mut ints, fiber_words);
    header.source_words = append(&mut ints, source_words);
    if let Some(quiet) = &rollout.quiet_end {
        header.quiet_band = quiet.band_mv.to_bits();
        header.look_every = (quiet.every as u64).min(u64::from(NONE));
        let each = fibers
            .iter()
            .map(|&fiber| first_look(rollout, quiet, fiber));
        header.first_looks = append(&mut ints, each.collect());
    }
    let mut reals = std::mem::take(&mut tables.rows);
    header.modes = append(&mut reals, std::mem::take(&mut tables.modes));
    header.parameters = reals.len() as u64;
    append_parameters(&mut reals, kernel, sets);
    header.reverse_parameters = reals.len() as u64;
    if let Some(reverse) = reverse {
        append_parameters(&mut reals, reverse, sets);
    }
    header.starts = reals.len() as u64;
    tables.append_starts(&mut reals, fibers, &sets.examples);
    header.fields = reals.len() as u64;
    tables.append_fields(&mut reals);
    let mut doubles = Vec::new();
    header.gains = append(&mut doubles, gains);
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
    out_reals += fibers.len() * final_state_rows(rollout) * row;
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
    Launch {
        words: words(&header, &observers),
        ints,
        reals,
        doubles,
        out_ints: vec![0; out_ints],
        out_reals: vec![R::default(); out_reals],
        blocks: fibers.len().div_ceil(WARPS),
        final_state_rows: final_state_rows(rollout),
        header,
        observers,
    }
}

/// The first state that is looked at to see whether `fiber` is quiet; `NONE` if the run ends before.
fn first_look(rollout: &Rollout, quiet: &QuietEnd, fiber: usize) -> u32 {
    let first = quiet.first_state(rollout, fiber);
    let after_start = rollout.steps.start.saturating_add(1);
    let look = first.max(after_start).checked_next_multiple_of(quiet.every);
    let look = look.filter(|&state| state <= rollout.steps.end);
    look.and_then(|state| u32::try_from(state).ok())
        .unwrap_or(NONE)
}

/// Appends the values that differ between parameter sets, `[set][parameter]`.
fn append_parameters<R: Real>(to: &mut Vec<R>, kernel: &KernelSource, sets: &ParameterSets) {
    for set in 0..sets.examples.len() {
        let values = kernel.parameters.iter();
        to.extend(values.map(|values| R::from_f64(values[set])));
    }
}

fn append<T>(to: &mut Vec<T>, values: Vec<T>) -> u64 {
    let offset = to.len();
    to.extend(values);
    offset as u64
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axonml_models::{
        Device, Fiber, ObserverKind, ObserverSpec, Settings, Simulation, Stimulus,
    };

    use super::*;

    #[test]
    fn launches_that_do_not_fit_their_kernel_are_refused() {
        let model = axonml_models::model("mrg").unwrap();
        let fibers = vec![Fiber::new(10.0, 21), Fiber::new(8.0, 30)];
        let device = Device::cpu().unwrap();
        let simulation = Simulation::new(&model, fibers, &Settings::default(), &device).unwrap();
        let raster = ObserverSpec::new(ObserverKind::Raster, axonml_models::NodeSelection::All);
        let waveform = Arc::new("monophasic:pw=0.1".parse().unwrap());
        let stimulus = Stimulus::none(2).inject(0, 3, 1.0, waveform);
        let rollout = simulation.rollout(&stimulus, &[raster]).unwrap();
        let sets = ParameterSets::new(&rollout, &[0, 1]);
        let kernel = KernelSource::new::<f64>(&rollout, &sets, 1);
        let launch = || pack::<f64>(&rollout, &[0, 1], &sets, &kernel, None, &[10]);
        assert_eq!(launch().check(&kernel), Ok(()));
        let refused = |change: fn(&mut Launch<f64>)| {
            let mut launch = launch();
            change(&mut launch);
            launch.check(&kernel).unwrap_err().to_string()
        };
        assert!(refused(|l| l.words.truncate(3)).starts_with("words of a kernel launch"));
        assert!(refused(|l| l.ints.push(0)).contains("whole numbers"));
        assert!(refused(|l| l.reals.truncate(9)).contains("numbers"));
        assert!(refused(|l| l.doubles.push(0.0)).contains("waveforms"));
        assert!(refused(|l| l.out_reals.truncate(9)).contains("results"));
        assert!(refused(|l| l.blocks += 1).contains("blocks"));
        let single = KernelSource::new::<f32>(&rollout, &sets, 1);
        let error = launch().check(&single).unwrap_err().to_string();
        assert!(error.contains("bytes of a number"), "{error}");
    }
}
