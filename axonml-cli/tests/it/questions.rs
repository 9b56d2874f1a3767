//! The questions as their users ask them, against NEURON's answers.

use std::collections::HashMap;

use crate::support::{Folder, repository};

type Row = HashMap<String, String>;

/// Rows of a table of the repository's reference data.
fn golden(name: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(repository(&format!("golden/{name}"))).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

#[track_caller]
fn number(row: &Row, column: &str) -> f64 {
    row[column]
        .parse()
        .unwrap_or_else(|_| panic!("{column} of {row:?}"))
}

impl Folder {
    /// The rows that a command writes.
    fn ask(&self, command: &str) -> Vec<Row> {
        self.axonml(&format!("{command} -o answer.csv")).done();
        self.rows("answer.csv")
    }
}

/// Whether the brackets of two searches overlap.
#[track_caller]
fn overlap(ours: [f64; 2], theirs: [f64; 2], of: &Row) {
    assert!(
        ours[0] <= theirs[1] && ours[1] >= theirs[0],
        "{ours:?}, {theirs:?}: {of:?}"
    );
}

#[test]
fn injected_currents_excite_at_the_thresholds_of_neuron() {
    let folder = Folder::new("questions-intracellular");
    let mut expected: Vec<Row> = golden("questions/intracellular_thresholds.csv");
    assert_eq!(expected.len(), 9);
    while let Some(first) = expected.first().cloned() {
        // A command answers all diameters of a pulse width.
        let width = first["pw_ms"].clone();
        let (asked, rest): (Vec<Row>, Vec<Row>) =
            expected.into_iter().partition(|row| row["pw_ms"] == width);
        expected = rest;
        let diameters: Vec<&str> = asked
            .iter()
            .map(|row| row["diameter_um"].as_str())
            .collect();
        let found = folder.ask(&format!(
            "threshold --inject node={},pw={width},delay={} --diameter {} --nodes {} --tstop {} --resolution 1e-5",
            first["iclamp_node"],
            first["delay_ms"],
            diameters.join(","),
            first["n_nodes"],
            first["tstop_ms"]
        ));
        assert_eq!(found.len(), asked.len());
        for (found, expected) in found.iter().zip(&asked) {
            assert_eq!(found["status"], "ok");
            let ours = ["lower_nA", "threshold_nA"].map(|column| number(found, column));
            let theirs = ["lower_bound_nA", "threshold_nA"].map(|column| number(expected, column));
            overlap(ours, theirs, expected);
        }
    }
}

/// What the conditioning current starts is no answer to a current that is looked for.
#[test]
fn a_conditioned_fiber_has_a_threshold_of_injected_currents() {
    let folder = Folder::new("questions-conditioned");
    let threshold = |more: &str| {
        let found = folder.ask(&format!(
            "threshold --inject node=10,delay=6 --nodes 21 --resolution 0.01 {more}"
        ));
        assert_eq!(found[0]["status"], "ok", "{found:?}");
        assert!(number(&found[0], "start_ms") > 6.0);
        number(&found[0], "threshold_nA")
    };
    let (bare, conditioned) = (
        threshold(""),
        threshold("--conditioning node=10,amp=3,pw=0.2,at=1"),
    );
    // 5 ms after it, in the supernormal period.
    assert!(
        (0.7..0.98).contains(&(conditioned / bare)),
        "{conditioned} {bare}"
    );
}

#[test]
fn sources_with_waveforms_of_their_own_have_the_thresholds_of_neuron() {
    let folder = Folder::new("questions-sources");
    let nerve = repository("examples/nerves/N1");
    let expected = golden("questions/two_source_thresholds.csv");
    let commands = [
        (
            "F1",
            format!(
                "--nerve {nerve} --diameter 8.7 --pulse 0:biphasic:pw=0.2,delay=0.1 --pulse 2:monophasic:pw=0.1,delay=0.25"
            ),
        ),
        (
            "F2",
            "--point 1000,0,-1500 --point 1000,0,2500 --diameter 10 --pulse 0:monophasic:pw=0.1,delay=0.1 \
             --pulse 1:monophasic:pw=0.2,delay=0.25,scale=-0.6"
                .to_owned(),
        ),
    ];
    for (case, command) in commands {
        let expected = expected.iter().find(|row| row["case"] == case).unwrap();
        // Of the nerve's fibers the first.
        let found = folder.ask(&format!(
            "threshold {command} --nodes 53 --tstop 8 --resolution 1e-4"
        ));
        let ours = ["lower_mA", "threshold_mA"].map(|column| number(&found[0], column));
        let theirs = ["lower_bound_mA", "threshold_mA"].map(|column| number(expected, column));
        overlap(ours, theirs, expected);
    }
}

#[test]
fn fibers_recover_as_in_neuron() {
    let folder = Folder::new("questions-recovery");
    let expected = golden("questions/recovery_cycle.csv");
    // The conditioning current is the default one.
    let found = folder.ask(
        "curve recovery --interval 2,5 --distance 1000 --diameter 10 --nodes 53 --first-amplitude 0.1 --resolution 1e-4",
    );
    for (found, interval) in found.iter().zip(["2.0", "5.0"]) {
        let mut expected = expected.iter();
        let expected = expected.find(|row| row["interval_ms"] == interval).unwrap();
        assert_eq!(
            number(found, "interval_ms"),
            number(expected, "interval_ms")
        );
        let ours = ["lower_mA", "threshold_mA"].map(|column| number(found, column));
        let theirs = ["lower_bound_mA", "threshold_mA"].map(|column| number(expected, column));
        overlap(ours, theirs, expected);
        let ratio = number(found, "ratio") / number(expected, "ratio");
        assert!((ratio - 1.0).abs() < 3e-4, "{found:?}");
    }
}

#[test]
fn counts_under_khz_signals_are_those_of_neuron() {
    let folder = Folder::new("questions-khz");
    let expected = golden("neuron/khz.csv");
    let found = folder.ask(
        "response --distance 1000 --diameter 10 --nodes 53 --pulse sine:delay=0.5 --frequency 5,10 --amplitude 0,0.1,0.5 \
         --test-pulse node=5,amp=2,pw=0.1,at=15,20,25,30,35 --detect-nodes 48 --detect-threshold -20 --detect-after 14 \
         --tstop 40",
    );
    assert_eq!(found.len(), 6);
    for row in &found {
        let mut expected = expected.iter().filter(|theirs| {
            theirs["set"] == "public"
                && number(theirs, "dt_ms") == 0.005
                && number(theirs, "amp_mA") == number(row, "amplitude_mA")
                && number(theirs, "freq_kHz") == number(row, "frequency_kHz")
        });
        let expected = expected.next().unwrap();
        assert_eq!(
            number(row, "n_ap"),
            number(expected, "n_ap_after_14ms"),
            "{row:?}"
        );
        assert_eq!(number(row, "n_ap_expected"), 5.0);
        let state = match number(row, "n_ap") {
            0.0 => "blocked",
            5.0 => "transmitted",
            _ => "partial",
        };
        assert_eq!(row["state"], state, "{row:?}");
    }
}

#[test]
fn block_begins_where_it_does_in_neuron() {
    let folder = Folder::new("questions-block");
    let expected = golden("questions/block_thresholds.csv");
    let found = folder.ask(
        "threshold --block --distance 1000 --diameter 10 --nodes 53 --pulse sine:freq=10,delay=0.5 --tstop 40 \
         --test-pulse node=5,amp=2,pw=0.1,at=20,25,30,35 --detect-threshold -20 --detect-nodes 48 --detect-after 19 \
         --first-amplitude 0.1 --max-amplitude 1 --resolution 1e-3",
    );
    assert_eq!(found[0]["status"], "ok");
    for (quantity, columns) in [
        ("excitation", ["excitation_lower_mA", "excitation_mA"]),
        ("block_lower", ["block_lower_mA", "block_mA"]),
    ] {
        let mut expected = expected.iter();
        let expected = expected
            .find(|row| row["case"] == "P1" && row["quantity"] == quantity)
            .unwrap();
        let theirs = ["lower_mA", "upper_mA"].map(|column| number(expected, column));
        overlap(
            columns.map(|column| number(&found[0], column)),
            theirs,
            expected,
        );
    }
}

#[test]
fn mrg_conducts_as_fast_as_in_neuron() {
    let folder = Folder::new("questions-cv");
    let expected = golden("neuron/cv_mrg.csv");
    let diameters: Vec<&str> = expected
        .iter()
        .map(|row| row["diameter_um"].as_str())
        .collect();
    let found = folder.ask(&format!(
        "cv --sites 15,40 --inject node=5,amp=3,pw=0.2,delay=0.1 --nodes 53 --diameter {}",
        diameters.join(",")
    ));
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found["status"], "ok");
        for (ours, theirs) in [
            ("cv_m_per_s", "cv_m_per_s"),
            ("site_distance_um", "distance_um"),
            ("t_b_ms", "t_b_ms"),
        ] {
            let ratio = number(found, ours) / number(expected, theirs);
            assert!((ratio - 1.0).abs() < 1e-5, "{ours}: {ratio} {expected:?}");
        }
    }
}

#[test]
fn c_fibers_conduct_as_fast_as_in_pyfibers_and_their_runs_last_long_enough() {
    let folder = Folder::new("questions-cv-sundt");
    let expected = golden("neuron/cv_pyfibers.csv");
    let expected = expected.iter().find(|row| row["model"] == "SUNDT").unwrap();
    let synapse = "--start-by synapse:at=0.1 --detect-threshold -30 --start steady-state";
    let sites = format!("--sites {},{}", expected["node_a"], expected["node_b"]);
    let found = folder.ask(&format!(
        "cv --model sundt --nodes {} {sites} {synapse}",
        expected["n_nodes"]
    ));
    let ratio = number(&found[0], "cv_m_per_s") / number(expected, "cv_m_per_s");
    assert!((ratio - 1.0).abs() < 5e-3, "{ratio}");

    // Sites so far apart that 5 ms do not do: the duration follows from them, whatever starts the action potential.
    let far = "cv --model sundt --nodes 601 --dt 0.02 --sites 500,150";
    let mut found = folder.ask(&format!("{far} {synapse}"));
    found.extend(folder.ask(&format!("{far} --inject node=20,amp=0.5,pw=0.5,delay=0.1")));
    found.extend(folder.ask(&format!(
        "{far} --point 50,0,-2000 --pulse monophasic:pw=0.5 --amplitude 0.008"
    )));
    for row in &found {
        assert_eq!(row["status"], "ok", "{row:?}");
        assert!(number(row, "t_a_ms") > 5.0);
        let ratio = number(row, "cv_m_per_s") / number(expected, "cv_m_per_s");
        assert!((ratio - 1.0).abs() < 0.04, "{row:?}");
    }
    // One that is given stays.
    let found = folder.ask(&format!("{far} {synapse} --tstop 5"));
    assert_eq!(found[0]["status"], "propagation_failure", "{found:?}");
}

/// The weights of the nerve, as its folder has them.
fn weights(nerve: &str) -> Vec<f64> {
    let bytes = std::fs::read(format!("{nerve}/weights.npy")).unwrap();
    let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let text = std::str::from_utf8(&bytes[10..10 + header]).unwrap();
    assert!(text.contains("'<f8'"), "{text}");
    let (numbers, rest) = bytes[10 + header..].as_chunks::<8>();
    assert!(rest.is_empty());
    numbers
        .iter()
        .map(|bytes| f64::from_le_bytes(*bytes))
        .collect()
}

#[test]
fn half_of_the_nerve_is_recruited_where_its_thresholds_and_weights_say_so() {
    let folder = Folder::new("questions-recruitment");
    let nerve = repository("examples/nerves/N1");
    let flags = format!("--nerve {nerve} --diameter 10");
    let thresholds = folder.ask(&format!("threshold {flags}"));
    let weights = weights(&nerve);
    assert_eq!(thresholds.len(), weights.len());
    let active = thresholds
        .iter()
        .zip(&weights)
        .filter(|(row, _)| number(row, "threshold_mA") <= 0.1039);
    let active: f64 = active.map(|(_, weight)| weight).sum();
    let expected = active / weights.iter().sum::<f64>();
    assert!((expected - 0.53).abs() < 0.005, "{expected}");

    let answer = folder
        .axonml(&format!("recruitment {flags} --at 0.1039 -o r.json"))
        .done();
    assert!(
        answer.stdout.contains("0.1039 mA activate 53"),
        "{answer:#?}"
    );
    let found = folder.json("r.json");
    let at = &found["at"][0];
    assert_eq!(at["of"], "all");
    assert!(
        (at["fraction"].as_f64().unwrap() - expected).abs() < 1e-12,
        "{at}"
    );
    // The curve says the same at the last step below.
    let steps = found["results"].as_array().unwrap().iter();
    let below =
        steps.filter(|row| row["of"] == "all" && row["amplitude_mA"].as_f64().unwrap() <= 0.1039);
    let last = below
        .map(|row| row["fraction"].as_f64().unwrap())
        .fold(0.0, f64::max);
    assert!((last - expected).abs() < 1e-12, "{last} {expected}");
}

#[test]
fn a_thousand_fibers_are_drawn_alike_whatever_the_threads() {
    let folder = Folder::new("questions-thousand");
    folder.nerve("small");
    let study = |seed: u64| {
        format!(
            "[field]\nnerve = \"small\"\n[fibers]\ncount = 1000\nnodes = 5\noffset_um = \"random\"\n\
             diameter_um = {{ normal = {{ mean_um = 8, sd_um = 1.5, min_um = 5.7, max_um = 10 }} }}\n\
             [detection]\nnodes = 2\n[search]\nfirst_amplitude_mA = 0.05\nmax_amplitude_mA = 2\nresolution = 0.2\n\
             [numerics]\ntstop_ms = 0.6\ndt_ms = 0.01\nprecision = \"f32\"\nseed = {seed}\n[protocol]\nkind = \"threshold\"\n"
        )
    };
    folder.write("a.toml", study(4));
    folder.write("b.toml", study(5));
    let run = |study: &str, threads: usize| {
        folder
            .axonml(&format!(
                "study {study}.toml --threads {threads} -o out.csv -o out.npz"
            ))
            .done();
        (folder.read("out.csv"), folder.read("out.npz"))
    };
    let (first, first_npz) = run("a", 1);
    let found = folder.rows("out.csv");
    assert_eq!(found.len(), 1000);
    let ok = found
        .iter()
        .filter(|row| !row["threshold_mA"].is_empty())
        .count();
    assert!(ok > 500, "{ok}");
    let (again, _) = run("a", 1);
    let (threads, _) = run("a", 2);
    assert!(first == again && first == threads && !first_npz.is_empty());
    let (other, _) = run("b", 2);
    assert!(first != other);
}
