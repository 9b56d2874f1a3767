//! The targets, by the crate whose readers they are.

mod conditions;
mod datasets;
mod nerves;
mod training;
mod waveforms;
mod weights;

use crate::{Target, repair};

const fn target(
    name: &'static str,
    read: fn(&[u8]) -> crate::Outcome,
    dictionary: &'static [&'static str],
) -> Target {
    Target {
        name,
        read,
        dictionary,
        repair: None,
        bundled: false,
    }
}

const NPY: &[&str] = &[
    "NUMPY",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }",
    "'<f4'",
    "'<i8'",
    "'|b1'",
    "'<f2'",
    "'>f8'",
    "True",
    "(0, 18446744073709551615)",
    "(2,)",
    "()",
    "[('a', '<f8')]",
];

#[rustfmt::skip]
pub(crate) const TARGETS: &[Target] = &[
    target("pulse", waveforms::pulse, &[
        "monophasic", "biphasic", "charge-balanced", "asymmetric-biphasic", "triangle", "ramp", "gaussian", "exp", "sine",
        "sine-cycle", "train", "file:", "pw=", "pw1=", "pw2=", "gap=", "delay=", "scale=", "tau=", "dir=down", "freq=", "dur=",
        "n=", "pulse=", "train:pulse=", "train(pulse=", "(", ")", "+", ",", ":", "=",
    ]),
    target("waveform_table", waveforms::table, &[
        "time_ms,amplitude\n", "time_ms;amplitude\n", "# ", "% ", "\u{feff}", "\r\n", ";", "\t", ",", "\"", "0,", "\n0.1,-1",
    ]),
    target("delimited", waveforms::delimited, &[
        "#", "%", "\u{feff}", "\r\n", "\n", ";", "\t", ",", "\"", "\"\"", "0,1;2", " ", "\u{a0}", "\0", "nan", "1e400",
    ]),
    target("conditions", conditions::table, &[
        "model", "diameter_um", "n_nodes", "distance_um", "z_offset_um", "shape", "pw_ms", "delay_ms", "tstop_ms", "dt_ms",
        "delta_z_um", "length_um", "resistivity_ohm_cm", "detect_node_index", "detect_threshold_mV", "threshold_mA", "pulse",
        "polarity", "temperature", "nerve", "contacts", "mono", "biphasic_gap0.1", "sine_burst10_5", "MRG_POLY", "sundt", "smf",
        "anodic", ",", "\n", "\"",
    ]),
    Target { repair: Some(repair::npy), ..target("npy", nerves::npy, NPY) },
    Target { repair: Some(repair::zip), ..target("npz", nerves::npz, NPY) },
    Target { repair: Some(repair::bundled_arrays), bundled: true, ..target("nerve", nerves::folder, &[
        "0.npy\0", "1.npy\0", "2.npy\0", "fiber_z.npy\0", "fibers_xy.npy\0", "target.npy\0", "weights.npy\0", "nerve.json\0",
        "'<f8'", "'<f4'", "'|b1'", "'|u1'", "(2, 5)", "(5,)", "(2,)", "[", "{", "\"units\":", "null",
    ]) },
    Target { repair: Some(repair::safetensors), ..target("model_file", weights::model_file, &[
        "__metadata__", "format", "axonml model 1", "model", "\"smf\"", "\"two-mode\"", "start", "v_mV", "states", "units",
        "dtype", "F64", "F32", "shape", "data_offsets", "[0,8]", "null", "{", "[", "diameter_um",
    ]) },
    Target { repair: Some(repair::zip), ..target("pytorch", weights::pytorch, &[
        "archive/data.pkl", "archive/data/0", "byteorder", "little", "ctorch._utils\n_rebuild_tensor_v2\n",
        "ccollections\nOrderedDict\n", "ctorch\nDoubleStorage\n", "cos\nsystem\n", "ssd.weight", "model_state_dict",
        "(", ")", "}", "]", "t", "R", "Q", "q\0", "h\0", "u", "s", "K\u{1}", "M\u{1}\u{1}", ".",
    ]) },
    target("training_config", training::config, &[
        "[train]\n", "[valid]\n", "[[stage]]\n", "[stage.loss]\n", "[valid.thresholds]\n", "kind = \"trajectory\"\n",
        "kind = \"thresholds\"\n", "recipe = \"r.toml\"\n", "save_dir = \"d\"\n", "set = { gl = 0.1 }\n", "#set stage.0.batch=3\n",
        "[", "{", "a.b.c = 1\n", "nan", "inf", "steps = 0\n", "count = 0\n",
    ]),
    target("recipe", training::recipe, &[
        "[[fields]]\n", "[[pulses]]\n", "kind = \"point\"\n", "kind = \"nerve\"\n", "folder = \"f\"\n", "model = \"mrg\"\n",
        "shape = \"biphasic\"\n", "{ low = 0, high = 1 }", "spacing = \"log\"", "distance_um = ", "weight = ", "polarity = ",
        "tstop_ms = ", "dt_ms = ", "nodes = ", "count = ", "[", "nan", "inf",
    ]),
    Target { repair: Some(repair::checkpoint), ..target("checkpoint", training::checkpoint, &[
        "AXONMLCP", "\u{1}", "\0",
    ]) },
    Target { repair: Some(repair::dataset), bundled: true, ..target("dataset", datasets::folder, &[
        "manifest.json\0", "shard-00000/states.npy\0", "\"files\": {}", "\"../x.npy\"", "\"request\"", "\"shards\"", "\"states\"",
        "\"v\"", "null", "[", "{", "'<f4'", "'<f8'",
    ]) },
    target("hdf5", datasets::hdf5, &[
        "HDF\r\n\u{1a}\n", "TREE", "SNOD", "HEAP", "FRHP", "FSHD", "BTHD", "OHDR", "OCHK", "GCOL", "EAHD", "FAHD", "diameters",
    ]),
];
