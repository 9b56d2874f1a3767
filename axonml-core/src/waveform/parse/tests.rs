use super::*;
use crate::TimeGrid;
use crate::waveform::{Direction, PULSES};

fn parse(text: &str) -> Waveform {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refuse(text: &str) -> String {
    text.parse::<Waveform>().map_or_else(
        |error| error.to_string(),
        |wave| panic!("{text} was read as {wave}"),
    )
}

/// The message must hold all of these.
fn assert_names(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "`{part}` is missing in: {message}");
    }
}

#[test]
fn every_pulse_reads_its_keys() {
    let expected = [
        (
            "monophasic:pw=0.2,delay=0.3",
            Waveform::monophasic(0.2).unwrap().delayed(0.3),
        ),
        (
            "biphasic:pw=0.4,delay=0.5,gap=0.1",
            Waveform::biphasic(0.4, 0.1).unwrap().delayed(0.5),
        ),
        (
            "charge-balanced:pw1=0.2,pw2=0.6,gap=0.05,delay=0",
            Waveform::charge_balanced(0.2, 0.6, 0.05).unwrap(),
        ),
        (
            "asymmetric-biphasic:pw=0.2,delay=0",
            Waveform::asymmetric_biphasic(0.2).unwrap(),
        ),
        ("triangle:pw=0.2,delay=0", Waveform::triangle(0.2).unwrap()),
        (
            "ramp:pw=0.2,dir=down,delay=0",
            Waveform::ramp(0.2, Direction::Down).unwrap(),
        ),
        ("gaussian:pw=0.2,delay=0", Waveform::gaussian(0.2).unwrap()),
        (
            "exp:pw=0.2,tau=0.03,dir=down,delay=0",
            Waveform::exponential(0.2, 0.03, Direction::Down).unwrap(),
        ),
        (
            "sine:freq=5,dur=2,delay=0.5",
            Waveform::sine(5.0, Some(2.0)).unwrap().delayed(0.5),
        ),
        (
            "sine-cycle:pw=0.2,delay=0",
            Waveform::sine_cycle(0.2).unwrap(),
        ),
        (
            "train:pulse=biphasic(pw=0.1,gap=0.02),freq=0.5,n=5,delay=0",
            Waveform::train(Waveform::biphasic(0.1, 0.02).unwrap(), 0.5, 5).unwrap(),
        ),
    ];
    for (text, waveform) in &expected {
        assert_eq!(parse(text), *waveform, "{text}");
    }
    for kind in PULSES {
        assert!(
            expected.iter().any(|(text, _)| text.starts_with(kind.name)),
            "{} is not tested",
            kind.name
        );
    }
}

#[test]
fn defaults_make_every_bare_name_a_pulse_within_the_usual_run() {
    let grid = TimeGrid::new(0.005, 5.0).unwrap();
    for kind in PULSES {
        for name in kind.aliases.iter().chain([&kind.name]) {
            let samples = parse(name).sample(&grid).unwrap();
            // A curve may begin with 0, but none stays there, and none begins before its delay.
            assert!(samples[20..40].iter().any(|&w| w != 0.0), "{name}");
            assert!(samples[..20].iter().all(|&w| w == 0.0), "{name}");
        }
    }
    assert_eq!(parse("monophasic"), parse("monophasic:pw=0.1,delay=0.1"));
}

#[test]
fn spelling_and_blanks_do_not_matter() {
    let expected = parse("charge-balanced:pw1=0.1,pw2=0.2,delay=0");
    assert_eq!(
        parse(" Charge_Balanced : PW1 = 0.1 , pw2=0.2, delay= 0 "),
        expected
    );
    assert_eq!(parse("charge-balanced(pw1=0.1,pw2=0.2,delay=0)"), expected);
    assert_eq!(parse("monophasic:"), parse("monophasic()"));
}

#[test]
fn sums_and_scales() {
    let sum = parse("monophasic(pw=0.1,delay=0) + sine:freq=2,dur=1,delay=1,scale=-0.5");
    let expected = Waveform::monophasic(0.1).unwrap()
        + Waveform::sine(2.0, Some(1.0))
            .unwrap()
            .scaled(-0.5)
            .delayed(1.0);
    assert_eq!(sum, expected);
    // The sign of an exponent is no sum.
    assert_eq!(parse("monophasic:pw=1e+0"), parse("monophasic:pw=1"));
}

#[test]
fn the_pulse_of_a_train_has_no_delay_of_its_own() {
    let grid = TimeGrid::new(0.1, 2.0).unwrap();
    let samples = parse("train:pulse=monophasic(pw=0.1),freq=1,n=2")
        .sample(&grid)
        .unwrap();
    let active: Vec<_> = (0..20).filter(|&i| samples[i] != 0.0).collect();
    assert_eq!(active, [1, 11]);
    let samples = parse("train:pulse=monophasic(pw=0.1,delay=0.2),freq=1,n=2")
        .sample(&grid)
        .unwrap();
    assert_eq!((samples[3], samples[13]), (-1.0, -1.0));
}

#[test]
fn what_is_written_reads_back_the_same() {
    let texts = [
        "monophasic:pw=0.1,delay=0.1",
        "biphasic:pw=0.30000000000000004,gap=0,delay=0",
        "charge-balanced:pw1=0.1,pw2=0.4,gap=0.01,delay=0.1,scale=-1",
        "asymmetric-biphasic:pw=0.1,delay=0.1",
        "triangle:pw=0.1,delay=0.1",
        "ramp:pw=0.1,dir=down,delay=0.1",
        "gaussian:pw=0.1,delay=0.1",
        "exp:pw=0.1,tau=0.05,dir=up,delay=0.1",
        "sine:freq=10,delay=0.5",
        "sine:freq=10,dur=2,delay=0.5",
        "sine-cycle:pw=0.1,delay=0.1",
        "train:pulse=biphasic(pw=0.1,gap=0,delay=0),freq=0.1,n=5,delay=0.1",
        "train:pulse=monophasic(pw=0.1,delay=0)+ramp(pw=0.1,dir=up,delay=0.2),freq=1,n=2,delay=0.1",
        "monophasic:pw=1e300,delay=0.1,scale=-2.5e-9",
        "monophasic(pw=0.1,delay=0.1)+train(pulse=sine(freq=10,dur=0.1,delay=0),freq=1,n=2,delay=1,scale=2)",
    ];
    for text in texts {
        assert_eq!(parse(text).to_string(), text);
    }
}

#[test]
fn unknown_names_are_answered_with_the_nearest() {
    assert_names(
        &refuse("monofasic:pw=0.1"),
        &[
            "pulse `monofasic`",
            "did you mean `monophasic`?",
            "sine-cycle",
            "train",
        ],
    );
    assert_names(
        &refuse("biphasic:pw=0.1,gapp=0.1"),
        &[
            "key of pulse biphasic `gapp`",
            "did you mean `gap`?",
            "valid: pw, gap, delay, scale",
        ],
    );
    let stranger = refuse("monophasic:color=1");
    assert_names(&stranger, &["`color`", "pw, delay, scale"]);
    assert!(!stranger.contains("did you mean"), "{stranger}");
    assert_names(&refuse("ramp:dir=upp"), &["`upp`", "did you mean `up`?"]);
    assert_names(
        &refuse("train:pulse=biphasic(pv=0.1)"),
        &["key of pulse biphasic `pv`", "did you mean `pw`?"],
    );
}

#[test]
fn values_that_are_none_are_named_with_what_was_expected() {
    assert_names(
        &refuse("monophasic:pw=abc"),
        &["pw of monophasic", "`abc`", "a number", "ms"],
    );
    assert_names(&refuse("monophasic:pw="), &["pw of monophasic", "``"]);
    for bad in ["0", "-0.1", "NaN", "inf"] {
        let message = refuse(&format!("monophasic:pw={bad}"));
        assert_names(
            &message,
            &[
                "pw of monophasic",
                &format!("`{bad}`"),
                "ms",
                "greater than 0",
            ],
        );
    }
    assert_names(
        &refuse("biphasic:gap=-1"),
        &["gap of biphasic", "`-1`", "0 or more"],
    );
    assert_names(
        &refuse("charge-balanced:pw1=0"),
        &["pw1 of charge-balanced", "`0`"],
    );
    assert_names(
        &refuse("charge-balanced:pw2=0"),
        &["pw2 of charge-balanced", "`0`"],
    );
    assert_names(&refuse("exp:tau=0"), &["tau of exp", "`0`"]);
    assert_names(&refuse("sine:freq=0"), &["freq of sine", "kHz"]);
    assert_names(&refuse("sine:dur=-1"), &["dur of sine", "`-1`"]);
    assert_names(&refuse("sine:dur=x"), &["dur of sine", "`x`", "a number"]);
    assert_names(
        &refuse("monophasic:delay=-1"),
        &["delay of monophasic", "`-1`"],
    );
    assert_names(
        &refuse("monophasic:scale=inf"),
        &["scale of monophasic", "`inf`"],
    );
    for bad in ["0", "2.5", "-1"] {
        assert_names(
            &refuse(&format!("train:n={bad}")),
            &["n of train", &format!("`{bad}`"), "whole number"],
        );
    }
}

#[test]
fn pulses_that_run_into_each_other_make_no_train() {
    let message = refuse("train:pulse=monophasic(pw=3),freq=0.5,n=2");
    assert_names(&message, &["pulse of train", "pw=3", "period of 2 ms"]);
    assert_names(
        &refuse("train:pulse=sine(freq=10),freq=0.5,n=2"),
        &["pulse of train", "sine"],
    );
    // Ten pulses of 10 ms at 0.1 kHz touch but do not overlap.
    parse("train:pulse=biphasic(pw=5),freq=0.1,n=10");
}

#[test]
fn malformed_text_is_explained() {
    assert_names(
        &refuse("monophasic:0.1"),
        &[
            "`monophasic:0.1`",
            "`0.1` is not of the form key=value",
            "e.g.",
        ],
    );
    assert_names(
        &refuse("monophasic:pw=0.1,pw=0.2"),
        &["`pw` is given twice"],
    );
    assert_names(
        &refuse("train:pulse=biphasic(pw=0.1"),
        &["`(` is not closed"],
    );
    assert_names(&refuse("monophasic(pw=0.1)x"), &["`x` follows a `)`"]);
    for text in ["", ":pw=0.1", "monophasic+"] {
        assert_names(&refuse(text), &["name of a pulse is missing"]);
    }
}

#[test]
fn nesting_and_length_are_bounded() {
    for text in [
        "train:pulse=".repeat(10_000) + "monophasic",
        "train(pulse=".repeat(10_000) + "monophasic" + &")".repeat(10_000),
    ] {
        let message = refuse(&text);
        assert_names(&message, &["more than 16 trains lie within each other"]);
        assert!(message.len() < 400, "{message}");
    }
    let sixteen = "train(n=1,pulse=".repeat(16) + "monophasic" + &")".repeat(16);
    assert_eq!(parse(&sixteen).to_string().parse(), Ok(parse(&sixteen)));
    let message = refuse(&"monophasic+".repeat(20_000));
    assert_names(&message, &["220000 bytes", "131072"]);
}

#[test]
fn files_are_for_the_caller_to_read() {
    assert_names(
        &refuse("file:some/W.csv"),
        &["file:some/W.csv", "Waveform::from_csv"],
    );
}
