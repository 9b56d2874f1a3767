use super::*;
use crate::dataset::KeyValue;

fn refused(text: &str, parts: &[&str]) {
    let checked = Recipe::from_toml(text).and_then(|recipe| recipe.check());
    let message = checked.expect_err(text).to_string();
    for part in parts {
        assert!(message.contains(part), "`{part}` is missing in: {message}");
    }
}

#[test]
fn recipes_are_toml_and_back() {
    let default = Recipe::from_toml("").unwrap();
    assert_eq!(default, Recipe::default());
    default.check().unwrap();
    assert_eq!(
        Recipe::from_toml(&default.to_toml().unwrap()).unwrap(),
        default
    );

    let text = r#"
        seed = 7
        count = 100
        precision = "f64"
        diameter_um = { low = 6, high = 12, spacing = "log" }
        [[fields]]
        kind = "point"
        weight = 3
        distance_um = { low = 250, high = 2500, spacing = "log" }
        [[fields]]
        kind = "nerve"
        folder = "N1"
        [[pulses]]
        shape = "charge-balanced"
        amplitude_ma = { low = 0.01, high = 1 }
        polarity = "cathodic"
        pw1 = { low = 0.05, high = 0.2 }
        pw2 = 0.4
        [[pulses]]
        shape = "train"
        amplitude_ma = { low = 0, high = 1 }
        pulse = "biphasic(pw=0.05)"
        freq = { low = 1, high = 2 }
        n = 3
        [[pulses]]
        shape = "noise"
        amplitude_ma = { low = 0, high = 1 }
        hold = 0.02
    "#;
    let recipe = Recipe::from_toml(text).unwrap();
    recipe.check().unwrap();
    assert_eq!(recipe.precision, Arithmetic::F64);
    assert_eq!(recipe.diameter_um, Range::log(6.0, 12.0));
    assert_eq!(
        (recipe.fields[0].weight, recipe.fields[1].weight),
        (3.0, 1.0)
    );
    assert_eq!(recipe.pulses[0].keys["pw2"], KeyValue::Number(0.4));
    assert_eq!(
        Recipe::from_toml(&recipe.to_toml().unwrap()).unwrap(),
        recipe
    );
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    let pulse = "[[pulses]]\namplitude_ma = { low = 0, high = 1 }\n";
    refused("sed = 1", &["unknown field `sed`", "line 1"]);
    refused("count = 0", &["count: found 0", "1 or more"]);
    refused("nodes = 2", &["nodes: found 2"]);
    refused(
        "model = \"mgr\"",
        &["model of the recipe", "did you mean `mrg`"],
    );
    refused("dt_ms = -1", &["dt is `-1`"]);
    refused(
        "diameter_um = { low = 14, high = 5 }",
        &["diameter_um: found 14 to 5", "lesser first"],
    );
    refused(
        "diameter_um = { low = 1, high = 5 }",
        &["found 1 um", "2 to 16 um", "`mrg`"],
    );
    refused("fields = []", &["fields: found none"]);
    refused("pulses = []", &["pulses: found none"]);
    refused(
        "[[fields]]\nkind = \"point\"\nweight = -1\ndistance_um = { low = 1, high = 2 }",
        &["fields[0].weight: found -1"],
    );
    refused(
        "[[fields]]\nkind = \"point\"\ndistance_um = { low = 0, high = 2, spacing = \"log\" }",
        &["fields[0].distance_um: found 0 to 2"],
    );
    refused(
        "[[fields]]\nkind = \"point\"\nresistivity_ohm_cm = 0\ndistance_um = { low = 1, high = 2 }",
        &["fields[0].resistivity_ohm_cm: found 0"],
    );
    refused(
        &format!("{pulse}shape = \"monofasic\""),
        &["pulses[0]", "did you mean `monophasic`"],
    );
    refused(
        &format!("{pulse}shape = \"biphasic\"\npww = 1"),
        &["`pww`", "did you mean `pw`"],
    );
    refused(
        &format!("{pulse}shape = \"sine\"\ndelay = 1"),
        &["pulses[0].delay", "`delay_ms`"],
    );
    refused(
        &format!("{pulse}shape = \"noise\"\nhold = \"x\""),
        &["hold of noise"],
    );
    refused(
        &format!("{pulse}shape = \"monophasic\"\npw = true"),
        &["a range such as"],
    );
    // A recipe with some invalid draws is refused before the first draw.
    refused(
        &format!(
            "{pulse}shape = \"monophasic\"\npw = {{ low = 0, high = 4 }}\ndelay_ms = {{ low = 0, high = 2 }}"
        ),
        &[
            "pulses[0] (monophasic), at the long end",
            "active until 6 ms",
        ],
    );
    refused(
        &format!("{pulse}shape = \"sine\"\nfreq = {{ low = 1, high = 150 }}"),
        &["at the short end", "150 kHz"],
    );
    refused(
        &format!("{pulse}shape = \"noise\"\npw = 6"),
        &["noise:pw=6", "5 ms"],
    );
}
