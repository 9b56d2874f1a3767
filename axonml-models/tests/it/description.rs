//! Fibers as data: the same bits as the same equations in Rust, text that is read back, and what is refused, where.

use std::sync::Arc;

use axonml_autodiff::engine::Rollout;
use axonml_autodiff::ir::Value;
use axonml_core::{Medium, PointSource, Waveform};
use axonml_models::description::{
    Binary, Change, CurrentDescription, FIBER_FILE, FiberDescription, Formula, Function, Part,
};
use axonml_models::weights::{ModelFile, ModelFileError};
use axonml_models::{
    Device, Evaluation, Fiber, FiberModel, FiberOutcome, GradientRequest, NodeSelection,
    Observation, ObserverKind, ObserverSpec, Precision, RecordedCotangent, Settings, Simulation,
    SimulationError, Stimulus, ThresholdSearch, model,
};
use proptest::prelude::*;

const SQUID: &str = include_str!("../../../examples/fibers/hodgkin_huxley.toml");
const MRG: &str = include_str!("../../../examples/fibers/mrg_node.toml");

fn described(text: &str) -> FiberDescription {
    FiberDescription::from_toml(text).unwrap_or_else(|error| panic!("{error}"))
}

/// The description, its bundled twin, a fiber and an electrode's distance.
fn twins() -> [(FiberDescription, &'static str, Fiber, f64); 2] {
    [
        (described(SQUID), "hh", Fiber::new(1.0, 61), 150.0),
        (described(MRG), "mrg", Fiber::new(8.7, 21), 1000.0),
    ]
}

fn simulation(model: &dyn FiberModel, fiber: Fiber, precision: Precision) -> Simulation {
    let settings = Settings {
        precision,
        tstop_ms: 2.0,
        ..Settings::default()
    };
    Simulation::new(model, vec![fiber], &settings, &Device::cpu().unwrap()).unwrap()
}

fn stimulus(distance_um: f64) -> Stimulus {
    let electrode = PointSource {
        x_um: distance_um,
        y_um: 0.0,
        z_um: 40.0,
        medium: Medium::isotropic(500.0),
    };
    let pulse = Waveform::biphasic(0.1, 0.02).unwrap().delayed(0.1);
    Stimulus::uniform(1, Arc::new(electrode), pulse)
}

#[test]
fn runs_thresholds_and_gradients_have_the_same_bits_as_the_model_in_rust() {
    for (own, id, fiber, distance_um) in twins() {
        for precision in [Precision::F64, Precision::F32] {
            let of = |model: &dyn FiberModel| {
                let simulation = simulation(model, fiber, precision);
                let recorder = ObserverKind::Recorder {
                    states: simulation
                        .schema()
                        .states
                        .iter()
                        .map(|s| s.to_string())
                        .collect(),
                    every: 3,
                };
                let recorder = ObserverSpec::new(recorder, NodeSelection::All);
                let stimulus = stimulus(distance_um);
                let weigh = |_: usize, outcome: &FiberOutcome| {
                    let Some(Observation::Recorded(seen)) = outcome.observations.first() else {
                        return Evaluation::default();
                    };
                    Evaluation {
                        loss: 0.0,
                        recorded: vec![Some(RecordedCotangent {
                            v_mv: vec![1.0; seen.v_mv.len()],
                            states: seen.states.iter().map(|x| vec![3.0; x.len()]).collect(),
                        })],
                        state: None,
                    }
                };
                let runs = simulation
                    .differentiate(&stimulus, 0.1, &[recorder], &weigh, GradientRequest::ALL)
                    .unwrap();
                let gradient = runs[0].gradient.clone().unwrap();
                let names = simulation
                    .schema()
                    .parameters
                    .iter()
                    .map(|p| p.name.to_string());
                let mut by_name: Vec<_> = names.zip(gradient.parameters).collect();
                by_name.sort_by(|a, b| a.0.cmp(&b.0));
                let threshold = simulation
                    .thresholds(&stimulus, &ThresholdSearch::default(), &mut |_| ())
                    .unwrap();
                (
                    runs[0].outcome.observations.clone(),
                    by_name,
                    gradient.sources[0].potentials.clone(),
                    threshold[0].upper_ma().map(f64::to_bits),
                )
            };
            let (found, expected) = (of(&own), of(&model(id).unwrap()));
            assert!(expected.3.is_some());
            assert_eq!(own.schema().speed, model(id).unwrap().schema().speed);
            assert_eq!(found.0, expected.0, "{id} {precision:?}");
            assert_eq!(found.2, expected.2, "{id} {precision:?}");
            assert_eq!(found.3, expected.3, "{id} {precision:?}");
            assert_eq!(found.1, expected.1, "{id} {precision:?}");
        }
    }
}

/// As many operations of each kind, on the same constants: as fast.
#[test]
fn the_programs_do_the_operations_of_the_model_in_rust() {
    for (own, id, fiber, distance_um) in twins() {
        let rollout = |model: &dyn FiberModel| -> Rollout {
            let simulation = simulation(model, fiber, Precision::F32);
            simulation.rollout(&stimulus(distance_um), &[]).unwrap()
        };
        let (found, expected) = (rollout(&own), rollout(&model(id).unwrap()));
        let operations = |rollout: &Rollout| {
            let membrane = &rollout.membrane;
            let programs = [&membrane.rest, &membrane.currents, &membrane.step];
            programs.map(|bound| {
                let values = bound.program.values().iter();
                let mut operations: Vec<String> = values
                    .filter_map(|value| match value {
                        Value::Apply(op, _) => Some(op.row().name.to_owned()),
                        Value::Constant(value) => Some(value.to_string()),
                        Value::Input(_) => None,
                    })
                    .collect();
                operations.sort_unstable();
                operations
            })
        };
        assert_eq!(operations(&found), operations(&expected), "{id}");
        assert_eq!(found.fibers[0].cable, expected.fibers[0].cable, "{id}");
    }
}

#[test]
fn a_description_is_read_back_from_its_own_text() {
    for (own, id, ..) in twins() {
        let text = own.to_toml().unwrap();
        assert_eq!(described(&text), own, "{id}\n{text}");
        let json = serde_json::to_string(&own).unwrap();
        assert_eq!(
            serde_json::from_str::<FiberDescription>(&json).unwrap(),
            own
        );
        assert_eq!(own.definitions.len(), if id == "hh" { 1 } else { 3 });
        assert!(text.contains("exprelr(-(v + "), "{text}");
    }
}

/// Parts that are shared a thousand million times are written once.
#[test]
fn shared_parts_get_names_in_the_text() {
    let mut own = described(SQUID);
    let binary = |x: &Formula, y: &Formula| {
        Formula::new(Part::Binary(Binary::Add, x.clone(), y.clone())).unwrap()
    };
    let mut sum = Formula::name("gl");
    for _ in 0..40 {
        sum = binary(&sum, &sum);
    }
    let scaled = Part::Binary(Binary::Multiply, sum, Formula::number(2.0_f64.powi(-40)));
    own.currents[2] = CurrentDescription::Ohmic {
        g: Formula::new(scaled).unwrap(),
        e: Formula::name("el"),
    };
    let text = own.to_toml().unwrap();
    assert!(text.len() < 10_000, "{}", text.len());
    let back = described(&text);
    let threshold = |own: &FiberDescription| {
        let simulation = simulation(own, Fiber::new(1.0, 61), Precision::F64);
        let found =
            simulation.thresholds(&stimulus(150.0), &ThresholdSearch::default(), &mut |_| ());
        found.unwrap()[0].upper_ma()
    };
    assert_eq!(threshold(&back), threshold(&own));
    // Doubling is exact.
    assert_eq!(threshold(&own), threshold(&described(SQUID)));
    assert!(format!("{:?}", own.currents[2]).len() < 200);
}

#[test]
fn states_by_rate_and_current_densities_are_traced_as_written() {
    let text = r#"
        id = "filling"
        v_rest_mV = -60
        diameter_um = [0.5, 5]
        delta_z_um = 50
        [param]
        cm = { value = 1, unit = "uF/cm2" }
        ra = { value = 100, unit = "ohm cm" }
        g = { value = 0.001, unit = "S/cm2", train = "factor" }
        shift = { value = 1, unit = "mV", group = "shift", train = { shift = 5 } }
        [[current]]
        i = "g*x*(v + 70)"
        [[gate]]
        name = "x"
        inf = "0.5 + c"
        tau = 0.8
        [[state]]
        name = "c"
        start = 0.2
        rate = "5*g*x*(v + 70) - c*0.3"
    "#;
    let own = described(text);
    assert_eq!(described(&own.to_toml().unwrap()), own);
    let schema = own.schema();
    assert!(
        schema
            .parameters
            .iter()
            .filter(|p| p.trained)
            .map(|p| &*p.name)
            .eq(["g", "shift"])
    );
    // A uniform fiber is one compartment, written out by hand: the current is linear in the voltage.
    let settings = Settings {
        dt_ms: 0.05,
        tstop_ms: 10.0,
        ..Settings::default()
    };
    let device = Device::cpu().unwrap();
    let simulation = Simulation::new(&own, vec![Fiber::new(1.0, 5)], &settings, &device).unwrap();
    let outcome = simulation.run(&Stimulus::none(1), 0.0, &[]).unwrap();
    let found = outcome.fibers[0].state.as_ref().unwrap();
    let (mut v, mut c, dt) = (-60.0_f64, 0.2_f64, 0.05);
    let mut x = 0.5 + c;
    for _ in 0..200 {
        let g = 0.001 * x;
        let v_new = (v + dt * 1e3 * g * -70.0) / (1.0 + dt * 1e3 * g);
        c += dt * (5.0 * g * (v + 70.0) - 0.3 * c);
        x += (1.0 - (-dt / 0.8).exp()) * (0.5 + c - x);
        v = v_new;
    }
    assert!(
        (found.v_mv[2] - v).abs() < 1e-10,
        "{} for {v}",
        found.v_mv[2]
    );
    assert!((found.states[1][2] - c).abs() < 1e-12);
}

/// Text before and after, line and column, words of the message.
type Refusal = (
    &'static str,
    &'static str,
    (usize, usize),
    &'static [&'static str],
);

/// Each is wrong at its place.
#[test]
fn errors_name_line_and_column() {
    let cases: [Refusal; 19] = [
        (
            "exponent = 0.5",
            "exponent = -1",
            (13, 14),
            &["exponent -1", "0 to 2"],
        ),
        (
            "exprelr(-(v + 40)/10)",
            "exprell(-(v + 40)/10)",
            (48, 12),
            &["`exprell`", "did you mean `exprelr`"],
        ),
        (
            "gna*m^3*h",
            "gna*mm^3*h",
            (33, 5),
            &["current 1, g", "`mm`", "no parameter"],
        ),
        ("gna*m^3*h", "gna*m**3*h", (33, 11), &["`**`", "`^`"]),
        (
            "gna*m^3*h",
            "gna*(m^3*h",
            (33, 16),
            &["found the end", "`)`"],
        ),
        (
            "gna*m^3*h",
            "gna m",
            (33, 10),
            &["found `m`", "an operator"],
        ),
        (
            "gna*m^3*h",
            "",
            (33, 5),
            &["found the end", "a number, a name"],
        ),
        (
            "\"gl\"\ne = \"el\"",
            "\"gl\"",
            (40, 1),
            &["current 3", "g and e, or i"],
        ),
        (
            "beta = \"q*sigmoid((v + 35)/10)\"",
            "tau = 1",
            (51, 1),
            &["gate 2", "alpha and beta, or inf and tau"],
        ),
        (
            "id = \"my-squid\"",
            "id = \"hh\"",
            (4, 6),
            &["no bundled model"],
        ),
        (
            "id = \"my-squid\"",
            "id = \"My squid\"",
            (4, 6),
            &["small letters"],
        ),
        (
            "v_rest_mV = -65",
            "v_rest = -65",
            (7, 1),
            &["unknown field `v_rest`", "v_rest_mV"],
        ),
        (
            "v_rest_mV = -65",
            "v_rest_mV = nan",
            (7, 13),
            &["NaN", "finite"],
        ),
        (
            "cm = { value = 1, unit = \"uF/cm2\" }",
            "cm = { value = 1, unit = \"mF/cm2\" }",
            (23, 26),
            &["mF/cm2", "uF/cm2"],
        ),
        (
            "gna = { value = 0.12, unit = \"S/cm2\" }",
            "gna = { value = 120, unit = \"mS/cm2\" }",
            (16, 29),
            &["mS/cm2", "not converted", "times 1e-3"],
        ),
        ("[0.1, 1000]", "[10, 1]", (9, 15), &["[10, 1]", "least"]),
        (
            "name = \"n\"",
            "name = \"m\"",
            (57, 8),
            &["gate 3", "`m`", "a meaning already"],
        ),
        (
            "q10(3, 6.3)",
            "q10(3)",
            (29, 10),
            &["1 arguments of q10", "expected 2"],
        ),
        (
            "id = \"my-squid\"",
            "id = \"my-squid\"\ncable = \"mrgg\"",
            (5, 9),
            &["mrgg", "mrg"],
        ),
    ];
    for (before, after, at, words) in cases {
        assert!(SQUID.contains(before), "{before}");
        let error = FiberDescription::from_toml(&SQUID.replacen(before, after, 1)).unwrap_err();
        let text = error.to_string();
        assert_eq!(error.line_column, Some(at), "{after}: {text}");
        assert!(
            words.iter().all(|word| text.contains(word)),
            "{after}: {text}"
        );
    }
    // No text: the entry and the character.
    let json = r#"{"id": "x", "v_rest_mV": -65, "current": [{"i": "1 +* 2"}]}"#;
    let error = serde_json::from_str::<FiberDescription>(json)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("current 1, i at character 4: found `*`"),
        "{error}"
    );
}

#[test]
fn deep_and_long_formulas_are_refused() {
    let nested = |left: &str, middle: &str, right: &str| {
        format!("{}{middle}{}", left.repeat(5000), right.repeat(5000))
    };
    for text in [
        nested("(", "v", ")"),
        nested("-", "v", ""),
        nested("exp(", "v", ")"),
        "v^".repeat(5000) + "2",
    ] {
        let error = text.parse::<Formula>().unwrap_err();
        assert!(
            error.problem.contains("levels") || error.problem.contains("characters"),
            "{error}"
        );
    }
    let error = ("v".to_owned() + &" + v".repeat(3000))
        .parse::<Formula>()
        .unwrap_err();
    assert!(error.problem.contains("400 levels"), "{error}");
    assert!("1e999".parse::<Formula>().is_err() && "1.2.3".parse::<Formula>().is_err());
}

/// A description that nobody has checked is refused when it is used.
#[test]
fn unchecked_descriptions_are_refused_when_used() {
    let mut own = described(SQUID);
    own.states[0].change = Change::InfTau {
        inf: Formula::name("nothing"),
        tau: Formula::number(f64::NAN),
    };
    let fibers = vec![Fiber::new(1.0, 21)];
    let device = Device::cpu().unwrap();
    let error = Simulation::new(&own, fibers, &Settings::default(), &device).unwrap_err();
    assert!(
        error.to_string().contains("gate 1, inf: found `nothing`"),
        "{error}"
    );
}

/// Any formula over `v` and `g`.
fn formulas() -> impl Strategy<Value = Formula> {
    let made = |part: Part| Formula::new(part).unwrap();
    let leaf = prop_oneof![
        (-1e3..1e3_f64).prop_map(Formula::number),
        Just(Formula::name("v")),
        Just(Formula::name("g")),
    ];
    leaf.prop_recursive(6, 60, 4, move |inner| {
        let pair = (inner.clone(), inner.clone());
        let binary = prop_oneof![
            Just(Binary::Add),
            Just(Binary::Subtract),
            Just(Binary::Multiply),
            Just(Binary::Divide)
        ];
        prop_oneof![
            (binary, pair.clone()).prop_map(move |(op, (x, y))| made(Part::Binary(op, x, y))),
            inner
                .clone()
                .prop_filter_map("numbers have signs", move |x| match x.part() {
                    Part::Number(_) => None,
                    _ => Some(made(Part::Negative(x))),
                }),
            (inner.clone(), 0_u32..9).prop_map(move |(x, n)| made(Part::Power(x, n))),
            inner
                .clone()
                .prop_map(move |x| made(Part::Call(Function::Exp, vec![x]))),
            pair.clone()
                .prop_map(move |(x, y)| made(Part::Call(Function::Max, vec![x, y]))),
            (pair.clone(), pair).prop_map(move |((a, b), (x, y))| made(Part::Where([a, b, x, y]))),
        ]
    })
}

proptest! {
    /// Text keeps the order of all operations.
    #[test]
    fn formulas_are_read_back_from_their_text(formula in formulas()) {
        let text = formula.to_string();
        prop_assert_eq!(text.parse::<Formula>().unwrap(), formula);
    }

    /// Any text is a formula or refused, at a character of it.
    #[test]
    fn no_text_panics(text in "[-+*/^()<>=,.ev0-9 gexpmin]{0,60}") {
        if let Err(error) = text.parse::<Formula>() {
            prop_assert!(error.at.is_some_and(|at| at <= text.chars().count()));
        }
    }
}

/// Weights keep the fiber file that they were trained with: they are those of its formulas, however these are written.
#[test]
fn weights_of_other_formulas_are_refused() {
    let squid = described(SQUID);
    let mut weights = ModelFile::new(&squid);
    weights.parameters.insert("gna".into(), 0.1);
    let with = |model: &dyn FiberModel, weights: &ModelFile| {
        let settings = Settings {
            weights: weights.clone().into(),
            ..Settings::default()
        };
        let fibers = vec![Fiber::new(100.0, 11)];
        Simulation::new(model, fibers, &settings, &Device::cpu().unwrap()).map(|of| {
            let gna = of.schema().parameters.iter().find(|p| p.name == "gna");
            gna.unwrap().value
        })
    };
    // Without a fiber file nothing is known of them.
    let other = described(&SQUID.replacen("gna*m^3*h", "gna*m^2*h", 1));
    assert_eq!(with(&other, &weights), Ok(0.1));
    weights
        .provenance
        .insert(FIBER_FILE.into(), squid.to_toml().unwrap());
    assert_eq!(with(&squid, &weights), Ok(0.1));

    // Other words, orders, values and names of parts: the same formulas.
    for (before, after) in [
        ("gna*m^3*h", "h*gna*m*m*m"),
        ("q*exprelr(-(v + 40)/10)", "exprelr((-40 - v)/10)*q"),
        ("gna = { value = 0.12", "gna = { value = 0.2"),
        ("v_rest_mV = -65", "v_rest_mV = -64"),
        ("name = \"Hodgkin", "name = \"A Hodgkin"),
    ] {
        assert_eq!(SQUID.matches(before).count(), 1, "{before}");
        let same = described(&SQUID.replacen(before, after, 1));
        assert_eq!(with(&same, &weights), Ok(0.1), "{after}");
    }
    for (before, after) in [
        ("gna*m^3*h", "gna*m^2*h"),
        ("value = \"q10(3, 6.3)\"", "value = \"q10(2.9, 6.3)\""),
        ("q*4*exp", "q*3.99*exp"),
        ("(v + 35)/10", "(v + 35.1)/10"),
        ("g = \"gl\"", "g = \"1.0001*gl\""),
        (
            "q*0.1*exprelr(-(v + 55)/10)",
            "q*0.1*exprelr(-(v + 55)/10.01)",
        ),
    ] {
        assert_eq!(SQUID.matches(before).count(), 1, "{before}");
        let changed = described(&SQUID.replacen(before, after, 1));
        let error = with(&changed, &weights).unwrap_err();
        assert_eq!(
            error,
            SimulationError::Weights(ModelFileError::OtherFormulas {
                model: "my-squid".into()
            }),
            "{after}"
        );
    }
    // Branches far from rest are formulas, too, those of bundled cables among them.
    let mrg = described(MRG);
    let mut of_mrg = ModelFile::new(&mrg);
    of_mrg
        .provenance
        .insert(FIBER_FILE.into(), mrg.to_toml().unwrap());
    let with_mrg = |text: &str| {
        let settings = Settings {
            weights: of_mrg.clone().into(),
            ..Settings::default()
        };
        let fibers = vec![Fiber::new(10.0, 21)];
        Simulation::new(&described(text), fibers, &settings, &Device::cpu().unwrap()).map(drop)
    };
    assert_eq!(with_mrg(MRG), Ok(()));
    for (before, after) in [("0.15733", "0.15734"), ("0.0057268", "0.0067268")] {
        assert_eq!(MRG.matches(before).count(), 1, "{before}");
        let error = with_mrg(&MRG.replacen(before, after, 1)).unwrap_err();
        assert!(error.to_string().contains("other formulas"), "{error}");
    }
    weights
        .provenance
        .insert(FIBER_FILE.into(), "id = 3".into());
    let error = with(&squid, &weights).unwrap_err().to_string();
    assert!(error.contains("`fiber_file`"), "{error}");
}
