//! A record of the bundled nerve with made-up figures, for tests of pictures and reports.

use std::collections::BTreeMap;

use axonml::demonstration;
use axonml::design::{
    Baseline, Delivered, DesignRecord, DesignResult, Dose, FiberResult, HistoryRow, ParetoPoint,
    Robust, Spread, StartResult, Verified,
};
use serde_json::json;

const DT_MS: f64 = 0.005;
const AMPLITUDES_MA: [f64; 6] = [0.061, -0.0284, 0.0107, 0.3, -0.1452, -0.2071];
const MONTAGE_MA: [f64; 6] = [0.0, 0.0, 0.0, 0.3166, -0.1583, -0.1583];

/// 0.2 ms of -1 and 0.2 ms of 1, from 0.2 ms on, over 2.5 ms.
fn waveform() -> Vec<f64> {
    let at = |step: usize| match step {
        40..80 => -1.0,
        80..120 => 1.0,
        _ => 0.0,
    };
    (0..500).map(at).collect()
}

/// An optimization of the bundled nerve by descents from six starts, complete but for a Pareto front.
pub(crate) fn record() -> DesignRecord {
    let nerve = demonstration::nerve().expect("the bundled nerve is sound");
    let geometry = nerve.geometry().cloned().expect("it has a geometry");
    let xy = nerve.fibers_xy_um().expect("its fibers have places");
    let target = nerve.target().expect("it has targets");
    let fiber = |fiber: usize| {
        let before = target[..fiber].iter();
        let nth = before.filter(|other| **other == target[fiber]).count() as f64;
        let (threshold, before) = match target[fiber] {
            true => (0.747 - 0.06 * nth, 0.776 - 0.05 * nth),
            false => (1.338 * 1.23_f64.powf(nth), 1.288 * 1.1_f64.powf(nth)),
        };
        FiberResult {
            fiber,
            fascicle: geometry.axon_fascicle.get(fiber).copied(),
            diameter_um: 5.7,
            xy_um: Some([xy[[fiber, 0]], xy[[fiber, 1]]]),
            target: target[fiber],
            weight: nerve.weights()[fiber],
            threshold: (nth < 6.0).then_some(threshold),
            active: threshold <= 1.0,
            baseline_threshold: Some(before),
            ..FiberResult::default()
        }
    };
    let fibers: Vec<FiberResult> = (0..nerve.fibers()).map(fiber).collect();
    let waveform = waveform();
    let dose = dose(&AMPLITUDES_MA, &waveform);
    let result = DesignResult {
        nerve: "N1".into(),
        method: "gd".into(),
        objective: "selective".into(),
        seed: 1,
        status: "done".into(),
        amplitudes_ma: AMPLITUDES_MA.to_vec(),
        pw_ms: Some(0.2),
        gap_ms: Some(0.0),
        target_pct: 100.0,
        offtarget_pct: 0.0,
        misclassified: 0.0,
        wbce: 1e-7,
        separation: Some(1.338 / 0.747),
        window: [Some(0.747), Some(1.338)],
        charge_nc: dose.charge_nc,
        charge_phase_nc: AMPLITUDES_MA.map(|ma| 200.0 * ma.abs()).to_vec(),
        energy: dose.energy_ma2_ms,
        peak_ma: dose.peak_ma,
        sum_ma: AMPLITUDES_MA.iter().sum::<f64>().abs(),
        shannon_k: Some(vec![Some(-1.9); 6]),
        compliance_v: None,
        limits_active: vec!["bound of contact 3 (0.3 mA)".into()],
        evaluations: 162,
        thresholds: 528,
        gradients: 366,
        seconds: 21.4,
        candidate_nerves_per_s: 49.3,
        iterations: 60,
        starts: starts(),
        baselines: baselines(&fibers, &waveform),
        verified: Some(Verified {
            model: "mrg".into(),
            precision: "f64".into(),
            dt_ms: DT_MS,
            nodes: [53, 71],
            target_pct: 100.0,
            offtarget_pct: 0.0,
            misclassified: 0.0,
            wbce: 1e-7,
            separation: Some(1.338 / 0.747),
            disagreeing_fibers: vec![7],
            end_excitation: vec![9],
        }),
        robust: Some(robust()),
        fibers,
        ..DesignResult::default()
    };
    let of = |ma: &f64| waveform.iter().map(|w| ma * w).collect();
    DesignRecord {
        montages: Vec::new(),
        request: json!({
            "version": "0.1.0",
            "study": {"protocol": {"kind": "optimize", "objective": "selective <\"&'>"}, "nerve": "N1"},
        }),
        history: history(&result.starts),
        times_ms: (0..waveform.len())
            .map(|step| DT_MS * step as f64)
            .collect(),
        currents_ma: AMPLITUDES_MA.iter().map(of).collect(),
        bounds_ma: vec![[-0.3, 0.3]; 6],
        geometry: Some(geometry),
        result,
    }
}

/// A front of three stimuli.
pub(crate) fn pareto() -> Vec<ParetoPoint> {
    let point = |(area, charge): (f64, f64)| ParetoPoint {
        amplitudes_ma: AMPLITUDES_MA.to_vec(),
        objectives: [area, charge],
        ..ParetoPoint::default()
    };
    [(0.0, 152.0), (0.031, 118.0), (0.12, 60.0)]
        .map(point)
        .to_vec()
}

fn starts() -> Vec<StartResult> {
    let start = |(init, separation): (&str, f64)| StartResult {
        init: init.into(),
        misclassified: 0.0,
        separation: Some(separation),
        iterations: 60,
    };
    [
        ("tripolar 3, 4, 5", 1.338 / 0.747),
        ("tripolar 3, 0, 4", 1.77),
        ("tripolar 5, 3, 4", 1.71),
        ("bipolar 3, 4", 1.74),
        ("random", 0.98),
        ("random", 1.32),
    ]
    .map(start)
    .to_vec()
}

/// Six descents over 60 steps that rise to what each start led to.
fn history(starts: &[StartResult]) -> Vec<HistoryRow> {
    let row = |start: usize, iteration: usize| {
        let t = iteration as f64 / 60.0;
        let end = starts[start].separation.unwrap_or(1.0);
        let begin = [1.66, 1.55, 1.43, 1.30, 0.42, 0.55][start];
        let risen = begin + (end - begin) * (1.0 - (-5.0 * t).exp()) / (1.0 - (-5.0_f64).exp());
        let wrong = if start < 4 { 0.0 } else { 0.22 };
        HistoryRow {
            start,
            iteration,
            evaluations: 162 + 6 * iteration + start,
            loss: 0.4 * (-3.0 * t).exp() - 0.1 * end,
            misclassified: if iteration < 12 + 3 * start {
                wrong
            } else {
                0.0
            },
            separation: Some(risen),
            charge_nc: 150.0,
            ..HistoryRow::default()
        }
    };
    let rows = |start| (0..=60).map(move |iteration| row(start, iteration));
    (0..starts.len()).flat_map(rows).collect()
}

fn dose(amplitudes_ma: &[f64], waveform: &[f64]) -> Dose {
    let waveform = std::sync::Arc::new(waveform.to_vec());
    Dose::of(&Delivered::of_one(amplitudes_ma.to_vec(), &waveform, DT_MS))
}

fn baselines(fibers: &[FiberResult], waveform: &[f64]) -> BTreeMap<String, Baseline> {
    let baseline = |amplitudes_ma: [f64; 6], contacts: &[usize], separation: f64| {
        let dose = dose(&amplitudes_ma, waveform);
        Baseline {
            amplitudes_ma: amplitudes_ma.to_vec(),
            contacts: contacts.to_vec(),
            target_pct: 100.0,
            offtarget_pct: 0.0,
            misclassified: 0.0,
            wbce: 1e-7,
            separation: Some(separation),
            charge_nc: dose.charge_nc,
            peak_ma: dose.peak_ma,
            thresholds: fibers
                .iter()
                .map(|fiber| fiber.baseline_threshold)
                .collect(),
        }
    };
    let tripolar = baseline(MONTAGE_MA, &[3, 4, 5], 1.66);
    BTreeMap::from([
        (
            "monopolar".into(),
            baseline([0.0, 0.0, 0.0, 0.21, 0.0, 0.0], &[3], 1.3),
        ),
        (
            "bipolar".into(),
            baseline([0.0, 0.0, 0.0, 0.243, -0.243, 0.0], &[3, 4], 1.304),
        ),
        ("tripolar".into(), tripolar.clone()),
        ("best".into(), tripolar),
    ])
}

fn robust() -> Robust {
    let spread = |mean, p95, worst| Spread { mean, p95, worst };
    Robust {
        n: 32,
        target_pct: spread(99.2, 95.8, 91.4),
        offtarget_pct: spread(0.31, 2.2, 4.4),
        wbce: spread(0.09, 0.41, 0.77),
        by: [("amplitude", 0.0), ("diameter", 0.004), ("offset", 0.011)]
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
        left_out: vec!["rotation: the contacts lie at different places along the nerve".into()],
    }
}
