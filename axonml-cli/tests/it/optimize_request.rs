//! `axonml optimize`: what its flags mean as a study, and what is refused.

use axonml::study::{
    AdaptationSpec, Criterion, DeInit, DescentRule, Diameters, ExpansionSpec, GdInit, Jade, Method,
    ObjectiveSpec, OffsetNoise, OptimizeProtocol, PenaltyName, Protocol, Span, Study, TargetSpec,
    Varied, Want,
};

use crate::support::Folder;

/// The study that is printed, which must be read back as it was.
fn printed(folder: &Folder, command: &str) -> Study {
    let answer = folder
        .axonml(&format!("optimize {command} --print-study"))
        .done();
    assert!(answer.stderr.is_empty(), "{answer:#?}");
    let study = Study::from_toml(&answer.stdout).unwrap();
    let code = answer.stdout.lines().filter(|line| !line.starts_with("# "));
    let code: Vec<&str> = code.collect();
    let again = study.to_toml().unwrap();
    assert_eq!(again.lines().collect::<Vec<_>>(), code, "{command}");
    assert_eq!(study.with_design_defaults(), study, "{command}");
    study
}

fn protocol(study: &Study) -> &OptimizeProtocol {
    match &study.protocol {
        Protocol::Optimize(protocol) => protocol,
        other => panic!("it is an optimization, not {other:?}"),
    }
}

#[test]
fn every_flag_has_its_key() {
    let folder = Folder::new("optimize-flags");
    let gd = printed(
        &folder,
        "gd --nerve a --diameter 5.7,8.7 --diameter-shares 3,1 --nodes 53 --target fascicles:0,2 --area-weights w.npy \
         --recruit 0.1:0.8 --group C:model=sundt,diameter=0.8,nodes=101,want=spare,weight=2 --objective margin \
         --penalty charge=0.1,peak=2 --waveform biphasic:pw=0.1,delay=0.3 --vary samples --window 0.2:1.2 --sample-ms 0.01 \
         --expand spline:12 --bound 0.5 --bounds b.csv --sum-zero --unbalanced --charge-max 60 --shannon 1.85 \
         --contact-area 0.03 --compliance 0.4 --contact-ohm 100 --dac 0.01 --max-contacts 4 --frozen 0=0,3=-0.1 --steps 30 \
         --starts 4 --rule ranger --lr 0.2 --lr-end 0.5 --clip 3 --init random --robust 8 \
         --perturb amplitude=2%,diameter=4%,offset=none,rotation=3deg,dt=same --baselines off \
         --max-seconds 60 --max-evaluations 1000 --seed 7 --dt 0.01 --tstop 3 --precision f64 --resolution 1e-2 \
         --offset 100 --interpolation linear --detect-nodes 7 --option gd.schedule=exponential",
    );
    let p = protocol(&gd);
    assert_eq!(p.method, Some(Method::Gd));
    assert_eq!(p.target, Some(TargetSpec::Fascicles(vec![0, 2])));
    assert_eq!(p.area_weights.as_deref(), Some("w.npy".as_ref()));
    assert_eq!(p.diameter_shares, Some(vec![3.0, 1.0]));
    assert_eq!(p.recruit(), [0.1, 0.8]);
    assert_eq!(p.objective(), ObjectiveSpec::Margin);
    assert_eq!(p.penalty.weight(PenaltyName::Charge), 0.1);
    assert_eq!(p.penalty.weight(PenaltyName::Peak), 2.0);
    assert_eq!(p.penalty.weight(PenaltyName::Smooth), 0.0);
    assert_eq!((p.max_seconds, p.max_evaluations), (Some(60.0), Some(1000)));
    assert!(!p.baselines());
    let [main, c] = &gd.fibers[..] else {
        panic!("two groups: {:?}", gd.fibers);
    };
    assert_eq!(main.diameter_um, Some(Diameters::List(vec![5.7, 8.7])));
    assert_eq!((main.nodes, main.want()), (Some(53), Want::Target));
    assert_eq!((c.name.as_deref(), c.want()), (Some("C"), Want::Spare));
    assert_eq!((c.nodes, c.weight), (Some(101), Some(2.0)));
    assert_eq!(gd.field.nerve.as_deref(), Some("a".as_ref()));
    assert!(!gd.field.demonstration);
    let stimulus = &gd.stimulus;
    assert_eq!(stimulus.waveform(), "biphasic:pw=0.1,delay=0.3");
    assert_eq!(stimulus.vary(), [Varied::Samples]);
    assert_eq!(stimulus.window_ms(), Some([0.2, 1.2]));
    assert_eq!(stimulus.sample_ms(0.005), 0.01);
    assert_eq!(stimulus.expand(), ExpansionSpec::Spline(12));
    let limits = &gd.limits;
    assert_eq!(limits.bound_ma(), 0.5);
    assert_eq!(limits.bounds.as_deref(), Some("b.csv".as_ref()));
    assert!(limits.sum_zero && limits.unbalanced);
    assert_eq!(limits.charge_max_nc, Some(60.0));
    assert_eq!(limits.shannon_k, Some(1.85));
    assert_eq!(limits.contact_area_cm2(5), Some(0.03));
    assert_eq!(
        (limits.compliance_v, limits.contact_ohm()),
        (Some(0.4), 100.0)
    );
    assert_eq!((limits.dac_ma, limits.max_contacts), (Some(0.01), Some(4)));
    assert_eq!(limits.frozen_ma, [(0, 0.0), (3, -0.1)].into());
    assert_eq!((gd.gd.steps(), gd.gd.starts()), (30, 4));
    assert_eq!(gd.gd.rule(), DescentRule::Ranger);
    assert_eq!((gd.gd.lr(false), gd.gd.lr_end()), (0.2, 0.5));
    assert_eq!(gd.gd.schedule().name(), "exponential");
    assert_eq!((gd.gd.clip, gd.gd.init()), (Some(3.0), GdInit::Random));
    let robust = &gd.robust;
    assert_eq!((robust.copies(), robust.in_loop()), (8, 0));
    assert_eq!((robust.amplitude(), robust.diameter()), (0.02, 0.04));
    assert_eq!(robust.offset, Some(OffsetNoise::None));
    assert_eq!((robust.rotation_deg, robust.dt_half()), (Some(3.0), false));
    assert_eq!(gd.numerics.seed, Some(7));
    assert_eq!(gd.search.resolution, Some(1e-2));

    let de = printed(
        &folder,
        "de --nerve a --nerve b --shared --strategy currenttopbestexp --adaptation jade:p=0.2 --population 40 --generations 9 \
         --init mlhs --boundary reflect --robust-in-loop 3 --objectives area,charge --then gd --vary amplitude,pw --pw-range 0.1:0.5",
    );
    let p = protocol(&de);
    assert_eq!((p.method, p.then), (Some(Method::De), Some(Method::Gd)));
    assert_eq!(p.nerves, ["a", "b"].map(std::path::PathBuf::from));
    assert!(p.shared && de.field.nerve.is_none());
    let both = [
        Criterion::Objective(ObjectiveSpec::Area),
        Criterion::Penalty(PenaltyName::Charge),
    ];
    assert_eq!(p.pareto(), Some(both));
    let jade = Jade {
        p: 0.2,
        ..Jade::default()
    };
    assert_eq!(de.de.adaptation(), AdaptationSpec::Jade(jade));
    assert_eq!(de.de.strategy().to_string(), "currenttopbestexp");
    assert_eq!((de.de.population, de.de.generations()), (Some(40), 9));
    assert_eq!((de.de.init(), de.robust.in_loop()), (DeInit::Mlhs, 3));
    assert_eq!(de.de.boundary().name(), "reflect");
    assert_eq!(de.stimulus.pw_range_ms(), [0.1, 0.5]);
    let fixed = printed(
        &folder,
        "de --mutation 0.5:1 --recombination 0.9 --target-loss 0.1 --patience 3",
    );
    assert_eq!(fixed.de.mutation, Some(Span([0.5, 1.0])));
    assert_eq!(fixed.de.recombination(), 0.9);
    assert_eq!(fixed.de.patience(), 3);
    assert_eq!(fixed.de.target_loss, Some(0.1));
}

#[test]
fn bare_commands_run_the_bundled_nerve_with_every_default_printed() {
    let folder = Folder::new("optimize-bare");
    for (command, method) in [
        ("scan", Method::Scan),
        ("gd", Method::Gd),
        ("de", Method::De),
    ] {
        let study = printed(&folder, command);
        assert_eq!(protocol(&study).method, Some(method));
        assert!(study.field.demonstration);
        assert_eq!(study.limits.bound_ma, Some(3.0));
        assert_eq!(study.robust.copies, Some(32));
        assert_eq!(study.gd.steps, (command == "gd").then_some(60));
        assert_eq!(study.de.generations, (command == "de").then_some(100));
    }
    let text = folder.axonml("optimize gd --print-study").done().stdout;
    for comment in [
        "# what every stimulus obeys\n[limits]",
        "# gradient descent\n[gd]",
    ] {
        assert!(text.contains(comment), "{text}");
    }
}

/// Each: a command, and parts of its message: what is wrong, what was found and expected, and the remedy.
const REFUSED: &[(&str, &[&str])] = &[
    ("gd --bound -1", &["--bound", "-1", "in mA greater than 0"]),
    (
        "gd --bound 1 --dac 2",
        &["dac_mA 2 contradicts bound_mA 1", "--dac", "--bound"],
    ),
    ("gd --frozen 9=0.1", &["contact 9", "0 to 5", "--frozen"]),
    ("gd --frozen x=0.1", &["--frozen", "contact is `x`"]),
    (
        "gd --sum-zero --max-contacts 1",
        &["max_contacts 1 contradicts sum_zero", "--max-contacts"],
    ),
    (
        "gd --contact-area 0.1",
        &["contact_area_cm2 has no effect", "--shannon"],
    ),
    (
        "gd --contact-ohm 10",
        &["contact_ohm has no effect", "--compliance"],
    ),
    (
        "gd --unbalanced",
        &["unbalanced has no effect", "leave it out"],
    ),
    (
        "gd --vary samples",
        &["window_ms: found none", "--window 0.2:1.2"],
    ),
    (
        "gd --vary samples --window 1.2:0.2",
        &["window_ms: found 1.2:0.2", "not empty", "--window"],
    ),
    (
        "gd --vary samples --window 0.2:9",
        &["within the run, 0 to 2.5 ms", "--tstop"],
    ),
    (
        "gd --vary samples --window 0.2:1.2 --sample-ms 0.03",
        &["multiple of the sample", "--sample-ms"],
    ),
    (
        "gd --vary samples --window 0.2:1.2 --sample-ms 0.007",
        &["sample_ms: found 0.007", "--dt"],
    ),
    (
        "gd --window 0.2:1.2",
        &["window_ms has no effect", "--vary samples"],
    ),
    ("gd --vary amplitud", &["did you mean `amplitude`"]),
    (
        "gd --pw-range 0.1:1",
        &["pw_range_ms has no effect", "--vary amplitude,pw"],
    ),
    (
        "gd --waveform bifasic",
        &["did you mean `biphasic`", "help pulses"],
    ),
    (
        "gd --objective slective",
        &["--objective", "did you mean `selective`"],
    ),
    (
        "gd --penalty chrge=1",
        &["--penalty", "did you mean `charge`"],
    ),
    (
        "gd --recruit 2",
        &["recruit: found 2", "at most 1", "0.1:0.8"],
    ),
    ("gd --target fascicles:99", &["fascicle 99", "of nerve N1"]),
    ("gd --target flags.npy", &["target flags.npy"]),
    (
        "gd --target long.npy",
        &["target long.npy", "[13]", "12 lines"],
    ),
    (
        "gd --target none.npy",
        &["no fiber that should fire", "--target"],
    ),
    (
        "gd --target all.npy",
        &["no fiber that should be spared", "--target"],
    ),
    (
        "gd --area-weights half.npy",
        &["area_weights half.npy", "sum of weights", "0.5"],
    ),
    (
        "gd --area-weights minus.npy",
        &["area_weights minus.npy", "weight of fiber 0", "0 or more"],
    ),
    (
        "gd --area-weights nan.npy",
        &["area_weights nan.npy", "weights"],
    ),
    (
        "gd --area-weights few.npy",
        &["area_weights few.npy", "[3]", "12 lines"],
    ),
    (
        "gd --diameter-shares 1,2",
        &["diameter_shares: found 2 shares, expected 1"],
    ),
    (
        "gd --group sundt",
        &["--group", "expected a name and settings"],
    ),
    ("gd --group C:model=sund", &["sund", "sundt"]),
    ("gd --shared", &["shared has no effect", "several nerves"]),
    ("gd --steps 0", &["--steps", "1 or more"]),
    ("gd --rule adm", &["did you mean `adam`"]),
    (
        "gd --rule lbfgs --lr 0.1",
        &["lr has no effect", "leave it out"],
    ),
    ("gd --init rndom", &["did you mean `random`"]),
    (
        "gd --init amplitudes:1,2",
        &["found 2 amplitudes, expected 6", "--init"],
    ),
    (
        "gd --option gd.rul=adam",
        &["--option", "gd.rul=adam", "did you mean `rule`"],
    ),
    (
        "gd --option steps=3",
        &["--option", "found `steps=3`", "TABLE.KEY=VALUE"],
    ),
    (
        "gd --option de.patience=3",
        &["[de] has no effect", "the method is gd"],
    ),
    (
        "gd --perturb amplitude=3",
        &["robust: amplitude: found 3", "from 0 to 1"],
    ),
    ("gd --perturb ofset=none", &["did you mean `offset`"]),
    (
        "gd --robust 0 --perturb diameter=5%",
        &["diameter has no effect", "--robust"],
    ),
    (
        "de --population 4",
        &[
            "population: found 4, expected 5 or more, which best1bin needs",
            "raise it",
        ],
    ),
    (
        "de --population 5 --strategy rand2bin",
        &["expected 6 or more, which rand2bin needs"],
    ),
    (
        "de --strategy best3bin",
        &["--strategy", "best3bin", "best1bin"],
    ),
    ("de --mutation 3", &["mutation: found 3", "at most 2"]),
    (
        "de --adaptation jade --mutation 0.5",
        &["mutation has no effect", "leave it out"],
    ),
    ("de --adaptation jad", &["did you mean `jade`"]),
    ("de --boundary bounce", &["--boundary", "reflect"]),
    ("de --objectives area", &["found `area`, expected two"]),
    ("de --objectives area,chrge", &["did you mean `charge`"]),
    ("de --then de", &["then: found de, expected gd"]),
    (
        "scan --option protocol.objective=area",
        &["objective has no effect"],
    ),
    ("scan --nerve nowhere", &["nowhere"]),
];

#[test]
fn what_makes_no_sense_is_refused() {
    let folder = Folder::new("optimize-refused");
    folder.npy("long.npy", &[13], |k| k == 0);
    folder.npy("none.npy", &[12], |_| false);
    folder.npy("all.npy", &[12], |_| true);
    folder.npy("half.npy", &[12], |_| 0.5 / 12.0);
    folder.npy("minus.npy", &[12], |k| if k == 0 { -0.1 } else { 0.1 });
    folder.npy("nan.npy", &[12], |_| f64::NAN);
    folder.npy("few.npy", &[3], |_| 1.0 / 3.0);
    for (command, parts) in REFUSED {
        folder.axonml(&format!("optimize {command}")).refused(parts);
    }
}
