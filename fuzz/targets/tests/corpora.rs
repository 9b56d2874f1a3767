//! Every kept input has the outcome that its name states, and mutated ones crash nothing.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use fuzz_targets::{Campaign, Expected, Outcome, TARGETS, Target, Watchdog, corpora, corpus};

/// How long one input may take: release builds are several times as fast.
const LIMIT: Duration = Duration::from_secs(10);

/// Mutated inputs of each target, and the time after which no more are tried.
const EXECUTIONS: u64 = 3000;
const ENOUGH: Duration = Duration::from_millis(800);

/// Largest size of all corpora together.
const LARGEST: u64 = 2_000_000;

/// Ends the process where an input takes too long: nothing else can end a thread.
fn watchdog(target: &'static str) -> Watchdog {
    Watchdog::start(LIMIT, move |input| {
        let file = std::env::temp_dir().join(format!("axonml-{target}-slow"));
        let saved = std::fs::write(&file, input);
        eprintln!(
            "{target}: more than {LIMIT:?} for {} ({saved:?})",
            file.display()
        );
        std::process::exit(101);
    })
}

fn replay(target: &'static Target) {
    let samples = corpus(target.name).unwrap();
    let watchdog = watchdog(target.name);
    let mut expected = BTreeSet::new();
    for sample in &samples {
        let label = format!("{}/{}", target.name, sample.name);
        let outcome = watchdog.watch(&sample.bytes, |bytes| target.execute(bytes));
        let outcome = outcome.unwrap_or_else(|message| panic!("{label}: {message}"));
        match (sample.expected, &outcome) {
            (Expected::Accepted, Outcome::Refused(message)) => panic!("{label}: {message}"),
            (Expected::Refused, Outcome::Accepted) => panic!("{label} is accepted"),
            _ => {}
        }
        expected.insert(sample.expected as usize);
    }
    for kind in [Expected::Accepted, Expected::Refused] {
        assert!(
            expected.contains(&(kind as usize)),
            "{}: found no {kind:?} input",
            target.name
        );
    }
    let mut campaign = Campaign::new(target, &samples, 1);
    let start = Instant::now();
    while campaign.executions < EXECUTIONS && start.elapsed() < ENOUGH {
        let input = campaign.next_input();
        let result = watchdog.watch(&input, |bytes| target.execute(bytes));
        if let Err(finding) = campaign.learn(input, result) {
            let file = std::env::temp_dir().join(format!("axonml-{}-crash", target.name));
            std::fs::write(&file, &finding.input).unwrap();
            panic!(
                "{}: {} for {}",
                target.name,
                finding.message,
                file.display()
            );
        }
    }
    println!(
        "{}: {} inputs kept, {} mutated, {} of these accepted",
        target.name,
        samples.len(),
        campaign.executions,
        campaign.accepted
    );
}

/// A test per target, so that they run side by side and a failure is named.
macro_rules! targets {
    ($($name:ident),* $(,)?) => {
        $(#[test]
        fn $name() {
            replay(fuzz_targets::target(stringify!($name)).unwrap());
        })*

        #[test]
        fn every_target_is_replayed_and_has_a_binary_of_cargo_fuzz() {
            let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(names, [$(stringify!($name)),*]);
            let folder = corpora().join("..");
            let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
            for name in names {
                assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
                let file = folder.join(format!("fuzz_targets/{name}.rs"));
                let text = std::fs::read_to_string(file).unwrap();
                assert!(text.contains(&format!("fuzz(\"{name}\", data)")), "{name}");
            }
        }
    };
}

targets!(
    pulse,
    waveform_table,
    delimited,
    conditions,
    npy,
    npz,
    nerve,
    model_file,
    pytorch,
    training_config,
    recipe,
    checkpoint,
    dataset,
    hdf5,
);

#[test]
fn corpora_are_small_and_each_belongs_to_a_target() {
    let mut total = 0;
    for entry in std::fs::read_dir(corpora()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            assert!(fuzz_targets::target(&name).is_some(), "{name}");
            let samples = corpus(&name).unwrap();
            total += samples.iter().map(|s| s.bytes.len() as u64).sum::<u64>();
        }
    }
    assert!(total < LARGEST, "the corpora weigh {total} bytes");
}
