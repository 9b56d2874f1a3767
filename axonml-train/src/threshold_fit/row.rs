//! The rows of the least squares.

/// A row of the least squares: a residual in standard deviations, and its derivative.
pub(super) struct Row {
    pub(super) residual: f64,
    /// Residual from which the penalty is linear.
    pub(super) limit: f64,
    pub(super) by_x: Vec<f64>,
    /// Whether a derivative is beyond use.
    pub(super) steep: bool,
}
