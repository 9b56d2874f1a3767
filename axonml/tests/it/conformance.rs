//! The tests that a model gets by one line: of models with each cable, and of models that must fail them.

use axonml::conformance::{gates_are_as_published, rates_have_no_singular_points, rest_is_steady};
use axonml::model::{FiberDescription, Model, model};

const SQUID: &str = include_str!("../../../examples/fibers/hodgkin_huxley.toml");
const MRG_NODE: &str = include_str!("../../../examples/fibers/mrg_node.toml");

fn described(text: &str) -> FiberDescription {
    FiberDescription::from_toml(text).unwrap()
}

// Steady states and time constants at 6.3 and 37 degrees, of the formulas as published, to five digits.
axonml::conformance!(squid: described(SQUID), gates: [
    ("m", -60.0, 0.093642, 0.29914),
    ("h", -60.0, 0.41815, 7.6702),
    ("n", -20.0, 0.83518, 2.3142)
] to 1e-4);
axonml::conformance!(mrg_node: described(MRG_NODE), gates: [
    ("m", -60.0, 0.36458, 0.05505),
    ("h", -20.0, 0.00069654, 0.10058),
    ("p", -60.0, 0.65813, 12.744),
    ("s", -20.0, 0.90898, 2.7184)
] to 1e-4);
axonml::conformance!(sweeney: model("sweeney").unwrap());
axonml::conformance!(sundt_explicit: model("sundt-explicit").unwrap());

fn refused(result: Result<(), axonml::conformance::Nonconformance>, words: &[&str]) {
    let text = result.unwrap_err().to_string();
    assert!(words.iter().all(|word| text.contains(word)), "{text}");
}

#[test]
fn models_that_move_at_rest_are_told() {
    // A state that grows for ever and drives a current.
    let text = SQUID.replace("g = \"gl\"\ne = \"el\"", "i = \"gl*(v - el) - 1e-3*grown\"")
        + "[[state]]\nname = \"grown\"\nstart = 0\nrate = 0.01\n";
    let model = Model::new(described(&text));
    refused(rest_is_steady(&model), &["my-squid", "moves by", "0.1"]);
}

#[test]
fn singular_points_are_told() {
    let text = SQUID.replace(
        "exprelr(-(v + 55)/10)",
        "(-(v + 55)/10)/(exp(-(v + 55)/10) - 1)",
    );
    let model = Model::new(described(&text));
    refused(
        rates_have_no_singular_points(&model),
        &["`n`", "NaN", "-55 mV"],
    );
}

#[test]
fn other_gates_are_told() {
    let model = model("hh").unwrap();
    let wrong = [("m", -60.0, 0.093642, 0.29)];
    refused(
        gates_are_as_published(&model, &wrong, 1e-4),
        &["`m` at -60 mV", "0.2991", "0.29 ms"],
    );
    let absent = [("k", -60.0, 0.1, 0.3)];
    refused(
        gates_are_as_published(&model, &absent, 1e-4),
        &["no gate `k`"],
    );
}
