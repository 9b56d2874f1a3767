//! What a study file cannot mean: exit code 2, the file, the key, what was found and what was expected.

use crate::support::Folder;

/// Runs every study of `table`, one a line: `before`, then the line's own TOML, in which `;` ends lines, then `after`; behind
/// `=>` stand parts of the message that must refuse it.
#[track_caller]
fn refuse(folder: &Folder, [before, after]: [&str; 2], table: &str) {
    let mut complaints = String::new();
    let lines = table.lines().filter(|line| !line.trim().is_empty());
    for line in lines {
        let (text, parts) = line.split_once("=>").unwrap();
        let text = format!("{before}{}\n{after}", text.trim().replace(" ; ", "\n"));
        folder.write("s.toml", &text);
        let answer = folder.axonml("study s.toml");
        let mut parts = parts.split('|').map(str::trim).chain(["s.toml"]);
        let is_refused = answer.code == 2
            && answer.stdout.is_empty()
            && !answer.stderr.contains("panicked")
            && parts.all(|part| answer.stderr.contains(part));
        if !is_refused {
            complaints.push_str(&format!(
                "{line}\n{}: {}{}\n",
                answer.code, answer.stdout, answer.stderr
            ));
        }
    }
    assert!(complaints.is_empty(), "{complaints}");
}

const THRESHOLD: &str = "[protocol]\nkind = \"threshold\"\n";
const NEAR: &str = "[protocol]\nkind = \"threshold\"\n[field]\ndistance_um = 500\n";

#[test]
fn unknown_keys_are_refused_with_the_nearest_at_every_level() {
    let folder = Folder::new("refusals-unknown");
    refuse(
        &folder,
        ["", THRESHOLD],
        r#"
[fibres]  =>  `fibres` (did you mean `fibers`?) | line 1, column | valid: 
[fibers] ; diametr_um = 5  =>  `diametr_um` (did you mean `diameter_um`?) | line 2, column | valid: 
[[fibers]] ; nodes = 21 ; [[fibers]] ; node = 21  =>  `node` (did you mean `nodes`?) | line 4, column | valid: 
[fibers] ; count = 3 ; diameter_um = { normal = { mean_um = 8, sdd_um = 1 } }  =>  `sdd_um` (did you mean `sd_um`?) | line 3, column | valid: 
[fibers] ; count = 3 ; diameter_um = { norml = { mean_um = 8, sd_um = 1 } }  =>  `norml` (did you mean `normal`?) | line 3, column | valid: 
[field] ; distance = 500  =>  `distance` (did you mean `distance_um`?) | line 2, column | valid: 
[[field.point]] ; x_um = 500 ; yum = 3  =>  `yum` (did you mean `y_um`?) | line 3, column | valid: 
[[source]] ; pulse_with_ms = 0.1  =>  `pulse_with_ms` (did you mean `pulse_width_ms`?) | line 2, column | valid: 
[source] ; pulses = "mono"  =>  `pulses` (did you mean `pulse`?) | line 2, column | valid: 
[[inject]] ; nod = 3  =>  `nod` (did you mean `node`?) | line 2, column | valid: 
[conditioning] ; amp_mA = 3  =>  `amp_mA` (did you mean `amp_nA`?) | line 2, column | valid: 
[conditions] ; file = "t.csv" ; nerve = "n"  =>  `nerve` (did you mean `nerves`?) | line 3, column | valid: 
[detection] ; node = 3  =>  `node` (did you mean `nodes`?) | line 2, column | valid: 
[search] ; resolutoin = 3  =>  `resolutoin` (did you mean `resolution`?) | line 2, column | valid: 
[numerics] ; dt = 3  =>  `dt` (did you mean `dt_ms`?) | line 2, column | valid: 
[output] ; keep_gong = true  =>  `keep_gong` (did you mean `keep_going`?) | line 2, column | valid: 
"#,
    );
    refuse(
        &folder,
        ["[protocol]\n", ""],
        r#"
kind = "treshold"  =>  `treshold` (did you mean `threshold`?) | line 2, column
kind = "cv" ; node = [1, 2]  =>  `node` (did you mean `nodes`?) | line 3, column
kind = "cv" ; synapse = { g = 1 }  =>  unknown key `g`; valid:  | line 3, column
kind = "run" ; amplitude = 1  =>  `amplitude` (did you mean `amplitude_mA`?) | line 3, column
kind = "run" ; record = { state = ["m"] }  =>  `state` (did you mean `states`?) | line 3, column
kind = "block" ; test_pulse = { pw = 0.1 }  =>  `pw` (did you mean `pw_ms`?) | line 3, column
kind = "response" ; test_pulses = {}  =>  `test_pulses` (did you mean `test_pulse`?) | line 3, column
kind = "recovery" ; interval_ms = [3]  =>  `interval_ms` (did you mean `intervals_ms`?) | line 3, column
kind = "recruitment" ; at = 0.1  =>  `at` (did you mean `at_mA`?) | line 3, column
kind = "threshold" ; at = 3  =>  unknown | `at`
kind = "strength-duration" ; at = 3  =>  unknown | `at`
kind = "current-distance" ; at = 3  =>  unknown | `at`
at_mA = 3  =>  missing field `kind`
"#,
    );
    folder.write(
        "s.json",
        "{\n  \"fibers\": {\"diametr_um\": 5},\n  \"protocol\": {\"kind\": \"threshold\"}\n}",
    );
    let nearest = "`diametr_um` (did you mean `diameter_um`?)";
    folder
        .axonml("study s.json")
        .refused(&["s.json", "line 2", nearest]);
    folder.write("s.json", "{\"protocol\": {\"kind\": \"threshold\"}");
    folder
        .axonml("study s.json")
        .refused(&["s.json", "line 1", "EOF"]);
    folder
        .axonml("study gone.toml")
        .refused(&["gone.toml", "existing file"]);
    folder.write("bytes.toml", [0xff, 0xfe, 0x00]);
    folder.axonml("study bytes.toml").refused(&["bytes.toml"]);
}

#[test]
fn numbers_that_cannot_be_meant_are_refused_under_their_keys() {
    let folder = Folder::new("refusals-numbers");
    refuse(
        &folder,
        [NEAR, ""],
        r#"
[numerics] ; dt_ms = -0.1  =>  numerics: dt_ms: found -0.1 | in ms greater than 0
[numerics] ; dt_ms = nan  =>  numerics: dt_ms: found NaN | in ms greater than 0
[numerics] ; tstop_ms = 0  =>  numerics: tstop_ms: found 0
[numerics] ; tstop_ms = inf  =>  numerics: tstop_ms: found inf
[numerics] ; precision = "f16"  =>  `f16` | f32 or f64
[numerics] ; rates = "spline"  =>  `spline` | exact or table
[numerics] ; rates = "table"  =>  tables of rates are for single precision | --precision f32
[numerics] ; seed = -1  =>  -1
[numerics] ; backend = "quantum"  =>  unknown backend `quantum`
[fibers] ; diameter_um = -5  =>  fibers: diameter_um: found -5 | um greater than 0
[fibers] ; diameter_um = [8, nan]  =>  fibers: diameter_um: found NaN
[fibers] ; diameter_um = []  =>  fibers: diameter_um: found an empty list
[fibers] ; diameter_um = { uniform = { min_um = 5.7, max_um = 9 } }  =>  without a number of fibers | count
[fibers] ; count = 0  =>  count: found 0
[fibers] ; count = 20000000  =>  count: found 20000000 | at most
[fibers] ; count = 2 ; diameter_um = { normal = { mean_um = nan, sd_um = 1 } }  =>  normal | NaN
[fibers] ; count = 2 ; diameter_um = { histogram = { edges_um = [5, 4], shares = [1] } }  =>  histogram | ascending
[fibers] ; nodes = 0  =>  fibers: nodes: found 0 | 3 or more
[fibers] ; nodes = 2  =>  fibers: nodes: found 2
[fibers] ; nodes = 100000000  =>  fibers: nodes | at most 10000000
[fibers] ; length_um = nan  =>  fibers: length_um: found NaN
[fibers] ; nodes = 21 ; length_um = 20000  =>  fibers: found nodes and length_um | one of them
[fibers] ; compartment_um = -8  =>  fibers: compartment_um: found -8
[fibers] ; offset_um = []  =>  fibers: offset_um: found an empty list
[fibers] ; offset_um = [0, inf]  =>  fibers: offset_um: found inf
[fibers] ; offset_um = "anywhere"  =>  anywhere | random
[fibers] ; weight = 0  =>  fibers: weight: found 0
[[fibers]] ; name = "a" ; [[fibers]] ; name = "b" ; weight = -1  =>  fibers 1: weight: found -1
[[fibers]] ; diameter_um = 8 ; [[fibers]] ; diameter_um = 9  =>  fibers 0 and fibers 1 are both called `mrg` | name
[fibers] ; temperature_celsius = 400  =>  fibers: temperature_celsius: found 400 | -20 to 100
[fibers] ; warmup_ms = -3  =>  fibers: warmup_ms: found -3
[fibers] ; start = "published" ; warmup_ms = 3  =>  warmup_ms 3 contradicts start
[fibers] ; start = "settled"  =>  settled | steady-state
[fibers] ; ends = "sealed"  =>  sealed | active | passive
[fibers] ; ends = "passive"  =>  model `mrg` | a double cable | ends active
[fibers] ; model = "sweeney" ; ends = "passive" ; nodes = 4 ; [detection] ; nodes = 1  =>  4 nodes | passive ends | at least 5
[fibers] ; model = "sweeney" ; ends = "passive" ; [detection] ; nodes = -1  =>  detection node is `52` | 1 to 51 | passive ends
[fibers.set] ; gna = nan  =>  fibers: set.gna: found NaN
[fibers.set] ; gnaa = 1  =>  `gnaa` | gna
[fibers] ; model = "mgr"  =>  unknown model `mgr`
[fibers] ; weights = "smf-mrg"  =>  parameters of model `smf`
[detection] ; nodes = []  =>  detection: nodes: found an empty list
[detection] ; nodes = 99  =>  `99` | 0 to 52
[detection] ; at = [1.5]  =>  detection: at: found 1.5 | from 0 to 1
[detection] ; nodes = 5 ; at = 0.5  =>  detection: found nodes and at
[detection] ; threshold_mV = nan  =>  detection: threshold_mV: found NaN
[detection] ; after_ms = -1  =>  detection: after_ms: found -1
[detection] ; after_ms = 100  =>  100 ms | 0 to 5 ms
[search] ; resolution = 0  =>  search: resolution: found 0 | to 0.5
[search] ; first_amplitude_mA = 0  =>  search: first_amplitude_mA: found 0
[search] ; first_amplitude_mA = 5 ; max_amplitude_mA = 1  =>  search: first_amplitude_mA: found 5 | largest amplitude, 1 mA
[search] ; end_excitation = "refuse"  =>  refuse | report, accept, error
[[source]] ; gain = nan  =>  source: gain: found NaN
[[source]] ; delay_ms = [0.1, -1]  =>  source: delay_ms: found -1
[[source]] ; pulse_width_ms = []  =>  source: pulse_width_ms: found an empty list
[[source]] ; pulse = []  =>  source: pulse: found an empty list
[[source]] ; pulse = "sine" ; frequency_kHz = 0  =>  source: frequency_kHz: found 0
[[source]] ; pulse = "mono + biphasic:pw=0.2" ; pulse_width_ms = 0.3  =>  pulse_width_ms | a sum
[[source]] ; polarity = "up"  =>  found `up`, expected cathodic or anodic
[[source]] ; contact = 0  =>  contact 0 | 0 contacts
[[source]] ; point = 1  =>  point 1 | 1 points | give point 0 to 0
[[conditioning]] ; amp_nA = nan  =>  conditioning: amp_nA: found NaN
[[conditioning]] ; at = 0.5 ; node = 3  =>  conditioning: found node and at
"#,
    );
    refuse(
        &folder,
        [THRESHOLD, ""],
        r#"
[field] ; demonstration = true ; [[source]] ; point = 0  =>  point 0 | 0 points
[field] ; demonstration = true ; [[source]] ; contact = 6  =>  contact 6 | 6 contacts | 0 to 5
[field] ; demonstration = true ; contacts = [1]  =>  1 contact factors | expected 6
[field] ; demonstration = true ; contacts = [nan, 0, 0, 0, 0, 0]  =>  field: contacts: found NaN
[field] ; demonstration = true ; distance_um = 500  =>  distance_um and demonstration
[field] ; nerve = "n" ; distance_um = 500  =>  distance_um and nerve | one of them
[field] ; distance_um = []  =>  field: distance_um: found an empty list
[field] ; distance_um = [500, 0]  =>  field: distance_um: found 0
[field] ; distance_um = 500 ; resistivity_ohm_cm = -5  =>  field: resistivity_ohm_cm: found -5
[field] ; distance_um = 500 ; resistivity_ohm_cm = [500]  =>  invalid length 1 | a resistivity in ohm-cm, or two
[field] ; point = [{ x_um = nan }]  =>  field: point: x_um: found NaN
[field] ; point = [{ x_um = 500 }, { x_um = 500, factor = inf }]  =>  field: point 1: factor: found inf
[[inject]] ; pw_ms = -1  =>  inject: pw_ms: found -1
[[inject]] ; at = 1.5  =>  inject: at: found 1.5
[[inject]] ; at = 0.5 ; node = 3  =>  inject: found node and at
[[inject]] ; node = 300  =>  `300` | 0 to 52
[[inject]] ; [search] ; max_current_nA = -3  =>  search: max_current_nA: found -3
[output]  =>  no field and no injected current | --point
"#,
    );
}

#[test]
fn settings_of_questions_that_cannot_be_meant_are_refused() {
    let folder = Folder::new("refusals-questions");
    refuse(
        &folder,
        ["[protocol]\n", ""],
        r#"
kind = "cv" ; at = [nan, 0.5]  =>  at: found NaN | from 0 to 1
kind = "cv" ; at = [0.5, 0.5]  =>  two different nodes
kind = "cv" ; at = [0.5]  =>  two sites | found 1
kind = "cv" ; at = [0.1, 0.5] ; nodes = [3, 9]  =>  at and nodes
kind = "cv" ; synapse = { g_uS = -1 }  =>  synapse: g_uS: found -1
kind = "cv" ; synapse = { tau_ms = 0 }  =>  synapse: tau_ms: found 0
kind = "cv" ; synapse = { e_mV = nan }  =>  synapse: e_mV: found NaN
kind = "cv" ; synapse = { delay_ms = -1 }  =>  synapse: delay_ms: found -1
kind = "cv" ; synapse = { node = 3, at = 0.1 }  =>  synapse: found node and at
kind = "cv" ; synapse = { node = 99 }  =>  `99` | 0 to 52
kind = "cv" ; amplitude_mA = 1  =>  amplitude_mA has no effect
kind = "cv" ; [detection] ; nodes = [3]  =>  detection: sites have no effect
kind = "cv" ; [search] ; resolution = 0.1  =>  search: resolution has no effect
kind = "run" ; [search] ; early_end = false  =>  search: early_end has no effect
kind = "run" ; [[inject]] ; node = 3  =>  no amp_nA
kind = "run" ; record = { nodes = [] } ; [[inject]] ; amp_nA = 2  =>  record: nodes: found an empty list
kind = "run" ; record = { every = 0 } ; [[inject]] ; amp_nA = 2  =>  every: found 0 | 1 to 1000
kind = "run" ; amplitude_mA = 1  =>  no effect
kind = "run" ; record = { every = 2 } ; [[inject]] ; amp_nA = 2  =>  record has no effect | -o FILE.npz
kind = "recruitment" ; [[inject]] ; node = 3  =>  no field
kind = "threshold" ; [[inject]] ; node = 3 ; [search] ; max_amplitude_mA = 3  =>  max_amplitude_mA has no effect | nA
kind = "block"  =>  no field
kind = "current-distance" ; [field] ; demonstration = true  =>  distances of a point electrode
"#,
    );
    refuse(
        &folder,
        ["[field]\ndistance_um = 500\n[protocol]\n", ""],
        r#"
kind = "run" ; amplitude_mA = nan  =>  amplitude_mA: found NaN
kind = "cv"  =>  amplitude_mA: found none
kind = "cv" ; amplitude_mA = 1 ; synapse = {}  =>  synapse: found a field
kind = "recovery" ; intervals_ms = []  =>  intervals_ms: found an empty list
kind = "recovery" ; intervals_ms = [3, -1]  =>  intervals_ms: found -1
kind = "recovery" ; intervals_ms = 3 ; [source] ; delay_ms = 5  =>  intervals_ms and delay_ms
kind = "recruitment" ; at_mA = []  =>  at_mA: found an empty list
kind = "recruitment" ; at_mA = [-1]  =>  at_mA: found -1
kind = "response" ; amplitude_mA = []  =>  amplitude_mA: found an empty list
kind = "response" ; amplitude_mA = "0:1"  =>  0:1 | start:stop:count
kind = "response" ; amplitude_mA = [nan]  =>  amplitude_mA: found NaN
kind = "response" ; test_pulse = { at_ms = [] }  =>  test_pulse: at_ms: found an empty list
kind = "response" ; test_pulse = { at_ms = [-4] }  =>  test_pulse: at_ms: found -4
kind = "response" ; test_pulse = { pw_ms = 0 }  =>  test_pulse: pw_ms: found 0
kind = "response" ; test_pulse = { amp_nA = nan }  =>  test_pulse: amp_nA: found NaN
kind = "response" ; test_pulse = { node = 99 }  =>  `99` | 0 to 52
kind = "response" ; [search] ; resolution = 0.1  =>  search: resolution has no effect
kind = "block" ; [search] ; early_end = false  =>  search: early_end has no effect
kind = "block" ; test_pulse = { at_ms = [] }  =>  test_pulse: at_ms: found an empty list
kind = "threshold" ; [[inject]] ; node = 3  =>  no amp_nA beside a field
kind = "threshold" ; [search] ; max_current_nA = 3  =>  max_current_nA has no effect | mA
kind = "threshold" ; [fibers] ; model = "smf" ; [search] ; extrapolate = true  =>  extrapolate | weights smf-mrg | 0.005 ms
kind = "recovery" ; intervals_ms = 3 ; [search] ; extrapolate = true  =>  extrapolate has no effect | no extrapolated thresholds
kind = "response" ; test_pulse = { at_ms = [100] } ; [numerics] ; tstop_ms = 10  =>  100 ms | 0 to 10 ms
"#,
    );
}

/// A slip of the finger does not take all memory: it is refused before anything is laid out.
#[test]
fn studies_beyond_memory_are_refused_at_once() {
    let folder = Folder::new("files-memory");
    folder.write(
        "s.toml",
        "[field]\ndistance_um = 500\n[fibers]\ncount = 1000000\n[protocol]\nkind = \"threshold\"\n",
    );
    folder.axonml("study s.toml --max-memory 0.5").refused(&[
        "s.toml",
        "a study of 1000000 cases",
        "--max-memory",
    ]);
}
