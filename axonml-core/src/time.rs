//! The uniform grid of instants that a simulation steps through.

use crate::error::{CoreError, short};

/// Steps `t_i -> t_(i+1)` of equal length with `t_i = i dt`, starting at 0.
///
/// # Example
/// ```
/// let grid = axonml_core::TimeGrid::new(0.005, 5.0)?;
/// assert_eq!(grid.steps(), 1000);
/// assert_eq!(grid.steps_in(0.1), 20);
/// # Ok::<(), axonml_core::CoreError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeGrid {
    dt_ms: f64,
    steps: usize,
}

impl TimeGrid {
    /// The most steps a grid may have: far beyond any run that ends, and small enough to count
    /// without overflow.
    pub const MAX_STEPS: usize = u32::MAX as usize;

    /// A grid of `round(tstop / dt)` steps.
    ///
    /// # Errors
    /// [`CoreError::BadValue`] when `dt_ms` or `tstop_ms` is not a finite number above 0, or when
    /// they make no step or more than [`TimeGrid::MAX_STEPS`].
    pub fn new(dt_ms: f64, tstop_ms: f64) -> Result<Self, CoreError> {
        let dt_ms = CoreError::check_positive("dt", "ms", dt_ms)?;
        let tstop_ms = CoreError::check_positive("tstop", "ms", tstop_ms)?;
        let steps = (tstop_ms / dt_ms).round();
        if steps < 1.0 || steps > Self::MAX_STEPS as f64 {
            let limits = format!(
                "1 to {} steps of dt = {} ms; change tstop or dt",
                Self::MAX_STEPS,
                short(dt_ms)
            );
            return Err(CoreError::bad_value(
                "tstop",
                format!("{} ms", short(tstop_ms)),
                limits,
            ));
        }
        Ok(Self {
            dt_ms,
            steps: steps as usize,
        })
    }

    /// Length of a step in ms.
    pub fn dt_ms(&self) -> f64 {
        self.dt_ms
    }

    /// Number of steps; there is one instant more.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// The instant `t_k = k dt` in ms.
    pub fn time_ms(&self, k: usize) -> f64 {
        k as f64 * self.dt_ms
    }

    /// The instant at which the last step ends, in ms: a whole number of steps, hence up to half a
    /// step from the requested `tstop_ms`.
    pub fn duration_ms(&self) -> f64 {
        self.time_ms(self.steps)
    }

    /// Whether the grid ends at `tstop_ms`, but for rounding errors: it does not where that is no multiple of the step.
    pub fn ends_at(&self, tstop_ms: f64) -> bool {
        const ROUNDING: f64 = 1e-9;
        (self.duration_ms() - tstop_ms).abs() <= ROUNDING * tstop_ms.abs()
    }

    /// How many steps a duration takes: `round(duration / dt)`, halves away from zero. Negative
    /// durations and NaN take none.
    pub fn steps_in(&self, duration_ms: f64) -> usize {
        (duration_ms / self.dt_ms).round() as usize
    }

    /// The instant at which a duration ends, counted in steps: a whole number where it lies on the
    /// grid but for rounding errors.
    pub fn steps_until(&self, duration_ms: f64) -> f64 {
        on_grid(duration_ms / self.dt_ms)
    }
}

/// A number of steps, rounded to a whole number where it differs by rounding errors only.
pub(crate) fn on_grid(steps: f64) -> f64 {
    const ROUNDING: f64 = 1e-12;
    let whole = steps.round();
    // A duration that is not 0 stays one.
    if whole != 0.0 && (steps - whole).abs() <= ROUNDING * whole.abs() {
        whole
    } else {
        steps
    }
}

/// Rounds a time in ms for display: drops the last digits that multiples of a step carry.
#[must_use]
pub fn format_ms(ms: f64) -> f64 {
    (ms * 1e9).round() / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_off_by_rounding_errors_take_the_intended_steps() {
        let grid = TimeGrid::new(0.005, 5.0).unwrap();
        assert_eq!((grid.steps(), grid.dt_ms()), (1000, 0.005));
        // 0.1 / 0.005 is 20.000000000000004 and 0.035 / 0.005 is 7.000000000000001.
        assert_eq!(
            (grid.steps_in(0.1), grid.steps_in(0.035), grid.steps_in(0.0)),
            (20, 7, 0)
        );
        assert_eq!((grid.steps_in(-1.0), grid.steps_in(f64::NAN)), (0, 0));
        assert_eq!(grid.time_ms(20), 0.1);
        assert!((grid.duration_ms() - 5.0).abs() < 1e-12);
    }

    #[test]
    fn instants_on_the_grid_are_whole_steps_and_others_are_not() {
        let grid = TimeGrid::new(0.005, 5.0).unwrap();
        assert_eq!(
            (grid.steps_until(0.1), grid.steps_until(0.035)),
            (20.0, 7.0)
        );
        assert_eq!(grid.steps_until(0.0026), 0.0026 / 0.005);
        assert_eq!(grid.steps_until(1e-300), 1e-300 / 0.005);
        assert_eq!(grid.steps_until(1e300), 1e300 / 0.005);
        assert!(grid.steps_until(f64::NAN).is_nan());
    }

    #[test]
    fn messages_show_times_without_rounding_errors() {
        assert_eq!(format_ms(610.0 * 0.005), 3.05);
        assert_ne!(610.0 * 0.005, 3.05);
        assert!(format_ms(f64::NAN).is_nan());
    }

    #[test]
    fn tstop_is_rounded_to_whole_steps() {
        assert_eq!(TimeGrid::new(0.005, 0.0126).unwrap().steps(), 3);
        assert_eq!(TimeGrid::new(1.0, 0.5).unwrap().steps(), 1);
        let ends = |dt, tstop| TimeGrid::new(dt, tstop).unwrap().ends_at(tstop);
        assert!(ends(0.005, 5.0) && ends(0.1, 0.3) && ends(0.005, 0.035) && ends(1e-3, 4000.001));
        assert!(!ends(0.1, 5.05) && !ends(0.005, 0.0126) && !ends(0.1, 5.000_001));
    }

    #[test]
    fn impossible_grids_are_refused_by_name() {
        let refuse = |dt, tstop| TimeGrid::new(dt, tstop).unwrap_err().to_string();
        assert!(
            refuse(0.0, 5.0).contains("dt is `0`"),
            "{}",
            refuse(0.0, 5.0)
        );
        assert!(refuse(f64::NAN, 5.0).contains("dt is `NaN`"));
        assert!(refuse(0.005, -5.0).contains("tstop is `-5`"));
        assert!(refuse(0.005, f64::INFINITY).contains("tstop is `inf`"));
        let none = refuse(0.005, 0.001);
        assert!(
            none.contains("tstop is `0.001 ms`") && none.contains("dt = 0.005 ms"),
            "{none}"
        );
        assert!(
            refuse(1e-300, 5.0).contains("steps"),
            "{}",
            refuse(1e-300, 5.0)
        );
    }
}
