//! Thresholds of several sources that have a waveform each and one amplitude for all.

use std::sync::Arc;

use axonml_core::Waveform;
use axonml_models::{
    Detection, Device, Fiber, Settings, Simulation, Stimulus, Threshold, ThresholdSearch, model,
};
use ndarray::Ix2;

use crate::golden::Golden;
use crate::models::{number, table};

#[test]
fn brackets_of_several_sources_overlap_those_of_neuron() {
    let rows = table("questions/two_source_thresholds.csv");
    assert_eq!(rows.len(), 4);
    let mut inputs = Golden::open("questions/two_source_inputs.npz");
    for row in &rows {
        let case = &row["case"];
        let (dt_ms, tstop_ms) = (number(row, "dt_ms"), number(row, "tstop_ms"));
        let waveforms = inputs.array::<f64, Ix2>(&format!("{case}_w"));
        let potentials = inputs.array::<f64, Ix2>(&format!("{case}_ve_mV_per_mA"));
        assert_eq!(waveforms.nrows(), 2);
        let settings = Settings {
            dt_ms,
            tstop_ms,
            ..Settings::default()
        };
        let fibers = vec![Fiber::new(
            number(row, "diameter_um"),
            number(row, "n_nodes") as usize,
        )];
        let device = Device::cpu().unwrap();
        let simulation =
            Simulation::new(&model("mrg").unwrap(), fibers, &settings, &device).unwrap();
        assert_eq!(waveforms.ncols(), simulation.grid().steps());
        let mut stimulus = Stimulus::none(1);
        for (waveform, potentials) in waveforms.outer_iter().zip(potentials.outer_iter()) {
            let waveform = Waveform::from_samples(dt_ms, waveform.to_vec()).unwrap();
            let potentials = potentials.to_vec();
            stimulus = stimulus
                .potentials(0, potentials, Arc::new(waveform))
                .unwrap();
        }
        let search = ThresholdSearch {
            resolution: 1e-5,
            ..ThresholdSearch::default()
        };
        let found = simulation
            .thresholds(&stimulus, &search, &mut |_| ())
            .unwrap()[0];
        let Threshold::Found {
            lower_ma, upper_ma, ..
        } = found
        else {
            panic!("{row:?}: {found:?}")
        };
        assert_eq!(found.status(), "ok", "{row:?}: {found:?}");
        let [lower, upper] = ["lower_bound_mA", "threshold_mA"].map(|name| number(row, name));
        assert!(lower_ma <= upper && upper_ma >= lower, "{row:?}: {found:?}");
        // The table names the first crossing anywhere, in the run at its threshold.
        let run = simulation
            .run_detected(&stimulus, upper, &Detection::default(), &[])
            .unwrap();
        let earliest = run.crossings[0].iter().map(|at| at.state).min().unwrap();
        let mut first = run.crossings[0].iter().filter(|at| at.state == earliest);
        let first_node = number(row, "first_node") as usize;
        assert!(first.any(|at| at.node == first_node), "{row:?}: {earliest}");
        let late_ms = simulation.grid().time_ms(earliest) - number(row, "first_crossing_ms");
        assert!(late_ms.abs() < 1e-6, "{row:?}: {late_ms}");

        // What fires and what does not below and above, also where responses to kHz need not be monotonic.
        for factor in ["0.9", "0.95", "1.05", "1.1"] {
            let amplitude_ma = factor.parse::<f64>().unwrap() * upper;
            let run = simulation
                .run_detected(&stimulus, amplitude_ma, &Detection::default(), &[])
                .unwrap();
            let fires = number(row, &format!("state_{factor}")) == 1.0;
            assert_eq!(run.starts[0].is_some(), fires, "{row:?} at {factor}");
        }
    }
}
