//! Numbers and lists of numbers as flags give them; those that table cells give, too, are the library's.

use std::str::FromStr;

use axonml::table::conditions::cell;

pub(crate) use axonml::table::conditions::cell::{between, count, finite, not_negative, positive};

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

/// A list of numbers separated by commas.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Numbers(pub(crate) Vec<f64>);

impl FromStr for Numbers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        cell::numbers(text).map(Numbers)
    }
}

/// A list of numbers above 0, separated by commas.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Positives(pub(crate) Vec<f64>);

impl FromStr for Positives {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let list = cell::numbers(text)?;
        match list.iter().find(|x| **x <= 0.0) {
            Some(x) => Err(format!("found {x}, expected numbers above 0")),
            None => Ok(Positives(list)),
        }
    }
}

/// A list of numbers of 0 or more, separated by commas.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NotNegatives(pub(crate) Vec<f64>);

impl FromStr for NotNegatives {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let list = cell::numbers(text)?;
        match list.iter().find(|x| **x < 0.0) {
            Some(x) => Err(format!("found {x}, expected numbers of 0 or more")),
            None => Ok(NotNegatives(list)),
        }
    }
}

/// Fractions of a length, separated by commas.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fractions(pub(crate) Vec<f64>);

impl FromStr for Fractions {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        cell::fractions(text).map(Fractions)
    }
}

/// Fiber diameters: `5.7,8.7` or `5.7:14:20` (start:stop:count).
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
        cell::nodes(text).map(Nodes)
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
}
