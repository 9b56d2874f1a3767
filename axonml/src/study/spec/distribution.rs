//! Diameters: listed, or drawn from a distribution.

use std::fmt;

use axonml_core::Random;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// Fiber diameters, um: a number, a list, or a distribution to draw from.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Diameters {
    /// One diameter.
    One(f64),
    /// Several: every place has a fiber of each.
    List(Vec<f64>),
    /// Drawn for each fiber.
    Drawn(Distribution),
}

impl<'de> Deserialize<'de> for Diameters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Diameters;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a diameter in um, a list of them, or a distribution such as { normal = { mean_um = 8, sd_um = 1.5 } }",
                )
            }

            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Self::Value, E> {
                Ok(Diameters::One(value as f64))
            }

            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Self::Value, E> {
                Ok(Diameters::One(value as f64))
            }

            fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Self::Value, E> {
                Ok(Diameters::One(value))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, values: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(values)).map(Diameters::List)
            }

            fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<Self::Value, A::Error> {
                Distribution::deserialize(MapAccessDeserializer::new(table)).map(Diameters::Drawn)
            }
        }

        deserializer.deserialize_any(Any)
    }
}

/// A distribution of fiber diameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Distribution {
    /// Normal, cut off at the ends of the range.
    Normal {
        /// Mean, um.
        mean_um: f64,
        /// Standard deviation, um.
        sd_um: f64,
        /// Least diameter, um: others are drawn again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min_um: Option<f64>,
        /// Largest diameter, um.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_um: Option<f64>,
    },
    /// All diameters of a range alike.
    Uniform {
        /// Least diameter, um.
        min_um: f64,
        /// Largest diameter, um.
        max_um: f64,
    },
    /// A histogram: a bin by its share, then uniform within it.
    Histogram {
        /// Edges of the bins, um, ascending: one more than shares.
        edges_um: Vec<f64>,
        /// Share of each bin, of any positive sum.
        shares: Vec<f64>,
    },
}

/// Draws after which a range counts as out of a distribution's reach.
const MOST_DRAWS: usize = 10_000;

impl Distribution {
    /// Draws a diameter, um.
    ///
    /// # Errors
    /// The reason if the distribution is none, or its range is out of reach.
    pub fn draw(&self, random: &mut Random) -> Result<f64, String> {
        match self {
            Distribution::Normal {
                mean_um,
                sd_um,
                min_um,
                max_um,
            } => {
                if !(mean_um.is_finite() && sd_um.is_finite() && *sd_um >= 0.0) {
                    return Err(format!(
                        "normal: found mean_um {mean_um} and sd_um {sd_um}, expected finite numbers, sd_um 0 or more"
                    ));
                }
                let least = min_um.unwrap_or(0.0);
                let most = max_um.unwrap_or(f64::INFINITY);
                let mut drawn = (0..MOST_DRAWS).map(|_| mean_um + sd_um * random.normal());
                drawn
                    .find(|um| *um > 0.0 && (least..=most).contains(um))
                    .ok_or_else(|| {
                        format!(
                            "normal: found no diameter from min_um {least} to max_um {most} in {MOST_DRAWS} draws; widen the \
                             range or move mean_um"
                        )
                    })
            }
            Distribution::Uniform { min_um, max_um } => {
                let fits = *min_um > 0.0 && max_um.is_finite() && min_um <= max_um;
                fits.then(|| min_um + (max_um - min_um) * random.unit())
                    .ok_or_else(|| {
                        format!(
                            "uniform: found {min_um} to {max_um} um, expected a range above 0, the least first"
                        )
                    })
            }
            Distribution::Histogram { edges_um, shares } => {
                let edges = edges_um.windows(2).all(|pair| pair[0] < pair[1])
                    && edges_um.first().is_some_and(|first| *first > 0.0)
                    && edges_um.iter().all(|edge| edge.is_finite());
                let positive = shares
                    .iter()
                    .all(|share| share.is_finite() && *share >= 0.0)
                    && shares.iter().sum::<f64>() > 0.0;
                if !(edges && positive && edges_um.len() == shares.len() + 1) {
                    return Err(format!(
                        "histogram: found {} edges and {} shares, expected ascending edges above 0, one more than shares, \
                         and shares of 0 or more, some above 0",
                        edges_um.len(),
                        shares.len()
                    ));
                }
                let bin = random.weighted(shares);
                let (from, to) = (edges_um[bin], edges_um[bin + 1]);
                Ok(from + (to - from) * random.unit())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diameters_are_drawn_from_what_they_are_said_to_be() {
        let mut random = Random::new(1, 0);
        let normal = Distribution::Normal {
            mean_um: 8.0,
            sd_um: 2.0,
            min_um: Some(5.7),
            max_um: Some(14.0),
        };
        let drawn: Vec<f64> = (0..4000)
            .map(|_| normal.draw(&mut random).unwrap())
            .collect();
        assert!(drawn.iter().all(|um| (5.7..=14.0).contains(um)));
        // Mean of the normal distribution cut off at -1.15 and 3 standard deviations: 8.461 um (by the formula of the
        // truncated normal distribution); five standard errors are 0.12 um.
        let mean = drawn.iter().sum::<f64>() / drawn.len() as f64;
        assert!((mean - 8.461).abs() < 0.12, "{mean}");
        let bins = Distribution::Histogram {
            edges_um: vec![1.0, 2.0, 4.0],
            shares: vec![3.0, 1.0],
        };
        let low = (0..4000).filter(|_| bins.draw(&mut random).unwrap() < 2.0);
        let low = low.count();
        assert!((2860..=3140).contains(&low), "{low}");
    }

    #[test]
    fn what_is_no_distribution_is_refused() {
        let mut random = Random::new(1, 0);
        let far = Distribution::Normal {
            mean_um: 8.0,
            sd_um: 0.1,
            min_um: Some(12.0),
            max_um: None,
        };
        assert!(
            far.draw(&mut random)
                .unwrap_err()
                .contains("widen the range")
        );
        let turned = Distribution::Uniform {
            min_um: 9.0,
            max_um: 3.0,
        };
        assert!(
            turned
                .draw(&mut random)
                .unwrap_err()
                .contains("least first")
        );
        let short = Distribution::Histogram {
            edges_um: vec![1.0, 2.0],
            shares: vec![1.0, 1.0],
        };
        assert!(
            short
                .draw(&mut random)
                .unwrap_err()
                .contains("one more than shares")
        );
    }
}
