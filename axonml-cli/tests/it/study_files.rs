//! Study files: what flags mean as a file, and back.

use axonml::study::Study;

use crate::support::Folder;

/// One command of each kind, small.
const COMMANDS: [&str; 11] = [
    "threshold --point 900,0,100 --resistivity 300,100 --diameter 8,10 --nodes 21 --tstop 2 --resolution 0.05 --offset 100 \
     --set conductance.gna=2.5 --temperature 36 --polarity anodic --pulse biphasic:pw=0.2 --detect-at 0.2,0.8 \
     --detect-threshold -10 --detect-after 0.05 --first-amplitude 0.01 --max-amplitude 9 --no-early-end --precision f32 --rates table",
    "threshold --conditions t.csv --tstop 2 --resolution 0.05",
    "threshold --inject node=10,pw=0.2,delay=0.2 --max-current 50 --nodes 21 --tstop 2 --resolution 0.05 --warmup 1 --extrapolate",
    "threshold --block --distance 1000 --nodes 21 --tstop 8 --detect-nodes 18 --resolution 0.3 --max-amplitude 0.3 \
     --first-amplitude 0.1 --test-pulse node=2,amp=3,pw=0.2,at=4,6",
    "run --nerve small --contacts 1,-1 --diameter 10 --nodes 5 --detect-nodes 2 --tstop 2 --amplitude 0.5 --interpolation linear \
     --inject node=2,amp=4,delay=0.2",
    "recruitment --nerve small --diameter 9,10 --nodes 5 --detect-nodes 2 --tstop 1 --resolution 0.1 --at 0.1,1",
    "response --distance 500 --nodes 21 --tstop 3 --frequency 5,10 --amplitude 0:0.5:3",
    "cv --diameter 6,10 --nodes 21 --at 0.4,0.8",
    "cv --model sweeney --ends passive --diameter 10 --nodes 21 --start-by synapse --at 0.4,0.8",
    "curve strength-duration --distance 500 --nodes 21 --tstop 4 --pulse-width 0.1,0.5,1 --resolution 0.05",
    "curve recovery --distance 500 --nodes 21 --interval 2.5 --resolution 0.05",
];

#[test]
fn what_flags_mean_is_the_same_as_a_file() {
    let folder = Folder::new("files-round-trip");
    folder.nerve("small");
    folder.write(
        "t.csv",
        "diameter_um,distance_um,n_nodes,pw_ms\n8,500,21,0.1\n10,700,21,0.2\n",
    );
    for (index, command) in COMMANDS.iter().enumerate() {
        let printed = folder.axonml(&format!("{command} --print-study")).done();
        assert!(printed.stderr.is_empty(), "{printed:#?}");
        let study = Study::from_toml(&printed.stdout).unwrap();
        assert_eq!(study.to_toml().unwrap(), printed.stdout, "{command}");
        folder.write("s.toml", &printed.stdout);
        folder.write("s.json", serde_json::to_string(&study).unwrap());
        let out = |from: &str| format!("{index}-{from}.csv");
        folder
            .axonml(&format!("{command} -o {}", out("flags")))
            .done();
        for from in ["toml", "json"] {
            folder
                .axonml(&format!("study s.{from} -o {}", out(from)))
                .done();
            let [by_flags, by_file] = [out("flags"), out(from)].map(|name| folder.text(&name));
            assert!(by_flags.lines().count() > 1, "{command}: {by_flags}");
            assert_eq!(by_flags, by_file, "{command}");
        }
        // The file is the study: nothing is in it that nobody asked for.
        let reprinted = folder.axonml("study s.toml --print-study").done();
        assert_eq!(reprinted.stdout, printed.stdout);
    }
}

#[test]
fn the_largest_seed_survives_being_printed() {
    let folder = Folder::new("files-seed");
    let seed = format!("--seed {}", u64::MAX);
    let flags = format!(
        "threshold --inject node=2 --nodes 5 --detect-nodes 3 --tstop 2 --resolution 0.4 --offset random {seed}"
    );
    let printed = folder.axonml(&format!("{flags} --print-study")).done();
    folder.write("s.toml", printed.stdout);
    folder.axonml(&format!("{flags} -o a.csv")).done();
    folder.axonml("study s.toml -o b.csv").done();
    assert_eq!(folder.text("a.csv"), folder.text("b.csv"));
}
