//! Numbers and lists in table cells and flags. Every message states the expected value, with the unit.

use crate::NODES_LIMIT;

/// A finite number.
pub fn finite(unit: &'static str) -> impl Fn(&str) -> Result<f64, String> + Clone {
    move |text| number(text, |_| true, || format!("a finite number{}", of(unit)))
}

/// A number above 0.
pub fn positive(unit: &'static str) -> impl Fn(&str) -> Result<f64, String> + Clone {
    move |text| {
        let expected = || format!("a finite number{} greater than 0", of(unit));
        number(text, |x| x > 0.0, expected)
    }
}

/// A number that is not negative.
pub fn not_negative(unit: &'static str) -> impl Fn(&str) -> Result<f64, String> + Clone {
    move |text| {
        let expected = || format!("a finite number{}, 0 or more", of(unit));
        number(text, |x| x >= 0.0, expected)
    }
}

/// A number between two others, both allowed.
pub fn between(
    unit: &'static str,
    least: f64,
    greatest: f64,
) -> impl Fn(&str) -> Result<f64, String> + Clone {
    move |text| {
        let expected = || format!("a number{} from {least} to {greatest}", of(unit));
        number(text, |x| (least..=greatest).contains(&x), expected)
    }
}

/// A whole number of at least `least`.
pub fn count(least: usize) -> impl Fn(&str) -> Result<usize, String> + Clone {
    move |text| {
        let parsed = text.trim().parse().ok().filter(|n| *n >= least);
        parsed.ok_or_else(|| format!("expected a whole number, {least} or more"))
    }
}

/// Numbers separated by commas.
///
/// # Errors
/// The expected value.
pub fn numbers(text: &str) -> Result<Vec<f64>, String> {
    let numbers = text.split(',').map(finite("")).collect::<Result<_, _>>();
    numbers.map_err(|_| "expected finite numbers separated by commas, e.g. 1,0,-1".to_owned())
}

/// Node numbers separated by commas; negative ones count from the end.
///
/// # Errors
/// The expected value.
pub fn nodes(text: &str) -> Result<Vec<i64>, String> {
    let nodes = text.split(',').map(|node| node.trim().parse());
    nodes.collect::<Result<_, _>>().map_err(|_| {
        "expected node numbers separated by commas, 0 being the first and -1 the last, e.g. 5,-5"
            .to_owned()
    })
}

/// Fractions of a length, separated by commas.
///
/// # Errors
/// The expected value.
pub fn fractions(text: &str) -> Result<Vec<f64>, String> {
    let fractions = text.split(',').map(between("", 0.0, 1.0));
    fractions.collect::<Result<_, _>>().map_err(|_| {
        "expected fractions of the fiber's length from 0 to 1, separated by commas, e.g. 0.1,0.9"
            .to_owned()
    })
}

/// A number of nodes that a fiber can have.
///
/// # Errors
/// The expected value.
pub fn node_count(text: &str) -> Result<usize, String> {
    let within = count(3)(text).ok().filter(|n| *n <= NODES_LIMIT);
    within.ok_or_else(|| format!("expected a whole number, 3 or more, at most {NODES_LIMIT}"))
}

/// A temperature, degrees Celsius.
///
/// # Errors
/// The expected value.
pub fn temperature(text: &str) -> Result<f64, String> {
    between("degrees Celsius", -20.0, 100.0)(text)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_say_what_was_expected() {
        assert_eq!(positive("ms")(" 0.5 "), Ok(0.5));
        let zero = positive("ms")("0").unwrap_err();
        assert!(zero.contains("in ms greater than 0"));
        assert!(not_negative("ms")("-1").unwrap_err().contains("0 or more"));
        let outside = between("", 0.1, 0.5)("1").unwrap_err();
        assert!(outside.contains("from 0.1 to 0.5"));
        assert!(count(3)("2").unwrap_err().contains("3 or more"));
        assert!(finite("mV")("inf").unwrap_err().contains("in mV"));
        assert_eq!(numbers("1, 0,-1"), Ok(vec![1.0, 0.0, -1.0]));
        assert!(numbers("1,,2").is_err() && nodes("5,x").is_err());
        assert_eq!(nodes("5, -5"), Ok(vec![5, -5]));
    }
}
