//! Model files: their content, refused files, and their use in simulations.

use std::sync::Arc;

use axonml_core::{Medium, PointSource};
use axonml_models::weights::{Domain, ModelFile, ModelFileError, Weights, bundled};
use axonml_models::{
    DeclaredStart, Device, Fiber, FiberState, Model, Settings, Simulation, SimulationError,
    Stimulus, model,
};

fn smf() -> Model {
    model("smf").unwrap()
}

/// A file with every entry set, to numbers without a short decimal form.
fn file() -> ModelFile {
    let mut file = ModelFile::new(&smf());
    for (index, value) in file.parameters.values_mut().enumerate() {
        *value *= 1.0 + (index as f64 + 1.0) / 3000.0;
    }
    // A number whose decimal digits a careless reader gets wrong in the last bit.
    file.start.v_mv = -90.19401041666669;
    file.domain = Domain {
        diameter_um: Some((5.0, 16.0)),
        dt_ms: Some(0.005),
        pulse_width_ms: Some((0.05, 1.0 / 3.0)),
        source_distance_um: Some(250.0),
        celsius: Some(37.5),
    };
    file.provenance = [("seed", "7"), ("license", "MIT \u{2014} \"quoted\"")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
    file
}

fn simulation(settings: &Settings) -> Simulation {
    let fibers = vec![Fiber::new(8.0, 15), Fiber::new(12.0, 15)];
    Simulation::new(&smf(), fibers, settings, &Device::auto().unwrap()).unwrap()
}

fn final_states(settings: &Settings) -> Vec<FiberState> {
    let simulation = simulation(settings);
    let electrode = PointSource {
        x_um: 500.0,
        y_um: 0.0,
        z_um: 0.0,
        medium: Medium::isotropic(500.0),
    };
    let pulse = "monophasic:pw=0.1,delay=0.1".parse().unwrap();
    let stimulus = Stimulus::uniform(2, Arc::new(electrode), pulse);
    let outcome = simulation.run(&stimulus, 0.05, &[]).unwrap();
    simulation.completed_states(outcome).unwrap()
}

#[test]
fn a_file_is_read_back_to_the_bit_and_equal_files_are_equal_bytes() {
    let file = file();
    let bytes = file.to_bytes().unwrap();
    assert_eq!(ModelFile::from_bytes(&bytes).unwrap(), file);
    assert_eq!(file.clone().to_bytes().unwrap(), bytes);
    file.check(&smf().schema()).unwrap();
    // The layout is that of the format: the length of the header, the header, the numbers.
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let text = std::str::from_utf8(&bytes[8..8 + header]).unwrap();
    let header: serde_json::Value = serde_json::from_str(text).unwrap();
    let entry = &header["rhoa"];
    assert_eq!(
        (&entry["dtype"], &entry["shape"]),
        (&"F64".into(), &serde_json::json!([1]))
    );
    let begin = bytes.len() - 8 * file.parameters.len()
        + entry["data_offsets"][0].as_u64().unwrap() as usize;
    let stored = f64::from_le_bytes(bytes[begin..begin + 8].try_into().unwrap());
    assert_eq!(stored, file.parameters["rhoa"]);
    assert!(
        text.starts_with("{\"__metadata__\":{\"celsius\":\"37.5\",\"diameter_um\":\"[5.0,16.0]\"")
    );
}

#[test]
fn a_file_is_the_same_as_its_numbers_set_by_hand() {
    let file = file();
    let plain = Settings {
        tstop_ms: 1.0,
        weights: Weights::Published,
        ..Settings::default()
    };
    let applied = Settings {
        weights: file.clone().into(),
        ..plain.clone()
    };
    let by_hand = Settings {
        parameters: file.parameters.clone().into_iter().collect(),
        celsius: Some(37.5),
        declared: Some(DeclaredStart {
            v_mv: file.start.v_mv,
            states: smf().schema().start.states,
        }),
        ..plain.clone()
    };
    assert_eq!(final_states(&applied), final_states(&by_hand));
    assert_ne!(final_states(&applied), final_states(&plain));
    assert_eq!(
        simulation(&applied).initial_states().unwrap()[0].v_mv[3],
        file.start.v_mv
    );

    // Settings of the user override the file.
    let set = Settings {
        parameters: vec![("conductance.gl".into(), 0.009)],
        celsius: Some(36.0),
        ..applied
    };
    let simulation = simulation(&set);
    let schema = simulation.schema();
    let value = |name: &str| {
        schema
            .parameters
            .iter()
            .find(|p| p.name == name)
            .unwrap()
            .value
    };
    assert_eq!((value("gl"), schema.celsius), (0.009, 36.0));
    assert_eq!(value("gkbar"), file.parameters["gkbar"]);
}

/// One default for the library and everything above it: the bundled weights of the model.
#[test]
fn a_surrogate_runs_its_bundled_weights_unless_told_otherwise() {
    let of = |weights: Weights, parameters: &[(&str, f64)]| {
        let named = |(name, x): &(&str, f64)| ((*name).to_owned(), *x);
        let settings = Settings {
            weights,
            parameters: parameters.iter().map(named).collect(),
            ..Settings::default()
        };
        let device = Device::auto().unwrap();
        Simulation::new(&smf(), vec![Fiber::new(8.0, 15)], &settings, &device)
    };
    let schema = |weights: Weights| of(weights, &[]).unwrap().schema().clone();
    let file = ModelFile::from_bytes(bundled("smf-mrg").unwrap().bytes).unwrap();
    let default = schema(Weights::Default);
    assert_eq!(default, file.schema(smf().schema()).unwrap());
    assert_eq!(default, schema(Weights::Named("smf-mrg".into())));
    assert_eq!(default, schema(file.clone().into()));
    assert_eq!(schema(Weights::Published), smf().schema());
    let set = of(Weights::Default, &[("gl", 0.125)]).unwrap();
    let value = |name: &str| {
        let found = set.schema().parameters.iter().find(|p| p.name == name);
        found.unwrap().value
    };
    assert_eq!(
        (value("gl"), value("gkbar")),
        (0.125, file.parameters["gkbar"])
    );

    let error = of(Weights::Named("two-mode-mrg".into()), &[]).unwrap_err();
    assert!(matches!(
        error,
        SimulationError::Weights(ModelFileError::WrongModel { .. })
    ));
    let error = of(Weights::Named("smf-mgr".into()), &[])
        .unwrap_err()
        .to_string();
    assert!(error.contains("smf-mrg"), "{error}");
}

#[test]
fn a_start_without_states_is_their_steady_state() {
    let mut file = ModelFile::new(&smf());
    file.start.states = None;
    let of = |weights: Weights| {
        let settings = Settings {
            weights,
            ..Settings::default()
        };
        simulation(&settings).initial_states().unwrap()
    };
    let (steady, published) = (of(file.into()), of(Weights::Published));
    // The published start is the steady state at -80 mV, to the digits that were printed.
    for (found, printed) in steady[0].states.iter().zip(&published[0].states) {
        let difference = (found[0] - printed[0]).abs();
        assert!(difference > 0.0 && difference < 5e-8, "{difference}");
    }
}

#[test]
fn bytes_that_are_no_model_file_are_told_apart() {
    let bytes = file().to_bytes().unwrap();
    let read = ModelFile::from_bytes;
    for length in [9, 500, bytes.len() - 1] {
        let error = read(&bytes[..length]).unwrap_err();
        assert!(
            matches!(error, ModelFileError::Truncated { .. }),
            "{length}: {error}"
        );
    }
    for nonsense in [
        &b""[..],
        b"1234",
        b"PK\x03\x04 some zip archive",
        &[0xff; 64],
    ] {
        let error = read(nonsense).unwrap_err();
        assert!(
            matches!(error, ModelFileError::NotSafetensors { .. }),
            "{error}"
        );
    }
    // A safetensors file of something else.
    let header = br#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}  "#;
    let mut other = (header.len() as u64).to_le_bytes().to_vec();
    other.extend(header);
    other.extend([0; 8]);
    let error = read(&other).unwrap_err();
    assert!(
        matches!(error, ModelFileError::MissingMetadata { key: "format" }),
        "{error}"
    );
}

#[test]
fn tensors_that_are_not_one_float_are_refused() {
    let bytes = file().to_bytes().unwrap();
    let replaced = |from: &str, to: &str| {
        assert_eq!(from.len(), to.len());
        let at = bytes
            .windows(from.len())
            .position(|w| w == from.as_bytes())
            .unwrap();
        let mut changed = bytes.clone();
        changed[at..at + to.len()].copy_from_slice(to.as_bytes());
        ModelFile::from_bytes(&changed).unwrap_err()
    };
    let error = replaced(r#""dtype":"F64""#, r#""dtype":"I64""#);
    assert!(matches!(error, ModelFileError::Tensor { .. }), "{error}");
    let error = replaced("axonml model 1", "axonml model 9");
    assert!(
        matches!(error, ModelFileError::Metadata { key: "format", .. }),
        "{error}"
    );
    let error = replaced(r#"[5.0,16.0]"#, r#"[5.0,16.0)"#);
    assert!(
        matches!(
            error,
            ModelFileError::Metadata {
                key: "diameter_um",
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn files_that_do_not_fit_a_model_are_refused_by_name() {
    let schema = smf().schema();
    let changed = |change: &dyn Fn(&mut ModelFile)| {
        let mut file = file();
        change(&mut file);
        file.check(&schema).unwrap_err()
    };
    let error = changed(&|file| file.model = "mrg".into());
    assert!(
        matches!(error, ModelFileError::WrongModel { .. }),
        "{error}"
    );
    let error = changed(&|file| {
        let value = file.parameters.remove("gkbar").unwrap();
        file.parameters.insert("gkba".into(), value);
    });
    let ModelFileError::UnknownParameter { nearest, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(nearest.as_deref(), Some("gkbar"));
    let error = changed(&|file| {
        file.parameters.remove("gkbar");
        file.parameters.remove("el");
    });
    let ModelFileError::MissingParameters { names, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(names, &["gkbar", "el"]);
    let error = changed(&|file| {
        file.units.insert("gl".into(), "mS/cm2".into());
    });
    assert!(matches!(error, ModelFileError::WrongUnit { .. }), "{error}");
    let error = changed(&|file| {
        file.start.states.as_mut().unwrap().remove("h");
    });
    assert!(
        matches!(error, ModelFileError::WrongStates { .. }),
        "{error}"
    );
    for value in [f64::NAN, f64::INFINITY] {
        let set = |file: &mut ModelFile| {
            file.parameters.insert("gl".into(), value);
        };
        assert!(matches!(changed(&set), ModelFileError::NotFinite { .. }));
        let mut file = file();
        set(&mut file);
        assert!(matches!(
            file.to_bytes(),
            Err(ModelFileError::NotFinite { .. })
        ));
    }
    let mut file = file();
    file.domain.dt_ms = Some(f64::NAN);
    assert!(matches!(
        file.to_bytes(),
        Err(ModelFileError::NotFinite { .. })
    ));
    assert!(matches!(
        file.set(&schema, "conductance.gx", 1.0),
        Err(ModelFileError::UnknownParameter { .. })
    ));
    file.set(&schema, "conductance.gl", 0.125).unwrap();
    assert_eq!(file.parameters["gl"], 0.125);
}

#[test]
fn a_start_that_does_not_fit_is_refused() {
    for (v_mv, states) in [
        (f64::NAN, None),
        (-80.0, Some(vec![0.1; 3])),
        (-80.0, Some(vec![0.1, 0.2, f64::NAN, 0.3])),
    ] {
        let settings = Settings {
            declared: Some(DeclaredStart { v_mv, states }),
            ..Settings::default()
        };
        let fibers = vec![Fiber::new(8.0, 15)];
        let error = Simulation::new(&smf(), fibers, &settings, &Device::auto().unwrap());
        let message = error.unwrap_err().to_string();
        assert!(message.contains("start of model `smf`"), "{message}");
    }
}

/// AxonML takes the fiber's nodes from its data and trains `deltax` through the axial resistance alone.
#[test]
fn training_the_axial_length_moves_no_node() {
    let published = Settings {
        weights: Weights::Published,
        ..Settings::default()
    };
    let longer = Settings {
        parameters: vec![("deltax3".into(), -700.0)],
        ..published.clone()
    };
    let (plain, trained) = (simulation(&published), simulation(&longer));
    let mrg = Simulation::new(
        &model("mrg").unwrap(),
        plain.fibers().to_vec(),
        &Settings::default(),
        &Device::auto().unwrap(),
    )
    .unwrap();
    for fiber in 0..2 {
        assert_eq!(plain.nodes_um(fiber), trained.nodes_um(fiber));
        for (ours, exact) in trained.nodes_um(fiber).iter().zip(mrg.nodes_um(fiber)) {
            assert!(
                (ours - exact).abs() < 1e-6 * exact.abs() + 1e-6,
                "{ours} {exact}"
            );
        }
        let axial = |simulation: &Simulation| match simulation.cable(fiber) {
            axonml_autodiff::cable::Cable::Explicit(cable) => cable.axial_us,
            other => panic!("{other:?}"),
        };
        let d = plain.fibers()[fiber].diameter_um;
        let length_um = |c0: f64| -8.215284 * d * d + 272.4201 * d + c0;
        let expected = length_um(-780.2411) / length_um(-700.0);
        assert!((axial(&trained) / axial(&plain) - expected).abs() < 1e-12);
    }
}
