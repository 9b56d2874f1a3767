//! Every key of a study acts, is refused, or is named as one without effect, whatever the question.

use axonml::Device;
use axonml::study::{Listener, Machine, Plan, Protocol, Study};
use serde_json::Value;

/// What a study says while it is planned.
#[derive(Default)]
struct Notes(Vec<String>);

impl Listener for Notes {
    fn note(&mut self, text: String) {
        self.0.push(text);
    }
}

/// A study as far as it can be told without running it: what its rows are told apart by, what is simulated, and the
/// request, in which settings stand that act later. The study itself is left out: it holds what is ignored, too.
#[derive(PartialEq)]
struct Planned {
    cases: String,
    request: Value,
    notes: Vec<String>,
}

/// The plan of a study, or why there is none.
fn planned(text: &str) -> Result<Planned, String> {
    let study = Study::from_toml(text).map_err(|error| error.to_string())?;
    let machine = Machine::new(Device::cpu().unwrap());
    let mut notes = Notes::default();
    let plan = Plan::new(&study, &machine, &mut notes).map_err(|error| error.to_string())?;
    plan.refused(false).map_err(|error| error.to_string())?;
    let mut request = plan.request();
    request.as_object_mut().unwrap().remove("study");
    let mut cases = format!("{:?} {}", plan.columns, plan.study.output.keep_going);
    for planned in &plan.cases {
        let case = planned.case.as_ref().unwrap();
        // The setup holds the machine; its settings stand in the request.
        cases.push_str(&format!(
            "{:?} {:?} {:?} {:?} {} {} {:?} {:?} {:?} {:?}\n",
            planned.settings,
            planned.member,
            case.fiber,
            case.celsius,
            case.dt_ms,
            case.tstop_ms,
            case.detection,
            case.sources,
            case.injections,
            case.setup.start,
        ));
    }
    Ok(Planned {
        cases,
        request,
        notes: notes.0,
    })
}

/// A study of each question that can be planned, by its tables.
fn bases(folder: &str) -> Vec<(&'static str, Vec<(&'static str, String)>)> {
    let near = || ("field", "distance_um = 500".to_owned());
    let nerve = || ("field", format!("nerve = \"{folder}\""));
    let cuff = || ("field", "demonstration = true".to_owned());
    let fibers = || ("fibers", "diameter_um = 10".to_owned());
    let of = |kind: &'static str, more: &str| ("protocol", format!("kind = \"{kind}\"{more}"));
    let current = || ("inject", "amp_nA = 2".to_owned());
    vec![
        ("threshold", vec![of("threshold", ""), near(), fibers()]),
        (
            "threshold at points",
            vec![
                of("threshold", ""),
                ("field", "point = [{ x_um = 500 }]".to_owned()),
                fibers(),
            ],
        ),
        (
            "threshold of fibers drawn",
            vec![
                of("threshold", ""),
                near(),
                (
                    "fibers",
                    "diameter_um = 10\noffset_um = \"random\"".to_owned(),
                ),
            ],
        ),
        (
            "threshold of C fibers",
            vec![
                of("threshold", ""),
                near(),
                ("fibers", "model = \"sundt\"\nnodes = 101".to_owned()),
            ],
        ),
        (
            "threshold of a surrogate",
            vec![
                of("threshold", ""),
                near(),
                ("fibers", "model = \"two-mode\"".to_owned()),
            ],
        ),
        (
            "threshold in a nerve",
            vec![of("threshold", ""), nerve(), fibers()],
        ),
        (
            "threshold inside",
            vec![
                of("threshold", ""),
                fibers(),
                ("inject", "pw_ms = 0.1".to_owned()),
            ],
        ),
        ("run", vec![of("run", ""), near(), fibers()]),
        ("run inside", vec![of("run", ""), fibers(), current()]),
        (
            "recruitment",
            vec![of("recruitment", ""), nerve(), fibers()],
        ),
        ("response", vec![of("response", ""), near(), fibers()]),
        ("block", vec![of("block", ""), near(), fibers()]),
        ("cv", vec![of("cv", ""), fibers()]),
        ("cv of a current", vec![of("cv", ""), fibers(), current()]),
        (
            "cv of a field",
            vec![of("cv", "\namplitude_mA = 1"), near(), fibers()],
        ),
        (
            "strength-duration",
            vec![of("strength-duration", ""), near(), fibers()],
        ),
        (
            "current-distance",
            vec![of("current-distance", ""), near(), fibers()],
        ),
        ("recovery", vec![of("recovery", ""), near(), fibers()]),
        ("rheobase", vec![of("rheobase", ""), near(), fibers()]),
        (
            "optimize by evolution",
            vec![of("optimize", "\nmethod = \"de\""), cuff(), fibers()],
        ),
        (
            "optimize samples",
            vec![
                of("optimize", "\nmethod = \"gd\""),
                cuff(),
                fibers(),
                (
                    "stimulus",
                    "vary = \"samples\"\nwindow_ms = [0.2, 1.2]".to_owned(),
                ),
            ],
        ),
        (
            "optimize widths within limits",
            vec![
                of("optimize", ""),
                cuff(),
                fibers(),
                (
                    "stimulus",
                    "vary = [\"amplitude\", \"pw\", \"gap\", \"asymmetry\"]".to_owned(),
                ),
                ("limits", "shannon_k = 1.5\ncompliance_V = 0.5".to_owned()),
            ],
        ),
    ]
}

/// Every key with a value that is not its default, by table.
const KEYS: &[(&str, &[&str])] = &[
    (
        "fibers",
        &[
            "name = \"mine\"",
            "model = \"two-mode\"",
            "weights = \"published\"",
            "temperature_celsius = 30",
            "start = \"steady-state\"",
            "warmup_ms = 3",
            "ends = \"passive\"",
            "diameter_um = 8",
            "diameter_um = [8, 9]",
            "count = 3",
            "nodes = 55",
            "length_um = 30000",
            "compartment_um = 900",
            "offset_um = 10",
            "offset_um = \"random\"",
            "weight = 2",
            "want = \"spare\"",
            "set = { gna = 2.9 }",
        ],
    ),
    (
        "field",
        &[
            "nerve = \"elsewhere\"",
            "demonstration = true",
            "contacts = [0, 1]",
            "distance_um = 600",
            "resistivity_ohm_cm = 300",
            "basis = \"none.npy\"",
            "interpolation = \"linear\"",
            "extend = \"point-source\"",
            "accept_coarse = true",
            "point = [{ x_um = 900, y_um = 3, z_um = 4, factor = 2 }]",
        ],
    ),
    (
        "source",
        &[
            "contact = 1",
            "point = 0",
            "pulse = \"biphasic:pw=0.2\"",
            "polarity = \"anodic\"",
            "gain = 2",
            "delay_ms = 0.3",
            "pulse_width_ms = 0.3",
            "frequency_kHz = 3",
        ],
    ),
    (
        "inject",
        &[
            "node = 3",
            "at = 0.3",
            "amp_nA = 3",
            "pw_ms = 0.3",
            "delay_ms = 0.3",
        ],
    ),
    (
        "conditioning",
        &[
            "node = 3",
            "at = 0.3",
            "amp_nA = 4",
            "pw_ms = 0.3",
            "at_ms = 0.5",
        ],
    ),
    (
        "detection",
        &[
            "nodes = 7",
            "at = 0.3",
            "threshold_mV = -20",
            "after_ms = 0.2",
        ],
    ),
    (
        "search",
        &[
            "first_amplitude_mA = 0.01",
            "max_amplitude_mA = 3",
            "max_current_nA = 30",
            "resolution = 0.1",
            "early_end = false",
            "extrapolate = true",
            "end_excitation = \"accept\"",
        ],
    ),
    (
        "numerics",
        &[
            "dt_ms = 0.01",
            "tstop_ms = 47",
            "precision = \"f32\"",
            "precision = \"f64\"",
            "rates = \"table\"",
            "seed = 3",
        ],
    ),
    ("output", &["keep_going = true"]),
    (
        "protocol",
        &[
            "at_mA = [0.3]",
            "amplitude_mA = 0.7",
            "record = { every = 2 }",
            "test_pulse = { node = 7, at_ms = [9] }",
            "at = [0.3, 0.6]",
            "nodes = [20, 30]",
            "synapse = { g_uS = 0.2 }",
            "intervals_ms = [4]",
            "pw_ms = 10",
            "method = \"de\"",
            "then = \"gd\"",
            "objective = \"margin\"",
            "objectives = [\"area\", \"charge\"]",
            "target = \"fascicles:0\"",
            "area_weights = \"none.npy\"",
            "diameter_shares = [2]",
            "recruit = [0.1, 0.8]",
            "nerves = [\"elsewhere\", \"there\"]",
            "shared = true",
            "max_seconds = 5",
            "max_evaluations = 100",
            "baselines = false",
            "penalty = { charge = 0.1 }",
        ],
    ),
    (
        "stimulus",
        &[
            "waveform = \"biphasic:pw=0.1,delay=0.3\"",
            "vary = [\"amplitude\", \"pw\"]",
            "window_ms = [0.3, 1.3]",
            "sample_ms = 0.01",
            "expand = \"spline:8\"",
            "pw_range_ms = [0.1, 0.5]",
            "gap_range_ms = [0, 0.1]",
            "asymmetry_range = [1, 3]",
        ],
    ),
    (
        "limits",
        &[
            "bound_mA = 1",
            "bounds = \"bounds.csv\"",
            "sum_zero = true",
            "unbalanced = true",
            "charge_max_nC = 60",
            "shannon_k = 1.85",
            "contact_area_cm2 = 0.02",
            "compliance_V = 0.4",
            "contact_ohm = 100",
            "dac_mA = 0.01",
            "max_contacts = 4",
            "frozen_mA = { 0 = 0.1 }",
        ],
    ),
    (
        "gd",
        &[
            "steps = 10",
            "starts = 3",
            "rule = \"lbfgs\"",
            "lr = 0.1",
            "lr_end = 0.5",
            "schedule = \"constant\"",
            "clip = 1",
            "init = \"random\"",
            "softness = [0.3, 0.03]",
            "centralize = true",
            "early_stop = false",
        ],
    ),
    (
        "de",
        &[
            "strategy = \"rand1bin\"",
            "mutation = [0.5, 1]",
            "recombination = 0.9",
            "adaptation = \"jade\"",
            "population = 20",
            "generations = 10",
            "init = \"rlhs\"",
            "boundary = \"clip\"",
            "patience = 5",
            "target_loss = 0.1",
        ],
    ),
    (
        "robust",
        &[
            "copies = 3",
            "amplitude = 0.1",
            "diameter = 0.1",
            "offset = \"none\"",
            "rotation_deg = 3",
            "dt_half = false",
            "in_loop = 4",
        ],
    ),
];

/// A study's text from its tables, with one key added or replaced.
fn text(tables: &[(&str, String)], table: &str, key: &str) -> String {
    let name = key.split(" =").next().unwrap();
    let mut tables = tables.to_vec();
    if !tables.iter().any(|(known, _)| *known == table) {
        tables.push((leak(table), String::new()));
    }
    let mut text = String::new();
    for (known, keys) in &tables {
        text.push_str(&format!("[{known}]\n"));
        for line in keys.lines() {
            // A current beside its other key, as someone would write it who wants the node elsewhere.
            if *known != table || line.split(" =").next() != Some(name) {
                text.push_str(line);
                text.push('\n');
            }
        }
        if *known == table {
            text.push_str(key);
            text.push('\n');
        }
    }
    text
}

/// Names of tables live as long as the test.
fn leak(name: &str) -> &'static str {
    KEYS.iter()
        .map(|(table, _)| *table)
        .find(|table| *table == name)
        .unwrap()
}

/// A nerve of two contacts and two fibers, long enough for 53 nodes of 10 um.
fn nerve() -> String {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("nothing-ignored-nerve");
    std::fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, shape: &str, values: Vec<f64>| {
        let mut header =
            format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({shape}), }}");
        let length = (10 + header.len() + 1).div_ceil(64) * 64 - 10;
        header.push_str(&" ".repeat(length - header.len() - 1));
        header.push('\n');
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.bytes());
        bytes.extend(values.iter().flat_map(|x| x.to_le_bytes()));
        std::fs::write(folder.join(name), bytes).unwrap();
    };
    let z = |i: usize| 50.0 * (i % 1601) as f64;
    let bump = |i: usize, x: f64| 1e5 / (2000.0 + (z(i) - x).abs());
    write(
        "0.npy",
        "2, 1601",
        (0..3202).map(|i| bump(i, 40_000.0)).collect(),
    );
    write(
        "1.npy",
        "2, 1601",
        (0..3202).map(|i| bump(i, 42_000.0)).collect(),
    );
    write("fiber_z.npy", "1601,", (0..1601).map(z).collect());
    folder.display().to_string().replace('\\', "/")
}

#[test]
fn every_key_acts_or_is_refused_or_is_named() {
    let folder = nerve();
    let mut ignored = Vec::new();
    let mut kinds = Vec::new();
    let mut acted = std::collections::BTreeSet::new();
    for (name, tables) in bases(&folder) {
        let plain: String = tables
            .iter()
            .map(|(table, keys)| format!("[{table}]\n{keys}\n"))
            .collect();
        let base = planned(&plain).unwrap_or_else(|why| panic!("{name}: {why}"));
        kinds.push(base.request["command"].as_str().unwrap().to_owned());
        for (table, keys) in KEYS {
            for key in *keys {
                let study = text(&tables, table, key);
                match planned(&study) {
                    Err(why) => assert!(why.len() > 10, "{name}, {table}, {key}: {why}"),
                    Ok(changed) if changed == base => {
                        ignored.push(format!("{name}: {table}: {key}"))
                    }
                    Ok(changed) => {
                        if changed.notes == base.notes {
                            acted.insert(format!("{table}: {key}"));
                        }
                    }
                }
            }
        }
    }
    // What is the default already is no change; nor are weights of a model that has none.
    let same = [
        "precision = \"f64\"",
        "precision = \"f32\"",
        "source: point = 0",
        "weights = \"published\"",
        "drawn: fibers: offset_um = \"random\"",
        "surrogate: fibers: model = \"two-mode\"",
        "field: demonstration = true",
        "evolution: protocol: method = \"de\"",
        // A line that is long enough, and sampled finely enough.
        "accept_coarse = true",
    ];
    ignored.retain(|ignored| !same.iter().any(|same| ignored.ends_with(same)));
    assert_eq!(ignored, Vec::<String>::new());
    // All questions were asked, and every key acts in one of them.
    for kind in Protocol::KINDS {
        assert!(kinds.iter().any(|asked| asked == kind), "{kind}");
    }
    let all = KEYS
        .iter()
        .flat_map(|(table, keys)| keys.iter().map(move |key| format!("{table}: {key}")));
    let elsewhere = [
        // Their files are not there, or the field is another.
        "field: nerve = \"elsewhere\"",
        "field: demonstration = true",
        "field: basis = \"none.npy\"",
        "field: accept_coarse = true",
        "source: point = 0",
        "protocol: area_weights = \"none.npy\"",
        "protocol: nerves",
        "protocol: shared = true",
        // Among several groups: below.
        "fibers: weight = 2",
        "fibers: want",
    ];
    let idle: Vec<String> = all
        .filter(|key| !acted.contains(key) && !elsewhere.iter().any(|known| key.starts_with(known)))
        .collect();
    assert_eq!(idle, Vec::<String>::new());
}

#[test]
fn weights_act_among_groups() {
    let with = |weight: &str| {
        planned(&format!(
            "[[fibers]]\nname = \"a\"\n[[fibers]]\nname = \"b\"\n{weight}\n[field]\ndistance_um = 500\n[protocol]\n\
             kind = \"recruitment\"\n"
        ))
        .unwrap()
    };
    let (alike, other) = (with(""), with("weight = 3"));
    assert!(alike.notes.is_empty() && other.notes.is_empty());
    assert!(alike.cases.contains("weight: 0.5") && other.cases.contains("weight: 0.75"));
}

#[test]
fn groups_should_fire_or_not_or_may() {
    let with = |want: &str| {
        planned(&format!(
            "[[fibers]]\n[[fibers]]\nname = \"c\"\nmodel = \"sundt\"\nnodes = 51\nwant = \"{want}\"\n[field]\n\
             demonstration = true\n[protocol]\nkind = \"optimize\"\n"
        ))
        .unwrap()
    };
    for (want, target, counts) in [
        ("spare", "target: Some(false)", true),
        ("activate", "target: Some(true)", true),
        ("ignore", "target: None", false),
    ] {
        let cases = with(want).cases;
        let group: Vec<&str> = cases
            .lines()
            .filter(|case| case.contains("group_name: \"c\""))
            .collect();
        assert_eq!(group.len(), 12);
        for case in group {
            assert!(case.contains(target), "{want}: {case}");
            let found = case.split("weight: ").nth(1).unwrap();
            let found: f64 = found.split(',').next().unwrap().parse().unwrap();
            assert_eq!(found > 0.0, counts, "{want}: {case}");
        }
    }
}
