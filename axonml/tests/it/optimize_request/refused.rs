//! Requests that no optimization can mean: a protocol, tables, and what the message says.

use super::{of, planned, study};

#[test]
fn what_makes_no_sense_is_refused() {
    let mut wrong = Vec::new();
    for (protocol, tables, parts) in REFUSED {
        let text = of(protocol, tables);
        let Err(error) = planned(&text) else {
            wrong.push(format!("not refused: {protocol} {tables}"));
            continue;
        };
        let message = error.message();
        let missing = parts.iter().filter(|part| !message.contains(**part));
        wrong.extend(missing.map(|part| format!("`{part}` is missing in: {message}")));
        // What cannot be read names the values that can.
        if study(&text).is_ok() && error.remedy().is_none() {
            wrong.push(format!("without a remedy: {message}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

const REFUSED: &[(&str, &str, &[&str])] = &[
    // The protocol.
    (
        "then = \"gd\"",
        "",
        &["protocol", "then has no effect", "gd, not de"],
    ),
    (
        "method = \"de\"\nthen = \"de\"",
        "",
        &["then: found de, expected gd"],
    ),
    (
        "method = \"scan\"\nobjective = \"area\"",
        "",
        &["objective has no effect"],
    ),
    (
        "method = \"scan\"\npenalty = { peak = 1 }",
        "",
        &["penalty has no effect"],
    ),
    (
        "objectives = [\"area\", \"charge\"]",
        "",
        &["objectives has no effect", "gd"],
    ),
    (
        "method = \"de\"\nobjectives = [\"area\"]",
        "",
        &["found `area`", "two that differ"],
    ),
    (
        "method = \"de\"\nobjectives = [\"area\", \"area\"]",
        "",
        &["found `area,area`"],
    ),
    (
        "method = \"de\"\nobjectives = [\"selective\", \"charge\"]",
        "",
        &["found selective", "a front needs numbers"],
    ),
    (
        "method = \"de\"\nobjectives = [\"area\", \"quotient\"]",
        "",
        &["found quotient", "a loss of gates"],
    ),
    (
        "objective = \"quotient\"\nrecruit = 0.5",
        "",
        &["recruit", "the quotient sums over all targets"],
    ),
    (
        "objective = \"quotient\"",
        "[gd]\nsoftness = [0.2, 0.02]",
        &["softness has no effect", "gates are as steep as they are"],
    ),
    (
        "method = \"de\"\nobjectives = [\"peak\", \"charge\"]",
        "",
        &["the costs peak and charge", "an objective about fibers"],
    ),
    (
        "method = \"de\"\nobjectives = [\"area\", \"charge\"]",
        "[de]\npatience = 5",
        &["patience has no effect", "no one best member"],
    ),
    (
        "method = \"de\"\nobjectives = [\"area\", \"charge\"]",
        "[limits]\ndac_mA = 0.01",
        &["dac_mA", "converter's grid"],
    ),
    (
        "method = \"de\"\nobjectives = [\"area\", \"charge\"]",
        "[stimulus]\nvary = \"samples\"\nwindow_ms = [0.2, 1.2]",
        &["found samples together with two objectives"],
    ),
    (
        "method = \"de\"\nthen = \"gd\"",
        "[gd]\nstarts = 3",
        &["starts has no effect", "the best member of the evolution"],
    ),
    (
        "method = \"scan\"",
        "[robust]\nin_loop = 2",
        &["in_loop has no effect", "on the nerve as it is"],
    ),
    (
        "recruit = 0.5",
        "[robust]\nin_loop = 2",
        &["in_loop: found copies together with recruit"],
    ),
    (
        "",
        "[search]\nend_excitation = \"accept\"",
        &["end_excitation has no effect"],
    ),
    (
        "",
        "[output]\nkeep_going = true",
        &["keep_going has no effect", "all fibers"],
    ),
    (
        "method = \"de\"\nobjective = \"area\"\nobjectives = [\"area\", \"charge\"]",
        "",
        &["found objective and objectives, expected one"],
    ),
    (
        "method = \"de\"\nobjectives = [\"area\", \"charge\"]",
        "[de]\ntarget_loss = 0.1",
        &["de: target_loss has no effect"],
    ),
    (
        "penalty = { charge = -1 }",
        "",
        &["penalty: charge: found -1", "0 or more"],
    ),
    (
        "target = \"fascicles:77\"",
        "",
        &["target: found fascicle 77", "nerve N1: 0"],
    ),
    ("target = \"none.npy\"", "", &["target none.npy"]),
    (
        "area_weights = \"none.npy\"",
        "",
        &["area_weights none.npy"],
    ),
    (
        "diameter_shares = [1, 1]",
        "",
        &["diameter_shares: found 2 shares, expected 1"],
    ),
    ("diameter_shares = [-1]", "", &["diameter_shares: found -1"]),
    (
        "diameter_shares = [0]",
        "",
        &["diameter_shares: found 0 only"],
    ),
    (
        "recruit = 0",
        "",
        &["recruit: found 0, expected a fraction above 0"],
    ),
    (
        "recruit = [0.8, 0.1]",
        "",
        &["recruit: found 0.8:0.1", "the least first"],
    ),
    ("recruit = 50", "", &["recruit: found 50", "at most 1"]),
    (
        "shared = true",
        "",
        &["shared has no effect: there is one nerve"],
    ),
    (
        "max_seconds = 0",
        "",
        &["max_seconds: found 0", "in s greater than 0"],
    ),
    (
        "max_evaluations = 0",
        "",
        &["max_evaluations: found 0, expected 1 or more"],
    ),
    (
        "nerves = [\"a\"]",
        "",
        &["field.demonstration and protocol.nerves"],
    ),
    // Goals.
    (
        "",
        "[fibers]\nwant = \"activate\"",
        &["no fiber that should be spared among 12"],
    ),
    (
        "",
        "[fibers]\nwant = \"spare\"",
        &["no fiber that should fire among 12"],
    ),
    (
        "",
        "[fibers]\nwant = \"ignore\"",
        &["fibers: want: found ignore for all groups"],
    ),
    (
        "",
        "[fibers]\noffset_um = [0, 100]",
        &["offset_um: found 2 shifts, expected one"],
    ),
    // Tables of other studies.
    (
        "",
        "[[source]]\npulse = \"sine\"",
        &["[[source]] has no effect"],
    ),
    ("", "[[inject]]\namp_nA = 2", &["[[inject]] has no effect"]),
    (
        "",
        "[conditioning]\namp_nA = 2",
        &["[conditioning] has no effect"],
    ),
    (
        "",
        "[search]\nextrapolate = true",
        &["extrapolate has no effect"],
    ),
    // The stimulus.
    (
        "",
        "[stimulus]\nwaveform = \"bifasic:pw=1\"",
        &["stimulus: waveform", "did you mean `biphasic`"],
    ),
    (
        "",
        "[stimulus]\nwaveform = \"biphasic:pw=2\"",
        &["waveform: `biphasic:pw=2` ends at", "2.5 ms at most"],
    ),
    ("", "[stimulus]\nvary = []", &["vary: found an empty list"]),
    (
        "",
        "[stimulus]\nvary = [\"amplitude\", \"amplitude\"]",
        &["found amplitude twice"],
    ),
    (
        "",
        "[stimulus]\nvary = [\"pw\"]",
        &["found pw without amplitude"],
    ),
    (
        "",
        "[stimulus]\nvary = [\"samples\", \"pw\"]",
        &["samples beside other unknowns"],
    ),
    (
        "method = \"scan\"",
        "[stimulus]\nvary = [\"amplitude\", \"pw\"]",
        &["vary has no effect"],
    ),
    (
        "",
        "[stimulus]\nvary = [\"amplitude\", \"gap\"]\nwaveform = \"monophasic:pw=0.1\"",
        &[
            "vary: found gap with the waveform `monophasic:pw=0.1`",
            "the keys gap",
        ],
    ),
    (
        "",
        "[stimulus]\npw_range_ms = [0.1, 0.5]",
        &["pw_range_ms has no effect: pw does not vary"],
    ),
    (
        "",
        "[stimulus]\nvary = [\"amplitude\", \"pw\"]\npw_range_ms = [0.5, 0.1]",
        &["pw_range_ms: found 0.5:0.1", "the lower end first"],
    ),
    (
        "",
        "[stimulus]\nwindow_ms = [0.2, 1.2]",
        &["window_ms has no effect: no samples vary"],
    ),
    (
        "",
        "[stimulus]\nvary = \"samples\"",
        &["window_ms: found none"],
    ),
    (
        "",
        "[stimulus]\nvary = \"samples\"\nwindow_ms = [0.5, 0.5]",
        &["window_ms: found 0.5", "not empty"],
    ),
    (
        "",
        "[stimulus]\nvary = \"samples\"\nwindow_ms = [0.5, 3]",
        &["found 0.5:3", "within the run, 0 to 2.5 ms"],
    ),
    (
        "",
        "[stimulus]\nvary = \"samples\"\nwindow_ms = [0.2, 1.2]\nsample_ms = 0.03",
        &[
            "window_ms: found 0.2:1.2",
            "length",
            "multiple of the sample, 0.03 ms",
        ],
    ),
    (
        "",
        "[stimulus]\nvary = \"samples\"\nwindow_ms = [0.2, 1.2]\nsample_ms = 0.008",
        &[
            "sample_ms: found 0.008",
            "multiple of the time step, 0.005 ms",
        ],
    ),
    (
        "",
        "[stimulus]\nvary = \"samples\"\nwindow_ms = [0.203, 1.203]",
        &["window_ms: found 0.203:1.203", "beginning", "time step"],
    ),
    (
        "",
        "[stimulus]\nvary = \"samples\"\nwindow_ms = [0.2, 1.2]\nexpand = \"spline:201\"",
        &["expand: found spline:201, expected 4 to 200 functions for 200 samples"],
    ),
    // Limits.
    (
        "",
        "[limits]\nbound_mA = 0",
        &["limits: bound_mA: found 0", "in mA greater than 0"],
    ),
    (
        "",
        "[limits]\ndac_mA = 5",
        &["dac_mA 5 contradicts bound_mA 3"],
    ),
    (
        "",
        "[limits]\nfrozen_mA = { 6 = 0.1 }",
        &["frozen_mA: found contact 6, expected 0 to 5"],
    ),
    (
        "",
        "[limits]\nfrozen_mA = { 1 = 4 }",
        &["frozen_mA.1 = 4 contradicts bound_mA 3"],
    ),
    (
        "",
        "[limits]\nfrozen_mA = { 1 = 0.015 }\ndac_mA = 0.01",
        &["frozen_mA.1 = 0.015 contradicts dac_mA 0.01"],
    ),
    (
        "",
        "[limits]\nfrozen_mA = { a = 1 }",
        &["found `a`", "number of a contact"],
    ),
    (
        "",
        "[limits]\nfrozen_mA = { 0 = 0, 1 = 0, 2 = 0, 3 = 0, 4 = 0, 5 = 0 }",
        &["frozen_mA: found all 6 contacts"],
    ),
    (
        "",
        "[limits]\nmax_contacts = 0",
        &["max_contacts: found 0, expected 1 or more"],
    ),
    (
        "",
        "[limits]\nmax_contacts = 1\nfrozen_mA = { 0 = 0.1, 1 = 0.1 }",
        &["max_contacts 1 contradicts frozen_mA: 2 contacts"],
    ),
    (
        "",
        "[limits]\nmax_contacts = 1\nsum_zero = true",
        &["max_contacts 1 contradicts sum_zero"],
    ),
    (
        "",
        "[limits]\nunbalanced = true",
        &["unbalanced has no effect"],
    ),
    (
        "",
        "[limits]\ncontact_area_cm2 = 1",
        &["contact_area_cm2 has no effect"],
    ),
    (
        "",
        "[limits]\nshannon_k = 1.85\ncontact_area_cm2 = [1, 2]",
        &["contact_area_cm2: found 2 areas, expected one, or 6"],
    ),
    (
        "",
        "[limits]\ncontact_ohm = 100",
        &["contact_ohm has no effect"],
    ),
    (
        "",
        "[limits]\ncompliance_V = -1",
        &["compliance_V: found -1", "in V greater than 0"],
    ),
    // Descents and evolutions.
    (
        "method = \"de\"",
        "[gd]\nsteps = 3",
        &["[gd] has no effect"],
    ),
    (
        "",
        "[de]\npatience = 3",
        &["[de] has no effect", "the method is gd"],
    ),
    (
        "",
        "[gd]\nsteps = 0",
        &["gd: steps: found 0, expected 1 or more"],
    ),
    ("", "[gd]\nlr = 0", &["gd: lr: found 0"]),
    (
        "",
        "[gd]\nlr_end = 2",
        &["gd: lr_end: found 2", "from 0 to 1"],
    ),
    (
        "",
        "[gd]\nlr_end = 0.5\nschedule = \"constant\"",
        &["lr_end has no effect"],
    ),
    (
        "",
        "[gd]\nsoftness = [0.02, 0.2]",
        &["softness: found 0.02:0.2"],
    ),
    (
        "",
        "[gd]\nrule = \"lbfgs\"\nlr = 0.1",
        &["lr has no effect"],
    ),
    (
        "",
        "[gd]\nrule = \"adm\"",
        &["did you mean `adam`", "expected adam, ranger, lbfgs"],
    ),
    (
        "",
        "[gd]\ninit = \"zero\"\nstarts = 3",
        &["starts has no effect"],
    ),
    (
        "",
        "[gd]\ninit = \"amplitudes:1,2\"",
        &["gd: init: found 2 amplitudes, expected 6"],
    ),
    (
        "",
        "[gd]\ninit = \"amplitudes:0,0,0,0,0,0\"",
        &["expected a current that is not 0"],
    ),
    (
        "method = \"de\"",
        "[de]\npopulation = 4",
        &["de: population: found 4, expected 5 or more, which best1bin needs"],
    ),
    (
        "method = \"de\"",
        "[de]\npopulation = 5\nstrategy = \"rand2exp\"",
        &["population: found 5, expected 6 or more, which rand2exp needs"],
    ),
    (
        "method = \"de\"",
        "[de]\nmutation = 3",
        &["mutation: found 3", "at most 2"],
    ),
    (
        "method = \"de\"",
        "[de]\nrecombination = 2",
        &["recombination: found 2", "from 0 to 1"],
    ),
    (
        "method = \"de\"",
        "[de]\nadaptation = \"jade\"\nmutation = 0.5",
        &["mutation has no effect"],
    ),
    (
        "method = \"de\"",
        "[de]\nstrategy = \"best3bin\"",
        &["best3bin", "best1bin"],
    ),
    (
        "method = \"de\"",
        "[de]\npatience = 0",
        &["patience: found 0"],
    ),
    // Copies.
    (
        "",
        "[robust]\namplitude = 3",
        &["robust: amplitude: found 3", "from 0 to 1"],
    ),
    (
        "",
        "[robust]\ncopies = 0\ndiameter = 0.1",
        &["diameter has no effect: there are no copies"],
    ),
    (
        "",
        "[robust]\nrotaton_deg = 1",
        &["did you mean `rotation_deg`"],
    ),
];
