//! Thresholds extrapolated to a vanishing time step are those of small steps.

use axonml::Device;
use axonml::study::{Execution, Machine, Plan, Results, Silent, Study};

/// The results of a study of thresholds, beside tables with these keys.
fn thresholds(keys: &str) -> Results {
    let text = format!("[protocol]\nkind = \"threshold\"\n{keys}");
    let study = Study::from_toml(&text).unwrap();
    let machine = Machine::new(Device::cpu().unwrap());
    let plan = Plan::new(&study, &machine, &mut Silent).unwrap();
    let outcome = plan.run(&Execution::default(), &mut Silent).unwrap();
    plan.results(&outcome).unwrap()
}

fn numbers(results: &Results, column: &str) -> Vec<f64> {
    let numbers = results.table.numbers(column).into_iter();
    numbers.map(|number| number.unwrap()).collect()
}

/// Two diameters, two pulses.
fn myelinated(dt_ms: f64, search: &str) -> Results {
    thresholds(&format!(
        "[fibers]\ndiameter_um = [5.7, 10.0]\nnodes = 21\n[field]\ndistance_um = 700\n[source]\npulse_width_ms = [0.1, 0.5]\n\
         [numerics]\ndt_ms = {dt_ms}\ntstop_ms = 3\n[search]\n{search}\n"
    ))
}

#[test]
fn the_limit_is_near_the_thresholds_of_small_steps() {
    let extrapolated = myelinated(0.005, "extrapolate = true");
    let fine = numbers(&myelinated(0.0005, "resolution = 1e-5"), "threshold_mA");
    let error_pct = |column: &str| -> Vec<f64> {
        let each = numbers(&extrapolated, column).into_iter().zip(&fine);
        each.map(|(ours, fine)| 100.0 * (ours / fine - 1.0))
            .collect()
    };
    let of_limit = error_pct("threshold_extrapolated_mA");
    assert!(
        of_limit.iter().all(|error| error.abs() <= 0.15),
        "{of_limit:?}"
    );
    let of_step = error_pct("threshold_mA");
    assert!(of_step.iter().all(|error| *error > 0.7), "{of_step:?}");
}

#[test]
fn all_three_are_reported_with_their_brackets() {
    let extrapolated = myelinated(0.005, "extrapolate = true");
    let of = |column: &str| numbers(&extrapolated, column);
    // The searches are those of studies at these steps, four times finer.
    for (column, dt_ms) in [("threshold_mA", 0.005), ("threshold_half_dt_mA", 0.0025)] {
        let alone = myelinated(dt_ms, "resolution = 2.5e-5");
        assert_eq!(of(column), numbers(&alone, "threshold_mA"));
    }
    let brackets = [
        ["lower_mA", "upper_mA"],
        ["lower_half_dt_mA", "threshold_half_dt_mA"],
        ["lower_extrapolated_mA", "upper_extrapolated_mA"],
    ];
    let [whole, half, limit] = brackets.map(|names| names.map(of));
    for row in 0..4 {
        let [lower, upper] = [0, 1].map(|end: usize| 2.0 * half[end][row] - whole[1 - end][row]);
        assert_eq!([limit[0][row], limit[1][row]], [lower, upper]);
        assert!(upper - lower <= 1e-4 * upper, "{lower} {upper}");
        let middle = of("threshold_extrapolated_mA")[row];
        assert!(lower < middle && middle < upper);
    }
    let plain = myelinated(0.005, "");
    let uppers = numbers(&plain, "upper_mA").into_iter();
    for (row, (lower, upper)) in numbers(&plain, "lower_mA")
        .into_iter()
        .zip(uppers)
        .enumerate()
    {
        assert!(lower <= whole[0][row] && whole[1][row] <= upper);
    }
}

/// Potentials in space and time act at half the step as at the whole one.
#[test]
fn space_time_potentials_are_the_same_at_half_the_step() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let steps = 400;
    let samples = 21 * 11 - 10;
    let file = folder.join("extrapolation-basis.npy");
    // A point source over the middle for 0.1 ms, sampled as the model wants it: by index, which is what matters here.
    let place = |sample: usize| (sample as f64 - (samples / 2) as f64) * 60.0;
    let pulse = |step: usize| if (20..40).contains(&step) { -1.0 } else { 0.0 };
    let values = (0..steps).flat_map(|step| {
        (0..samples).map(move |sample| pulse(step) * 4e5 / (1e6 + place(sample).powi(2)).sqrt())
    });
    std::fs::write(
        &file,
        npy(&format!("1, {steps}, {samples}"), values.collect()),
    )
    .unwrap();
    let study = |field: &str, numerics: &str| {
        thresholds(&format!(
            "[fibers]\ndiameter_um = 10\nnodes = 21\n{field}\n[numerics]\n{numerics}\ntstop_ms = 2\n[search]\nextrapolate = true\n"
        ))
    };
    let path = file.display();
    let results = study(&format!("[field]\nbasis = \"{path}\""), "dt_ms = 0.005");
    let limit = numbers(&results, "threshold_extrapolated_mA")[0];
    let [whole, half] =
        ["threshold_mA", "threshold_half_dt_mA"].map(|name| numbers(&results, name)[0]);
    assert!(limit < half && half < whole, "{limit} {half} {whole}");
    assert!(
        (whole / half - 1.0) < 0.02 && (whole / half - 1.0) > 0.002,
        "{half} {whole}"
    );
}

/// An array in NumPy's format.
fn npy(shape: &str, values: Vec<f64>) -> Vec<u8> {
    let mut header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({shape}), }}");
    let length = (10 + header.len() + 1).div_ceil(64) * 64 - 10;
    header.push_str(&" ".repeat(length - header.len() - 1));
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.bytes());
    bytes.extend(values.iter().flat_map(|x| x.to_le_bytes()));
    bytes
}

/// A Gaussian of four steps: thresholds at dt and dt/2 are far from a limit, which is not made up.
#[test]
fn pulses_of_few_steps_have_no_limit() {
    let of = |pulse: &str, dt_ms: f64| {
        thresholds(&format!(
            "[fibers]\nnodes = 21\n[field]\ndistance_um = 500\n[source]\npulse = \"{pulse}\"\n\
             [numerics]\ndt_ms = {dt_ms}\ntstop_ms = 2\n[search]\nextrapolate = true\n"
        ))
    };
    for (pulse, dt_ms) in [
        ("gaussian:pw=0.02,delay=0.1", 0.005),
        ("monophasic:pw=0.015,delay=0.1", 0.01),
    ] {
        let results = of(pulse, dt_ms);
        assert_eq!(results.table.numbers("threshold_extrapolated_mA"), [None]);
        assert!(results.table.numbers("threshold_half_dt_mA")[0].is_some());
        let message = results.table.column("message").unwrap();
        let message = results.table.rows[0][message].exact();
        assert!(
            message.contains("no extrapolation") && message.contains("steps"),
            "{message}"
        );
    }
    let enough = of("monophasic:pw=0.02,delay=0.1", 0.005);
    assert!(enough.table.numbers("threshold_extrapolated_mA")[0].is_some());
}
