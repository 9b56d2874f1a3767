//! Numbers and lists of numbers as flags and table cells give them. Every message says what was expected, with the
//! unit.

use std::str::FromStr;

/// A finite number.
pub(crate) fn finite(unit: &'static str) -> impl Fn(&str) -> Result<f64, String> + Clone {
    move |text| number(text, |_| true, || format!("a finite number{}", of(unit)))
}

/// A number above 0.
pub(crate) fn positive(unit: &'static str) -> impl Fn(&str) -> Result<f64, String> + Clone {
    move |text| {
        let expected = || format!("a finite number{} greater than 0", of(unit));
        number(text, |x| x > 0.0, expected)
    }
}

/// A number that is not negative.
pub(crate) fn not_negative(unit: &'static str) -> impl Fn(&str) -> Result<f64, String> + Clone {
    move |text| {
        let expected = || format!("a finite number{}, 0 or more", of(unit));
        number(text, |x| x >= 0.0, expected)
    }
}

/// A number between two others, both allowed.
pub(crate) fn between(
    unit: &'static str,
    least: f64,
    greatest: f64,
) -> impl Fn(&str) -> Result<f64, String> + Clone {
    move |text| {
        let expected = || format!("a number{} from {least} to {greatest}", of(unit));
        number(text, |x| (least..=greatest).contains(&x), expected)
    }
}

/// A length in um: a plain number, or one with the unit um or mm.
pub(crate) fn length_um(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let (number, um) = match (text.strip_suffix("mm"), text.strip_suffix("um")) {
        (Some(number), _) => (number, 1000.0),
        (_, Some(number)) => (number, 1.0),
        _ => (text, 1.0),
    };
    let length = positive("")(number).map(|length| length * um);
    length.map_err(|_| "expected a length greater than 0 in um, e.g. 20000, or 20mm".to_owned())
}

/// A whole number of at least `least`.
pub(crate) fn count(least: usize) -> impl Fn(&str) -> Result<usize, String> + Clone {
    move |text| {
        let parsed = text.trim().parse().ok().filter(|n| *n >= least);
        parsed.ok_or_else(|| format!("expected a whole number, {least} or more"))
    }
}

fn of(unit: &str) -> String {
    match unit {
        "" => String::new(),
        unit => format!(" in {unit}"),
    }
}

fn number(
    text: &str,
    valid: impl Fn(f64) -> bool,
    expected: impl Fn() -> String,
) -> Result<f64, String> {
    let parsed: Option<f64> = text.trim().parse().ok();
    parsed
        .filter(|x| x.is_finite() && valid(*x))
        .ok_or_else(|| format!("expected {}", expected()))
}

/// A list of numbers separated by commas.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Numbers(pub(crate) Vec<f64>);

impl FromStr for Numbers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = finite("");
        let numbers = text.split(',').map(number).collect::<Result<_, _>>();
        numbers
            .map(Numbers)
            .map_err(|_| "expected finite numbers separated by commas, e.g. 1,0,-1".to_owned())
    }
}

/// Fractions of a length, separated by commas.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fractions(pub(crate) Vec<f64>);

impl FromStr for Fractions {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fraction = between("", 0.0, 1.0);
        let fractions = text.split(',').map(fraction).collect::<Result<_, _>>();
        fractions.map(Fractions).map_err(|_| {
            "expected fractions of the fiber's length from 0 to 1, separated by commas, e.g. 0.1,0.9"
                .to_owned()
        })
    }
}

/// Fibre diameters: `5.7,8.7` or `5.7:14:20` (start:stop:count).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Diameters(pub(crate) Vec<f64>);

impl FromStr for Diameters {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const EXPECTED: &str = "expected diameters in um greater than 0: a list such as 5.7,8.7,10 or start:stop:count \
                                such as 5.7:14:20";
        let wrong = || EXPECTED.to_owned();
        let diameter = positive("um");
        let mut diameters = Vec::new();
        for part in text.split(',') {
            match part.split(':').collect::<Vec<_>>()[..] {
                [one] => diameters.push(diameter(one).map_err(|_| wrong())?),
                [start, stop, number] => {
                    let (start, stop) = (
                        diameter(start).map_err(|_| wrong())?,
                        diameter(stop).map_err(|_| wrong())?,
                    );
                    let number = count(1)(number).map_err(|_| wrong())?;
                    // A list longer than this is a slip of the finger, not a request.
                    if number > 1_000_000 {
                        return Err(wrong());
                    }
                    let step = (stop - start) / (number.max(2) - 1) as f64;
                    diameters.extend((0..number).map(|i| {
                        if i > 0 && i + 1 == number {
                            stop
                        } else {
                            // Without the digits that rounding errors make.
                            ((start + step * i as f64) * 1e9).round() / 1e9
                        }
                    }));
                }
                _ => return Err(wrong()),
            }
        }
        Ok(Diameters(diameters))
    }
}

/// Node numbers separated by commas; negative ones count from the end.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Nodes(pub(crate) Vec<i64>);

impl FromStr for Nodes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let nodes = text.split(',').map(|node| node.trim().parse());
        nodes.collect::<Result<_, _>>().map(Nodes).map_err(|_| {
            "expected node numbers separated by commas, 0 being the first and -1 the last, e.g. 5,-5"
                .to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diameters_are_lists_and_ranges() {
        let read = |text: &str| text.parse::<Diameters>().map(|d| d.0);
        assert_eq!(read("5.7,8.7").unwrap(), [5.7, 8.7]);
        assert_eq!(read("1:2:5,10").unwrap(), [1.0, 1.25, 1.5, 1.75, 2.0, 10.0]);
        assert_eq!(read("3:9:1").unwrap(), [3.0]);
        assert_eq!(*read("5.7:14:20").unwrap().last().unwrap(), 14.0);
        for wrong in ["", "-1", "1,", "0", "nan", "1:2", "1:2:0", "1:2:3:4", "a"] {
            assert!(read(wrong).unwrap_err().contains("in um"), "{wrong}");
        }
    }

    #[test]
    fn numbers_say_what_was_expected() {
        assert_eq!(positive("ms")(" 0.5 "), Ok(0.5));
        assert!(
            positive("ms")("0")
                .unwrap_err()
                .contains("in ms greater than 0")
        );
        assert!(not_negative("ms")("-1").unwrap_err().contains("0 or more"));
        assert!(
            between("", 0.1, 0.5)("1")
                .unwrap_err()
                .contains("from 0.1 to 0.5")
        );
        assert!(count(3)("2").unwrap_err().contains("3 or more"));
        assert!(finite("mV")("inf").unwrap_err().contains("in mV"));
    }
}
