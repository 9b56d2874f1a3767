//! Sets and trainings of fibers of one's own, from their files to their weights.

use crate::support::{Folder, repository};

const SQUID: &str = include_str!("../../../examples/fibers/hodgkin_huxley.toml");

const RECIPE: &str = "\
model = \"../fibers/squid.toml\"
seed = 5
count = 8
nodes = 21
tstop_ms = 0.6
diameter_um = { low = 0.5, high = 2 }
[[fields]]
kind = \"point\"
distance_um = { low = 60, high = 200, spacing = \"log\" }
[[pulses]]
shape = \"monophasic\"
polarity = \"cathodic\"
amplitude_ma = { low = 0.05, high = 0.5 }
pw = { low = 0.05, high = 0.2 }
";

const CONFIG: &str = "\
model = \"../fibers/squid.toml\"
save_dir = \"out\"
save_every = 1
to_train = [\"conductance\"]
set = { gna = 0.1 }
[train]
recipe = \"recipe.toml\"
[[stage]]
kind = \"trajectory\"
epochs = 2
batch = 4
";

const FIBERS: &str = "--diameter 1 --nodes 41 --distance 100 --detect-nodes 30 --tstop 3";

fn folder(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write("fibers/squid.toml", SQUID);
    folder.write("training/recipe.toml", RECIPE);
    folder.write("training/c.toml", CONFIG);
    folder
}

/// A value of a model file's header.
fn header(folder: &Folder, name: &str) -> serde_json::Value {
    let bytes = folder.read(name);
    let length = u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
    serde_json::from_slice(&bytes[8..8 + length]).unwrap()
}

/// Paths start from the file that has them; the weights are ones that other commands take for that fiber, and no other.
#[test]
fn weights_of_a_fiber_file_are_used_with_it() {
    let folder = folder("own-train");
    let answer = folder.axonml("train training/c.toml -v").done();
    assert!(
        answer.stderr.contains("3 parameters: gk, gl, gna"),
        "{answer:#?}"
    );
    let weights = "training/out/last.safetensors";
    let threshold = |flags: &str| -> f64 {
        folder
            .axonml(&format!("threshold {flags} {FIBERS} -o t.csv -q"))
            .done();
        folder.rows("t.csv")[0]["threshold_mA"].parse().unwrap()
    };
    let own = "--model fibers/squid.toml";
    let trained = threshold(&format!("{own} --weights {weights}"));
    assert_ne!(trained, threshold(own));
    // The trained values by hand, in the bundled twin.
    let exported = format!("export {own} --weights {weights} -o again.safetensors -q");
    folder.axonml(&exported).done();
    let again = format!("{own} --weights again.safetensors");
    assert_eq!(threshold(&again), trained);
    let values: serde_json::Value = serde_json::from_str(
        header(&folder, weights)["__metadata__"]["provenance"]
            .as_str()
            .unwrap(),
    )
    .unwrap();
    assert!(
        values["fiber_file"]
            .as_str()
            .unwrap()
            .contains("id = \"my-squid\""),
        "{values}"
    );
    let bytes = folder.read(weights);
    let parsed = header(&folder, weights);
    let start = 8 + u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
    let value = |name: &str| {
        let at = start + parsed[name]["data_offsets"][0].as_u64().unwrap() as usize;
        f64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
    };
    let sets: Vec<String> = ["gna", "gk", "gl"]
        .map(|name| format!("--set {name}={}", value(name)))
        .to_vec();
    assert_eq!(
        threshold(&format!("--model hh {}", sets.join(" "))),
        trained
    );

    // An evaluation of it against the twin: alike untrained, and not as it was trained.
    let row = "diameter_um,n_nodes,distance_um,tstop_ms\n1,41,100,3\n";
    folder.write("rows.csv", row);
    let evaluate = |weights: &str| -> f64 {
        let flags = format!("{own} {weights} --reference hh --detect-nodes 30 --thresholds-only");
        folder
            .axonml(&format!(
                "evaluate {flags} --conditions rows.csv -o e.json -q"
            ))
            .done();
        let summary = folder.json("e.json")["summary"].clone();
        summary["max_abs_pct"]
            .as_f64()
            .unwrap_or_else(|| panic!("{summary}"))
    };
    assert_eq!(evaluate(""), 0.0);
    assert!(evaluate(&format!("--weights {weights}")) > 0.0);

    folder
        .axonml(&format!(
            "threshold --model hh --weights {weights} {FIBERS}"
        ))
        .refused(&[
            "unknown model `my-squid`",
            "with its fiber file: --model FILE.toml",
        ]);
    let other = SQUID.replace("ena", "e_na");
    folder.write("fibers/other.toml", other);
    folder
        .axonml(&format!(
            "threshold --model fibers/other.toml --weights {weights} {FIBERS}"
        ))
        .refused(&["model `my-squid` has no parameter `ena`", "e_na"]);

    folder.write("fibers/squid.toml", SQUID.replace("-77", "-76"));
    folder.axonml("train training/c.toml --resume").refused(&[
        "begun with model.param.ek.value = -77",
        "but -76",
        "repeat the settings of the checkpoint",
    ]);
    folder
        .axonml("train training/c.toml --set model=absent.toml --set save_dir=none")
        .refused(&[
            "training/c.toml: model: cannot read `training/absent.toml`",
            "existing fiber file",
        ]);
    folder
        .axonml("train training/c.toml --set to_train=[] --set save_dir=none")
        .refused(&[
            "no parameter of model `my-squid` is left to train",
            "`to_train`",
        ]);
    assert!(!folder.has("training/none"));
}

#[test]
fn a_set_of_a_fiber_file_needs_it_no_more() {
    let folder = folder("own-set");
    let generate = "dataset generate -o set --recipe training/recipe.toml --every 20";
    folder.axonml(generate).done();
    let printed = folder
        .axonml("dataset generate --recipe training/recipe.toml --print-recipe")
        .done()
        .stdout;
    assert!(printed.contains("id = \"my-squid\""), "{printed}");
    folder.write("printed.toml", printed);
    // A flag names a file of the working folder.
    folder
        .axonml("dataset generate -o flags --recipe training/recipe.toml --model fibers/squid.toml --every 20")
        .done();
    assert!(folder.read("flags/manifest.json") == folder.read("set/manifest.json"));

    folder.write("fibers/squid.toml", SQUID.replace("0.12,", "0.13,"));
    folder.axonml(generate).refused(&[
        "`request.recipe.model.param.gna.value` is 0.12 there, but 0.13 was requested",
        "repeat the request of the set",
    ]);
    std::fs::remove_file(folder.0.join("fibers/squid.toml")).unwrap();
    let answer = folder.axonml("dataset inspect set").done();
    assert!(
        answer.stdout.contains("model my-squid, seed 5"),
        "{answer:#?}"
    );
    folder.axonml("dataset inspect set --verify").done();
    let answer = folder
        .axonml("dataset generate -o set --recipe printed.toml --every 20")
        .done();
    assert!(answer.stdout.contains("simulated 0 in"), "{answer:#?}");
    folder.axonml(generate).refused(&[
        "model of the recipe: cannot read `training/../fibers/squid.toml`",
        "name a bundled model, or an existing fiber file",
    ]);
    folder.write("fibers/squid.toml", SQUID.replace("my-squid", "sundt"));
    folder
        .axonml(generate)
        .refused(&["squid.toml: line 4", "an id that no bundled model has"]);
}

/// The example trains, and its test set is one; a step of each stage on short fibers is enough here.
#[test]
fn the_c_fiber_of_the_examples_is_trained() {
    let folder = Folder::new("own-example");
    let example = repository("examples/train/c_fiber");
    let out = folder.0.join("trained");
    let few = "--set nodes=41 --set train.count=4 --set valid.thresholds.count=2 --set stage.0.steps=1 --set stage.0.batch=2 \
               --set stage.1.cases=4 --set stage.1.iterations=1";
    let answer = folder
        .axonml(&format!(
            "train {example}/train.toml --set save_dir={} {few} -v",
            out.display()
        ))
        .done();
    assert!(
        answer.stderr.contains("18 parameters: ah, ah_k, ah_v, am,"),
        "{answer:#?}"
    );
    let table = folder.0.join("rows.csv");
    let test = std::fs::read_to_string(repository("examples/train/c_fiber/test.csv")).unwrap();
    let rows: Vec<&str> = test.lines().take(2).collect();
    std::fs::write(table, rows.join("\n")).unwrap();
    folder
        .axonml(&format!(
            "evaluate --model {example}/two_gates.toml --weights trained/best.safetensors --reference sundt \
             --conditions rows.csv --detect-nodes 5,-5 --thresholds-only -o e.json -q"
        ))
        .done();
    assert_eq!(folder.json("e.json")["summary"]["n"], 1);
}
