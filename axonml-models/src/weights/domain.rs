//! The training domain of parameters, and checks whether a use lies within it.

use std::fmt;

/// The conditions that parameters were trained on; unknown ones are `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Domain {
    /// Smallest and largest fiber diameter, um.
    pub diameter_um: Option<(f64, f64)>,
    /// Time step, ms.
    pub dt_ms: Option<f64>,
    /// Shortest and longest phase of the stimuli, ms: the time for which a waveform keeps its sign.
    pub pulse_width_ms: Option<(f64, f64)>,
    /// Smallest distance of a point source from the fiber's axis, um.
    pub source_distance_um: Option<f64>,
    /// Temperature, degrees Celsius.
    pub celsius: Option<f64>,
}

/// The conditions of a use, as far as they are known: smallest and largest of each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usage {
    /// Fiber diameters, um.
    pub diameter_um: Option<(f64, f64)>,
    /// Time steps, ms.
    pub dt_ms: Option<(f64, f64)>,
    /// Phases of the stimuli, ms; see [`phase_widths_ms`].
    pub pulse_width_ms: Option<(f64, f64)>,
    /// Distances of point sources from the fiber's axis, um.
    pub source_distance_um: Option<(f64, f64)>,
    /// Temperatures, degrees Celsius.
    pub celsius: Option<(f64, f64)>,
}

/// A condition of a use that lies outside a [`Domain`].
#[derive(Clone, Debug, PartialEq)]
pub struct Departure {
    /// The quantity that departs, with its unit: `diameter (um)`.
    pub what: &'static str,
    /// Smallest and largest value in use.
    pub used: (f64, f64),
    /// Smallest and largest value trained on; without an upper limit, infinity.
    pub trained: (f64, f64),
}

impl fmt::Display for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let range = |(low, high): (f64, f64)| match () {
            () if low == high => low.to_string(),
            () if high == f64::INFINITY => format!("{low} or more"),
            () => format!("{low} to {high}"),
        };
        let (used, trained) = (range(self.used), range(self.trained));
        write!(f, "{} {used}, trained on {trained}", self.what)
    }
}

impl Domain {
    /// All known numbers, with their names.
    pub(super) fn numbers(&self) -> impl Iterator<Item = (&str, f64)> {
        let one = |name, x: Option<f64>| [x.map(|x| (name, x)), None];
        let two = |name, range: Option<(f64, f64)>| {
            let (low, high) = range.unzip();
            [low, high].map(|x| x.map(|x| (name, x)))
        };
        [
            one("dt_ms", self.dt_ms),
            one("source_distance_um", self.source_distance_um),
            one("celsius", self.celsius),
            two("diameter_um", self.diameter_um),
            two("pulse_width_ms", self.pulse_width_ms),
        ]
        .into_iter()
        .flatten()
        .flatten()
    }

    /// The quantities of `usage` outside the domain; empty where everything known lies within.
    pub fn departures(&self, usage: &Usage) -> Vec<Departure> {
        // Phases are known to a time step only.
        let step_ms = usage.dt_ms.map_or(0.0, |(_, largest)| largest);
        let same = |x: f64| (x, x);
        [
            ("dt (ms)", usage.dt_ms, self.dt_ms.map(same), 0.0),
            ("diameter (um)", usage.diameter_um, self.diameter_um, 0.0),
            (
                "pulse width (ms)",
                usage.pulse_width_ms,
                self.pulse_width_ms,
                1.01 * step_ms,
            ),
            (
                "distance of the source (um)",
                usage.source_distance_um,
                self.source_distance_um.map(|least| (least, f64::INFINITY)),
                0.0,
            ),
            (
                "temperature (degrees Celsius)",
                usage.celsius,
                self.celsius.map(same),
                0.0,
            ),
        ]
        .into_iter()
        .filter_map(|(what, used, trained, slack)| {
            let (used, trained) = (used?, trained?);
            let slack = |limit: f64| slack + 1e-9 * limit.abs();
            let below = used.0 < trained.0 - slack(trained.0);
            let above = trained.1.is_finite() && used.1 > trained.1 + slack(trained.1);
            (below || above).then_some(Departure {
                what,
                used,
                trained,
            })
        })
        .collect()
    }
}

impl Usage {
    /// Widens a range to hold `value`.
    pub fn widen(range: &mut Option<(f64, f64)>, value: f64) {
        let (low, high) = range.unwrap_or((value, value));
        *range = Some((low.min(value), high.max(value)));
    }
}

/// The shortest and longest time, ms, for which a waveform sampled every `dt_ms` keeps its sign; none where it is zero
/// everywhere.
pub fn phase_widths_ms(samples: &[f64], dt_ms: f64) -> Option<(f64, f64)> {
    let mut widths = None;
    let sign = |x: &f64| if *x == 0.0 { 0.0 } else { x.signum() };
    for phase in samples.chunk_by(|a, b| sign(a) == sign(b)) {
        if phase[0] != 0.0 {
            Usage::widen(&mut widths, phase.len() as f64 * dt_ms);
        }
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_are_runs_of_one_sign() {
        let samples = [0.0, -1.0, -0.5, -1.0, 0.0, 0.0, 1.0, -1.0, -1.0];
        assert_eq!(phase_widths_ms(&samples, 0.5), Some((0.5, 1.5)));
        assert_eq!(phase_widths_ms(&[0.0; 4], 0.5), None);
    }

    #[test]
    fn departures_are_found_on_both_sides() {
        let domain = Domain {
            diameter_um: Some((5.0, 10.0)),
            dt_ms: Some(0.005),
            pulse_width_ms: Some((0.05, 0.5)),
            source_distance_um: Some(250.0),
            celsius: Some(37.0),
        };
        let within = Usage {
            diameter_um: Some((5.0, 10.0)),
            dt_ms: Some((0.005, 0.005)),
            pulse_width_ms: Some((0.045, 0.505)),
            source_distance_um: Some((250.0, 1e9)),
            celsius: Some((37.0, 37.0)),
        };
        assert_eq!(domain.departures(&within), []);
        let outside = [
            Usage {
                diameter_um: Some((4.9, 6.0)),
                ..within.clone()
            },
            Usage {
                diameter_um: Some((6.0, 10.1)),
                ..within.clone()
            },
            Usage {
                dt_ms: Some((0.0025, 0.005)),
                ..within.clone()
            },
            Usage {
                pulse_width_ms: Some((0.03, 0.1)),
                ..within.clone()
            },
            Usage {
                pulse_width_ms: Some((0.1, 0.6)),
                ..within.clone()
            },
            Usage {
                source_distance_um: Some((249.0, 300.0)),
                ..within.clone()
            },
            Usage {
                celsius: Some((36.0, 36.0)),
                ..within.clone()
            },
        ];
        for usage in &outside {
            assert_eq!(domain.departures(usage).len(), 1, "{usage:?}");
        }
        assert_eq!(
            domain.departures(&outside[0])[0].to_string(),
            "diameter (um) 4.9 to 6, trained on 5 to 10"
        );
        assert_eq!(Domain::default().departures(&outside[0]), []);
    }
}
