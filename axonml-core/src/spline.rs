//! Cubic splines with two continuous derivatives through many lines that share their knots.

use std::sync::Arc;

use crate::error::CoreError;

/// Knots, and the factored equations for the slopes of any not-a-knot spline through them.
///
/// Twice continuously differentiable cubics whose third derivative is continuous, too, at the first
/// and the last inner knot ("not a knot"). Through two points that is their line, through three
/// their parabola. The slopes solve a tridiagonal system that depends on the knots alone; it is
/// factored here once, so that each further line costs about five operations a sample.
///
/// # Source
/// C. de Boor, *A Practical Guide to Splines* (1978), chapter IV.
#[derive(Debug, Clone, PartialEq)]
pub struct SplineBasis {
    knots: Vec<f64>,
    /// Row k of the factored system: the multiple of the row above to subtract, the pivot, the element
    /// right of it.
    rows: Vec<Row>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Row {
    lower_over_pivot: f64,
    pivot: f64,
    upper: f64,
}

impl SplineBasis {
    /// Checks the knots and factors the system.
    ///
    /// # Errors
    /// [`CoreError::Shape`] for fewer than two knots, [`CoreError::NonFinite`],
    /// [`CoreError::NotAscending`].
    pub fn new(knots: Vec<f64>) -> Result<Self, CoreError> {
        if knots.len() < 2 {
            return Err(CoreError::shape(
                "knots of an interpolation",
                "two or more",
                knots.len(),
            ));
        }
        CoreError::check_all_finite("knots of an interpolation", &knots)?;
        CoreError::check_ascending("knots of an interpolation", &knots)?;
        let rows = if knots.len() >= 4 {
            factor(&knots)
        } else {
            Vec::new()
        };
        Ok(Self { knots, rows })
    }

    /// The knots, ascending.
    pub fn knots(&self) -> &[f64] {
        &self.knots
    }

    /// First and last knot.
    pub fn range(&self) -> (f64, f64) {
        (self.knots[0], self.knots[self.knots.len() - 1])
    }

    /// The interval `[knot_i, knot_(i+1)]` that holds `x`.
    ///
    /// # Errors
    /// [`CoreError::OutsideRange`], for NaN too.
    pub(crate) fn interval(&self, x: f64) -> Result<usize, CoreError> {
        let (first, last) = self.range();
        if !(first <= x && x <= last) {
            return Err(CoreError::OutsideRange { x, first, last });
        }
        // Where the knots are evenly spaced, which most lines' are, this is the interval.
        let share = (x - first) / (last - first);
        let guess = ((share * (self.knots.len() - 1) as f64) as usize).min(self.knots.len() - 2);
        if self.knots[guess] <= x && x < self.knots[guess + 1] {
            return Ok(guess);
        }
        let after = self.knots.partition_point(|&knot| knot <= x);
        Ok(after.clamp(1, self.knots.len() - 1) - 1)
    }

    /// Checks that there is one finite value per knot.
    pub(crate) fn check_values(&self, values: &[f64]) -> Result<(), CoreError> {
        if values.len() != self.knots.len() {
            let expected = format!("one per knot, {}", self.knots.len());
            return Err(CoreError::shape(
                "values of an interpolation",
                expected,
                values.len(),
            ));
        }
        CoreError::check_all_finite("values of an interpolation", values)
    }

    /// Slopes at the knots of the spline through one value per knot.
    fn slopes(&self, values: &[f64]) -> Vec<f64> {
        let n = self.knots.len();
        let width = |i: usize| self.knots[i + 1] - self.knots[i];
        let chord = |i: usize| (values[i + 1] - values[i]) / width(i);
        match n {
            2 => return vec![chord(0); 2],
            3 => {
                let bend = (chord(1) - chord(0)) / (self.knots[2] - self.knots[0]);
                return vec![
                    chord(0) - bend * width(0),
                    chord(0) + bend * width(0),
                    chord(1) + bend * width(1),
                ];
            }
            _ => {}
        }

        let mut slopes = Vec::with_capacity(n);
        slopes.push(not_a_knot_rhs(width(0), width(1), chord(0), chord(1)));
        for i in 1..n - 1 {
            let rhs = 3.0 * (width(i) * chord(i - 1) + width(i - 1) * chord(i));
            slopes.push(rhs - self.rows[i].lower_over_pivot * slopes[i - 1]);
        }
        let rhs = not_a_knot_rhs(width(n - 2), width(n - 3), chord(n - 2), chord(n - 3));
        slopes.push(rhs - self.rows[n - 1].lower_over_pivot * slopes[n - 2]);

        slopes[n - 1] /= self.rows[n - 1].pivot;
        for i in (0..n - 1).rev() {
            slopes[i] = (slopes[i] - self.rows[i].upper * slopes[i + 1]) / self.rows[i].pivot;
        }
        slopes
    }
}

/// Eliminates the tridiagonal matrix of the slopes. No pivot can vanish for ascending knots, so
/// none is sought.
fn factor(knots: &[f64]) -> Vec<Row> {
    let n = knots.len();
    let width = |i: usize| knots[i + 1] - knots[i];
    let mut rows = vec![Row {
        lower_over_pivot: 0.0,
        pivot: width(1),
        upper: width(0) + width(1),
    }];
    for i in 1..n {
        let (lower, diagonal, upper) = if i < n - 1 {
            (width(i), 2.0 * (width(i - 1) + width(i)), width(i - 1))
        } else {
            (width(n - 3) + width(n - 2), width(n - 3), 0.0)
        };
        let lower_over_pivot = lower / rows[i - 1].pivot;
        rows.push(Row {
            lower_over_pivot,
            pivot: diagonal - lower_over_pivot * rows[i - 1].upper,
            upper,
        });
    }
    rows
}

/// Right-hand side of the not-a-knot equation at an end, from the widths and chord slopes of the
/// two intervals there.
fn not_a_knot_rhs(end_width: f64, next_width: f64, end_chord: f64, next_chord: f64) -> f64 {
    let both = end_width + next_width;
    ((end_width + 2.0 * both) * next_width * end_chord + end_width * end_width * next_chord) / both
}

/// A not-a-knot cubic spline through one line of values.
///
/// # Example
/// ```
/// use axonml_core::CubicSpline;
/// let cube = CubicSpline::new(vec![0.0, 1.0, 3.0, 4.0], vec![0.0, 1.0, 27.0, 64.0])?;
/// assert!((cube.eval(2.0)? - 8.0).abs() < 1e-12);
/// # Ok::<(), axonml_core::CoreError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct CubicSpline {
    basis: Arc<SplineBasis>,
    values: Vec<f64>,
    pieces: Vec<Piece>,
}

/// The cubic around the knot at the left of an interval.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Piece {
    value: f64,
    slope: f64,
    half_bend: f64,
    sixth_jerk: f64,
}

impl Piece {
    /// From values and slopes at both ends of an interval.
    fn new(values: [f64; 2], slopes: [f64; 2], width: f64) -> Self {
        let chord = (values[1] - values[0]) / width;
        let [left, right] = slopes;
        Self {
            value: values[0],
            slope: left,
            half_bend: (3.0 * chord - 2.0 * left - right) / width,
            sixth_jerk: (left + right - 2.0 * chord) / (width * width),
        }
    }
}

impl CubicSpline {
    /// The spline through `values` at `knots`. For several lines over the same knots use
    /// [`CubicSpline::with_basis`].
    ///
    /// # Errors
    /// Those of [`SplineBasis::new`] and [`CubicSpline::with_basis`].
    pub fn new(knots: Vec<f64>, values: Vec<f64>) -> Result<Self, CoreError> {
        Self::with_basis(Arc::new(SplineBasis::new(knots)?), values)
    }

    /// The spline through `values` at the knots of `basis`.
    ///
    /// # Errors
    /// [`CoreError::Shape`] when there is not one value per knot, [`CoreError::NonFinite`].
    pub fn with_basis(basis: Arc<SplineBasis>, values: Vec<f64>) -> Result<Self, CoreError> {
        basis.check_values(&values)?;
        let slopes = basis.slopes(&values);
        let knots = basis.knots();
        let piece = |i: usize| {
            let ends = |of: &[f64]| [of[i], of[i + 1]];
            Piece::new(ends(&values), ends(&slopes), knots[i + 1] - knots[i])
        };
        let pieces = (0..knots.len() - 1).map(piece).collect();
        Ok(Self {
            basis,
            values,
            pieces,
        })
    }

    /// The knots it shares with other lines.
    pub fn basis(&self) -> &SplineBasis {
        &self.basis
    }

    /// The values at the knots.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The spline at `x`.
    ///
    /// # Errors
    /// [`CoreError::OutsideRange`] outside the knots.
    pub fn eval(&self, x: f64) -> Result<f64, CoreError> {
        let (piece, dx) = self.piece(x)?;
        Ok(piece.value + dx * (piece.slope + dx * (piece.half_bend + dx * piece.sixth_jerk)))
    }

    /// The first derivative of the spline at `x`.
    ///
    /// # Errors
    /// [`CoreError::OutsideRange`] outside the knots.
    pub fn derivative(&self, x: f64) -> Result<f64, CoreError> {
        let (piece, dx) = self.piece(x)?;
        Ok(piece.slope + dx * (2.0 * piece.half_bend + dx * 3.0 * piece.sixth_jerk))
    }

    /// The piece around the knot at or before `x`, and the distance of `x` from that knot.
    fn piece(&self, x: f64) -> Result<(Piece, f64), CoreError> {
        let i = self.basis.interval(x)?;
        Ok((self.pieces[i], x - self.basis.knots()[i]))
    }
}

#[cfg(test)]
mod tests;
