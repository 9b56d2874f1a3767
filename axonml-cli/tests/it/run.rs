//! `axonml run`.

use ndarray::{Array1, Array2, Array3};
use ndarray_npy::NpzReader;

use crate::support::{Folder, repository};

#[test]
fn the_bare_command_conducts_an_action_potential() {
    let folder = Folder::new("bare-run");
    let answer = folder.axonml("run").done();
    assert!(
        answer
            .stderr
            .contains("injecting 2 nA for 0.1 ms into node 0 at 1 ms")
    );
    assert!(
        answer.stdout.contains("reach the detection nodes of 1"),
        "{answer:#?}"
    );
}

#[test]
fn recordings_are_those_of_neuron() {
    let folder = Folder::new("neuron");
    // Trace 02 is a monophasic pulse; what else it is says the file.
    let path = repository("golden/neuron/traces_mrg_02_supra_mono.npz");
    let mut golden = NpzReader::new(std::fs::File::open(path).unwrap()).unwrap();
    let number = |golden: &mut NpzReader<std::fs::File>, name: &str| {
        golden
            .by_name::<ndarray::OwnedRepr<f64>, ndarray::Ix0>(name)
            .unwrap()
            .into_scalar()
    };
    let (diameter, amplitude) = (
        number(&mut golden, "diameter_um"),
        number(&mut golden, "amp_mA"),
    );
    let waveform: Array1<f64> = golden.by_name("w_eff").unwrap();
    let field: Array1<f64> = golden.by_name("ve_sections_per_mA").unwrap();
    let v: Array2<f64> = golden.by_name("v").unwrap();
    folder.npy("basis.npy", &[1, field.len()], |i| field[i]);
    let lines: Vec<String> = waveform
        .iter()
        .enumerate()
        .map(|(i, w)| format!("{},{w}", i as f64 * 0.005))
        .collect();
    folder.write("w.csv", lines.join("\n"));
    folder
        .axonml(&format!(
            "run --basis basis.npy --pulse file:w.csv --amplitude {amplitude} --diameter {diameter} --nodes {} --tstop {} \
             -o r.npz --record m,s",
            v.ncols(),
            waveform.len() as f64 * 0.005
        ))
        .done();
    let mut npz = NpzReader::new(std::fs::File::open(folder.0.join("r.npz")).unwrap()).unwrap();
    let ours: Array3<f64> = npz.by_name("v_mV").unwrap();
    let m: Array3<f64> = npz.by_name("m").unwrap();
    let t: Array1<f64> = npz.by_name("t_ms").unwrap();
    let z: Array2<f64> = npz.by_name("z_um").unwrap();
    let diameters: Array1<f64> = npz.by_name("diameter_um").unwrap();
    assert_eq!(ours.dim(), (t.len(), 1, v.ncols()));
    assert_eq!(
        (m.dim(), z.dim(), diameters[0]),
        (ours.dim(), (1, v.ncols()), diameter)
    );
    for (row, t) in t.iter().enumerate() {
        assert!((t - row as f64 * 0.005).abs() < 1e-9);
        for node in 0..v.ncols() {
            let difference = (ours[[row, 0, node]] - v[[row, node]]).abs();
            assert!(
                difference < 1e-4,
                "step {row}, node {node}: {difference} mV"
            );
        }
    }
}

#[test]
fn selections_of_a_recording() {
    let folder = Folder::new("selections");
    let command = "run --point 1000,0,0 --amplitude 0.3 --diameter 8,10 --tstop 2";
    folder
        .axonml(&format!("{command} -o all.npz --record all"))
        .done();
    folder
        .axonml(&format!(
            "{command} -o some.npz --record h --every 7 --record-nodes 5,-1"
        ))
        .done();
    let open =
        |name: &str| NpzReader::new(std::fs::File::open(folder.0.join(name)).unwrap()).unwrap();
    let (mut all, mut some) = (open("all.npz"), open("some.npz"));
    for (array, other) in [("v_mV", "m"), ("h", "p")] {
        let whole: Array3<f64> = all.by_name(array).unwrap();
        let part: Array3<f64> = some.by_name(array).unwrap();
        assert_eq!((whole.dim(), part.dim()), ((401, 2, 53), (58, 2, 2)));
        for row in 0..58 {
            assert_eq!(part[[row, 1, 0]], whole[[7 * row, 1, 5]]);
            assert_eq!(part[[row, 0, 1]], whole[[7 * row, 0, 52]]);
        }
        assert!(
            all.by_name::<ndarray::OwnedRepr<f64>, ndarray::Ix3>(other)
                .is_ok()
        );
    }
    assert_eq!(
        some.by_name::<ndarray::OwnedRepr<i64>, ndarray::Ix1>("node")
            .unwrap()
            .to_vec(),
        [5, 52]
    );
    assert!(
        some.by_name::<ndarray::OwnedRepr<f64>, ndarray::Ix3>("m")
            .is_err()
    );
}

#[test]
fn spikes_of_a_nerve() {
    let folder = Folder::new("spikes");
    let nerve = repository("examples/nerves/N1");
    folder
        .axonml(&format!(
            "run --nerve {nerve} --diameter 10 --amplitude 0.09 -o s.csv -o s.json"
        ))
        .done();
    let json = folder.json("s.json");
    let results = json["results"].as_array().unwrap();
    assert_eq!(results.len(), 12);
    let detected = results
        .iter()
        .filter(|row| row["detected_spikes"] == 1)
        .count();
    assert!(detected > 0 && detected < 12, "{detected} of 12 fibers");
    let spikes = folder.rows("s.csv");
    assert_eq!(
        json["summary"]["spikes"].as_u64().unwrap() as usize,
        spikes.len()
    );
    assert_eq!(json["spikes"].as_array().unwrap().len(), spikes.len());
    let active: f64 = results
        .iter()
        .map(|row| row["active_nodes"].as_f64().unwrap())
        .sum();
    assert!(active <= spikes.len() as f64);
    for spike in &spikes {
        assert_eq!(spike["nerve"], "N1");
        assert!(spike["t_ms"].parse::<f64>().unwrap() > 0.1);
    }
    assert_eq!(
        folder.json("s.csv.json")["rows"].as_u64().unwrap() as usize,
        spikes.len()
    );
}

#[test]
fn what_can_be_run_is_run() {
    let folder = Folder::new("run-keep-going");
    folder.npy("basis.npy", &[3, 573], |i| {
        if i == 573 { f64::NAN } else { 1.0 }
    });
    let answer = folder.axonml("run --basis basis.npy --keep-going -o r.npz -o r.json");
    answer.failed(1, &["1 of 3 fibers", "fiber 1, 10 um"]);
    let rows = folder.json("r.json")["results"].clone();
    assert_eq!(
        [&rows[0]["status"], &rows[1]["status"], &rows[2]["status"]],
        ["ok", "error", "ok"]
    );
    let mut npz = NpzReader::new(std::fs::File::open(folder.0.join("r.npz")).unwrap()).unwrap();
    assert_eq!(
        npz.by_name::<ndarray::OwnedRepr<i64>, ndarray::Ix1>("fiber")
            .unwrap()
            .to_vec(),
        [0, 2]
    );

    // A fiber that diverges does not take the others with it: potentials of the second would be kilovolts.
    folder.npy("volts.npy", &[2, 53], |i| {
        let size = if i < 53 { 100.0 } else { 1e9 };
        size / (1.0 + (i as f64 % 53.0 - 26.0).abs())
    });
    let answer = folder.axonml("run --model smf --weights published --basis volts.npy --amplitude 0.01 --diameter 10 -o d.npz -o d.json");
    answer.failed(
        1,
        &[
            "fiber 1, 10 um: diverged at 0.105 ms, node",
            "exceeds 10000 mV",
        ],
    );
    assert_eq!(folder.json("d.json")["results"][0]["status"], "ok");
    assert!(folder.has("d.npz"));
}
