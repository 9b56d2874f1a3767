//! A token that is canceled ends a study at once, with what was finished.

use std::time::{Duration, Instant};

use axonml::Device;
use axonml::simulation::CancelToken;
use axonml::study::{Execution, Listener, Machine, Plan, Silent, Study};

/// Cancels as soon as the first batch is finished; the next takes minutes.
struct AfterTheFirst {
    cancel: CancelToken,
    /// Time after the batch at which it cancels: in the middle of the next.
    pause: Duration,
    canceled: std::sync::Arc<std::sync::Mutex<Option<Instant>>>,
}

impl Listener for AfterTheFirst {
    fn batch(&mut self, _unit: &str, _done: usize, _total: usize) {
        let (cancel, pause, canceled) = (self.cancel.clone(), self.pause, self.canceled.clone());
        std::thread::spawn(move || {
            std::thread::sleep(pause);
            *canceled.lock().unwrap() = Some(Instant::now());
            cancel.cancel();
        });
    }
}

/// The first group is done at once, a case of the second takes minutes.
fn long(protocol: &str) -> Study {
    Study::from_toml(&format!(
        "[[fibers]]\nname = \"short\"\nnodes = 5\n[[fibers]]\nname = \"long\"\ntemperature_celsius = 36\nnodes = 5001\n\
         [field]\ndistance_um = 1000\n[detection]\nnodes = 4\n[numerics]\ntstop_ms = 600\n[protocol]\n{protocol}\n"
    ))
    .unwrap()
}

#[test]
fn a_canceled_study_ends_within_a_third_of_a_second() {
    for protocol in [
        "kind = \"threshold\"",
        "kind = \"run\"",
        "kind = \"recruitment\"",
        "kind = \"strength-duration\"",
        "kind = \"response\"\namplitude_mA = [0.1, 0.2]",
        "kind = \"block\"\ntest_pulse = { node = 0 }",
    ] {
        let mut study = long(protocol);
        if protocol.contains("strength") {
            study.sources.push(axonml::study::SourceSpec {
                pulse_width_ms: Some(0.1.into()),
                ..Default::default()
            });
        }
        if protocol.contains("block") {
            study.detection.nodes = Some(vec![4].into());
            study.numerics.tstop_ms = Some(40.0);
        }
        let cancel = CancelToken::default();
        let machine = Machine {
            cancel: cancel.clone(),
            ..Machine::new(Device::cpu().unwrap())
        };
        let plan = Plan::new(&study, &machine, &mut Silent).unwrap();
        let canceled = std::sync::Arc::default();
        let mut listener = AfterTheFirst {
            cancel,
            pause: Duration::from_millis(100),
            canceled: std::sync::Arc::clone(&canceled),
        };
        let outcome = plan.run(&Execution::default(), &mut listener).unwrap();
        let at = canceled
            .lock()
            .unwrap()
            .expect("the first batch was finished");
        let late = at.elapsed();
        assert!(outcome.canceled, "{protocol}");
        assert_eq!(outcome.finished(), 1, "{protocol}");
        assert!(late < Duration::from_millis(300), "{protocol}: {late:?}");
        // What was finished is a table of its own.
        let results = plan.results(&outcome).unwrap();
        assert!(!results.table.rows.is_empty(), "{protocol}");
        assert_eq!(results.summary["interrupted"], true, "{protocol}");
    }
}
