//! Fibers that will not fire any more end at the state at which they end on the processor.

use std::sync::Arc;

use axonml_autodiff::cable::Cable;
use axonml_autodiff::engine::{
    Backend, FiberOutcome, FiberStatus, QuietEnd, Rollout, Source, Start,
};
use axonml_autodiff::ir::Precision;
use axonml_cpu::CpuBackend;
use axonml_cuda::{KernelSource, ThreadOrder};
use axonml_models::Fiber;

use crate::cases::{assert_observations, host_kernels, myelinated, rollout_of};

const DT_MS: f64 = 0.005;
const STEPS: usize = 600;
/// Step after which the pulses of [`rollout_of`] are over: 0.9 ms and 0.3 ms.
const PULSES_END: usize = 240;
/// Where saved runs continue.
const CONTINUED: usize = 250;

/// A double cable, a reduced one, an implicit and an explicit one.
const MODELS: [&str; 4] = ["mrg", "two-mode", "sundt", "smf"];

const QUIET: QuietEnd = QuietEnd {
    band_mv: 10.0,
    after_ms: 0.3,
    every: 10,
};

/// Fibers that pulses excite.
const EXCITED: [usize; 2] = [4, 6];
/// A fiber with a source that is on until the end, and one without any.
const DRIVEN: usize = 5;
const ALONE: usize = 7;

/// Fibers of one to ten nodes per lane; the first four under pulses that are too weak.
fn cases(id: &str, precision: Precision) -> Rollout {
    let diameter = if myelinated(id) { 10.0 } else { 1.0 };
    let nodes = [21, 53, 75, 300, 32, 31, 90, 40];
    let fibers = nodes.map(|nodes| Fiber::new(diameter, nodes)).to_vec();
    let mut rollout = rollout_of(id, fibers, DT_MS, STEPS, precision);
    rollout.quiet_end = Some(QUIET);
    let drive = &mut rollout.drive;
    for (gains, factor) in drive.gains.iter_mut().zip([0.0, 0.05, 0.1, 0.02]) {
        gains.iter_mut().for_each(|gain| *gain *= factor);
    }
    let mut last_only = vec![0.0; STEPS];
    last_only[STEPS - 1] = 1.0;
    let waveform = drive.waveforms.len();
    drive.waveforms.push(Arc::new(last_only));
    drive.sources[DRIVEN] = Arc::new(vec![Source::Separable {
        projection: Arc::new(rollout.fibers[DRIVEN].cable.inject(10)),
        potentials: None,
        waveform,
    }]);
    drive.gains[DRIVEN] = vec![1e-6];
    drive.sources[ALONE] = Arc::default();
    drive.gains[ALONE].clear();
    rollout
}

/// The rest of the same run, after all pulses: each fiber starts from the state that it has then without early ends.
fn continued(id: &str, precision: Precision) -> Rollout {
    let mut rollout = cases(id, precision);
    rollout.quiet_end = None;
    rollout.steps = 0..CONTINUED;
    let states = CpuBackend::new().run(&rollout).unwrap().fibers;
    let states = states.into_iter().map(|outcome| outcome.state.unwrap());
    rollout.start = Start::From(states.collect());
    rollout.steps = CONTINUED..STEPS;
    rollout.quiet_end = Some(QUIET);
    rollout
}

fn statuses(outcomes: &[FiberOutcome]) -> Vec<FiberStatus> {
    outcomes.iter().map(|outcome| outcome.status).collect()
}

/// Runs on processor and kernels, whose statuses are those that this returns. Observations are compared in double
/// precision.
#[track_caller]
fn ended_alike(backend: &dyn Backend, rollout: &Rollout, what: &str) -> Vec<FiberStatus> {
    let expected = CpuBackend::new().run(rollout).unwrap().fibers;
    let found = backend.run(rollout).unwrap().fibers;
    assert_eq!(statuses(&found), statuses(&expected), "{what}");
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(
            found.state.is_some(),
            found.status == FiberStatus::Completed
        );
        if rollout.precision == Precision::F64 {
            assert_observations(found, expected, 1e-7);
        }
    }
    statuses(&found)
}

#[test]
fn cables_are_of_every_kind() {
    let kinds = MODELS.map(|id| match &*cases(id, Precision::F64).fibers[0].cable {
        Cable::Double(_) => "double",
        Cable::Reduced(_) => "reduced",
        Cable::Implicit(_) => "implicit",
        Cable::Explicit(_) => "explicit",
    });
    assert_eq!(kinds, ["double", "reduced", "implicit", "explicit"]);
}

#[test]
fn fibers_from_rest_end_at_the_processors_state() {
    let Some(kernels) = host_kernels() else {
        return;
    };
    for id in MODELS {
        for precision in [Precision::F64, Precision::F32] {
            let what = format!("{id} {}", precision.name());
            let mut rollout = cases(id, precision);
            let ends = ended_alike(&kernels, &rollout, &what);
            // 0.3 ms after the last pulse, which odd fibers do not have, and looked at every 10 states.
            assert_eq!(ends[0], FiberStatus::Quiet(PULSES_END + 60), "{what}");
            for end in &ends[1..4] {
                assert!(matches!(end, FiberStatus::Quiet(_)), "{what}: {end:?}");
            }
            for fiber in EXCITED {
                // Not before the action potential has left.
                assert_ne!(ends[fiber], ends[0], "{what}");
            }
            assert_eq!(ends[DRIVEN], FiberStatus::Completed, "{what}");
            assert_eq!(ends[ALONE], FiberStatus::Quiet(60), "{what}");

            rollout.stop_when_active = Some(0);
            let ends = ended_alike(&kernels, &rollout, &what);
            for end in EXCITED.map(|fiber| ends[fiber]) {
                assert!(matches!(end, FiberStatus::Answered(_)), "{what}: {end:?}");
            }
        }
    }
}

#[test]
fn fibers_from_saved_states_end_at_the_processors_state() {
    let Some(kernels) = host_kernels() else {
        return;
    };
    let kernels = kernels.order(ThreadOrder::Reverse);
    for id in MODELS {
        for precision in [Precision::F64, Precision::F32] {
            let what = format!("{id} {}, continued", precision.name());
            let mut rollout = continued(id, precision);
            let Start::From(states) = &rollout.start else {
                panic!("it continues")
            };
            let range = states[EXCITED[1]]
                .v_mv
                .iter()
                .fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], v| {
                    [v.min(low), v.max(high)]
                });
            // After a step every node is near its own start, and many of an excited fiber are far from others' starts: in
            // 5 us even an upstroke is shorter than this band.
            let at_once = QuietEnd {
                band_mv: 20.0,
                after_ms: 0.0,
                every: 1,
            };
            assert!(
                range[1] - range[0] > 3.0 * at_once.band_mv,
                "{what}: {range:?}"
            );
            rollout.quiet_end = Some(at_once);
            let ends = ended_alike(&kernels, &rollout, &what);
            for (fiber, end) in ends.iter().enumerate() {
                let state = if fiber == DRIVEN {
                    STEPS
                } else {
                    CONTINUED + 1
                };
                assert_eq!(*end, FiberStatus::Quiet(state), "{what}: fiber {fiber}");
            }

            // Looks at multiples of 7, of a narrow band, as of the start of the whole run.
            rollout.quiet_end = Some(QuietEnd {
                band_mv: 0.5,
                every: 7,
                ..QUIET
            });
            let ends = ended_alike(&kernels, &rollout, &what);
            assert_eq!(ends[ALONE], FiberStatus::Quiet(252), "{what}");
            assert_eq!(ends[EXCITED[1]], FiberStatus::Completed, "{what}");
        }
    }
}

/// A look at the last state counts; none beyond it does, and steps between looks have no upper bound.
#[test]
fn looks_end_with_the_run() {
    let Some(kernels) = host_kernels() else {
        return;
    };
    let mut rollout = cases("smf", Precision::F64).select([ALONE].into_iter());
    let mut ends = |after_ms: f64, every: usize| {
        rollout.quiet_end = Some(QuietEnd {
            after_ms,
            every,
            ..QUIET
        });
        ended_alike(&kernels, &rollout, &format!("{after_ms} ms, every {every}"))[0]
    };
    assert_eq!(ends(0.0, STEPS), FiberStatus::Quiet(STEPS));
    assert_eq!(ends(0.0, STEPS + 1), FiberStatus::Completed);
    assert_eq!(ends(0.0, usize::MAX), FiberStatus::Completed);
    assert_eq!(ends(1e300, 1), FiberStatus::Completed);
}

/// Only runs that ask for early ends have the code; its numbers are no part of it.
#[test]
fn kernels_without_early_ends_are_free_of_them() {
    let mut rollout = cases("mrg", Precision::F32);
    let texts = |rollout: &Rollout| -> Vec<String> {
        let kernels = KernelSource::for_rollout(rollout).into_iter();
        kernels.map(|kernel| kernel.text).collect()
    };
    let with = texts(&rollout);
    rollout.quiet_end = Some(QuietEnd {
        band_mv: 5.0,
        after_ms: 1.0,
        every: 3,
    });
    assert_eq!(texts(&rollout), with);
    let has_code = |text: &String| text.contains("struct Quiet {");
    assert!(with.iter().all(has_code));
    rollout.quiet_end = None;
    assert!(!texts(&rollout).iter().any(has_code));
}
