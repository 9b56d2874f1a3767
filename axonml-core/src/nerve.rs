//! A nerve in its cuff: the potential of each contact along each fiber, sampled on lines.

use std::ops::Range;
use std::sync::Arc;

use ndarray::{Array2, ArrayView1, ArrayViewMut1};

use crate::error::CoreError;
use crate::field::{Extension, SampledLine};
use crate::geometry::NerveGeometry;
use crate::interpolation::{Interpolation, Interpolator};
use crate::spline::{CubicSpline, SplineBasis};

/// The arrays of a nerve as they come out of its files, not yet checked.
#[derive(Debug, Clone, Default)]
pub struct NerveArrays {
    /// Name of the nerve.
    pub name: String,
    /// One per contact, `[fiber, sample]`: potential in mV per 1 mA from that contact. NaN marks
    /// unknown samples.
    pub contacts: Vec<Array2<f64>>,
    /// `[sample]`: position of the samples along the nerve in um, ascending.
    pub fiber_z_um: Vec<f64>,
    /// `[fiber, 2]`: where each fiber crosses the nerve's cross-section, in um.
    pub fibers_xy_um: Option<Array2<f64>>,
    /// `[fiber]`: whether the fiber is to be activated.
    pub target: Option<Vec<bool>>,
    /// `[fiber]`: share of the nerve's fibers that each represents; sums to 1. Equal if absent.
    pub weights: Option<Vec<f64>>,
    /// Contacts and fascicles, for pictures.
    pub geometry: Option<NerveGeometry>,
}

/// Samples of a line that were unknown and have been interpolated from those around them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GapRepair {
    /// Contact, counted from 0.
    pub contact: usize,
    /// Fiber, counted from 0.
    pub fiber: usize,
    /// The samples that were NaN.
    pub samples: Range<usize>,
}

/// A nerve whose arrays fit each other. A line may be known in part only; one that is not known at all
/// makes its fiber an error of [`Nerve::field`], not the nerve.
#[derive(Debug, Clone)]
pub struct Nerve {
    arrays: NerveArrays,
    weights: Vec<f64>,
    fibers: usize,
    basis: Arc<SplineBasis>,
    repairs: Vec<GapRepair>,
    /// `[contact][fiber]`: the samples between the first and the last that are known, or why there are
    /// none.
    known: Vec<Vec<Result<Range<usize>, CoreError>>>,
    /// How much of its length a line may be extended by.
    max_extension: f64,
}

/// Interpolation error of a sampled line, estimated from its own samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SamplingError {
    /// Contact, counted from 0.
    pub contact: usize,
    /// Fiber, counted from 0.
    pub fiber: usize,
    /// Estimated largest error of interpolation, in percent of the line's largest magnitude.
    pub percent: f64,
    /// Largest distance of two samples, um.
    pub spacing_um: f64,
}

impl Nerve {
    /// How far the sum of the weights may be from 1: they come from files in single precision.
    const WEIGHT_SUM_TOLERANCE: f64 = 1e-6;

    /// Checks the arrays and fills gaps inside lines (listed by [`Nerve::repairs`]) by a cubic spline through the
    /// samples that are there. NaN at the ends of a line are left: the line is known between them.
    ///
    /// # Errors
    /// - [`CoreError::Shape`] when arrays do not fit each other, or there is no contact or no
    ///   fiber.
    /// - [`CoreError::NonFinite`], [`CoreError::NotAscending`] for `fiber_z_um`, `fibers_xy_um`
    ///   and `weights`.
    /// - The error of the first fiber, as [`Nerve::field`] gives it, if no fiber of a contact is known.
    /// - [`CoreError::BadValue`] for weights that are negative or do not sum to 1.
    pub fn new(mut arrays: NerveArrays) -> Result<Self, CoreError> {
        let fibers = check_shapes(&arrays)?;
        CoreError::check_all_finite("fiber_z", &arrays.fiber_z_um)?;
        CoreError::check_ascending("fiber_z", &arrays.fiber_z_um)?;
        let basis = Arc::new(SplineBasis::new(arrays.fiber_z_um.clone())?);
        if let Some(xy) = &arrays.fibers_xy_um {
            CoreError::check_all_finite("fibers_xy", &xy.iter().copied().collect::<Vec<_>>())?;
        }
        let weights = checked_weights(arrays.weights.take(), fibers)?;

        let (mut repairs, mut known) = (Vec::new(), Vec::new());
        for (contact, lines) in arrays.contacts.iter_mut().enumerate() {
            let mut of_contact = Vec::with_capacity(fibers);
            for (fiber, line) in lines.outer_iter_mut().enumerate() {
                let filled = fill_gaps(line, &arrays.fiber_z_um, contact, fiber);
                of_contact.push(filled.map(|(known, gaps)| {
                    repairs.extend(gaps.into_iter().map(|samples| GapRepair {
                        contact,
                        fiber,
                        samples,
                    }));
                    known
                }));
            }
            if let (Some(Err(first)), true) =
                (of_contact.first(), of_contact.iter().all(Result::is_err))
            {
                return Err(first.clone());
            }
            known.push(of_contact);
        }
        Ok(Self {
            arrays,
            weights,
            fibers,
            basis,
            repairs,
            known,
            max_extension: f64::INFINITY,
        })
    }

    /// This nerve, of which [`Extension::PointSource`] may extend lines by at most `fraction` of their
    /// length, both ends together; without limit by default.
    #[must_use]
    pub fn extended_at_most(self, fraction: f64) -> Self {
        Self {
            max_extension: fraction,
            ..self
        }
    }

    /// This nerve with other fibers to be activated.
    ///
    /// # Errors
    /// [`CoreError::Shape`] if there is not one flag per fiber.
    pub fn with_target(mut self, target: Vec<bool>) -> Result<Self, CoreError> {
        self.arrays.target = Some(target);
        check_shapes(&self.arrays)?;
        Ok(self)
    }

    /// This nerve with another share of each fiber.
    ///
    /// # Errors
    /// As [`Nerve::new`] has it of weights.
    pub fn with_weights(mut self, weights: Vec<f64>) -> Result<Self, CoreError> {
        self.arrays.weights = Some(weights);
        check_shapes(&self.arrays)?;
        self.weights = checked_weights(self.arrays.weights.take(), self.fibers)?;
        Ok(self)
    }

    /// The line that is sampled most coarsely. `None` where no line has enough samples or all are 0.
    ///
    /// Each line is interpolated from every other of its samples and compared at those left out, twice: from
    /// the even and from the odd ones, since a sample on top of a peak is missed when it is left out only. The
    /// larger is the error at twice the spacing, `e` as a fraction of the peak. With coarser and coarser
    /// samples errors tend to the whole peak, 1; the estimate for the spacing itself continues the sequence
    /// 1, e, ... by `e^2`. For point sources at distances of half to twice the spacing it lies between 0.24
    /// times the error (a peak halfway between two samples) and 9 times (a peak on a sample).
    pub fn sampling_error(&self) -> Option<SamplingError> {
        let full = 0..self.arrays.fiber_z_um.len();
        let of_full = self.halves(full.clone());
        let mut worst: Option<SamplingError> = None;
        for (contact, lines) in self.known.iter().enumerate() {
            for (fiber, known) in lines.iter().enumerate() {
                let Ok(known) = known else { continue };
                let own = (*known != full).then(|| self.halves(known.clone()));
                let Some((halves, spacing_um)) = own.as_ref().unwrap_or(&of_full) else {
                    continue;
                };
                let Some(percent) = self.left_out_error(contact, fiber, known, halves) else {
                    continue;
                };
                if worst.is_none_or(|worst| percent > worst.percent) {
                    worst = Some(SamplingError {
                        contact,
                        fiber,
                        percent,
                        spacing_um: *spacing_um,
                    });
                }
            }
        }
        worst
    }

    /// The even and the odd ones of these samples' positions, and the largest distance of two neighbors.
    fn halves(&self, known: Range<usize>) -> Option<([Arc<SplineBasis>; 2], f64)> {
        let z = &self.arrays.fiber_z_um[known];
        if z.len() < 6 {
            return None;
        }
        let spacing = z.windows(2).map(|pair| pair[1] - pair[0]);
        let half = |first: usize| {
            let kept = z.iter().copied().skip(first).step_by(2);
            SplineBasis::new(kept.collect()).ok().map(Arc::new)
        };
        Some(([half(0)?, half(1)?], spacing.fold(0.0, f64::max)))
    }

    /// The estimated error of interpolation, in percent of the line's largest magnitude.
    fn left_out_error(
        &self,
        contact: usize,
        fiber: usize,
        known: &Range<usize>,
        halves: &[Arc<SplineBasis>; 2],
    ) -> Option<f64> {
        let line: Vec<f64> = self.line(contact, fiber).to_vec();
        let (line, z) = (&line[known.clone()], &self.arrays.fiber_z_um[known.clone()]);
        let peak = line.iter().fold(0.0, |peak: f64, v| peak.max(v.abs()));
        if peak == 0.0 {
            return None;
        }
        let mut error = 0.0_f64;
        for (first, basis) in halves.iter().enumerate() {
            let kept = line.iter().copied().skip(first).step_by(2).collect();
            let spline = CubicSpline::with_basis(Arc::clone(basis), kept).ok()?;
            let (begin, end) = basis.range();
            let left_out = z.iter().zip(line).skip(1 - first).step_by(2);
            let errors = left_out
                .filter(|(z, _)| (begin..=end).contains(*z))
                .filter_map(|(z, v)| Some((spline.eval(*z).ok()? - v).abs()));
            error = errors.fold(error, f64::max);
        }
        Some(100.0 * (error / peak).powi(2))
    }

    /// Name of the nerve.
    pub fn name(&self) -> &str {
        &self.arrays.name
    }

    /// Number of fibers.
    pub fn fibers(&self) -> usize {
        self.fibers
    }

    /// Number of contacts.
    pub fn contacts(&self) -> usize {
        self.arrays.contacts.len()
    }

    /// Position of the samples along the nerve in um.
    pub fn fiber_z_um(&self) -> &[f64] {
        &self.arrays.fiber_z_um
    }

    /// `[fiber, 2]`: where each fiber crosses the cross-section, in um.
    pub fn fibers_xy_um(&self) -> Option<&Array2<f64>> {
        self.arrays.fibers_xy_um.as_ref()
    }

    /// Which fibers are to be activated, if that is known.
    pub fn target(&self) -> Option<&[bool]> {
        self.arrays.target.as_deref()
    }

    /// The share of the nerve that each fiber represents; sums to 1.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Contacts and fascicles, if they are known.
    pub fn geometry(&self) -> Option<&NerveGeometry> {
        self.arrays.geometry.as_ref()
    }

    /// The gaps that were filled, by contact, then fiber, then sample.
    pub fn repairs(&self) -> &[GapRepair] {
        &self.repairs
    }

    /// `[fiber, sample]`: potentials of a contact in mV per 1 mA, gaps filled; NaN where a line is not
    /// known.
    ///
    /// # Panics
    /// If there is no such contact.
    pub fn potentials_mv(&self, contact: usize) -> &Array2<f64> {
        &self.arrays.contacts[contact]
    }

    /// The field along a fiber when each contact delivers its factor times the waveform, in mV per
    /// mA.
    ///
    /// The fiber's middle (z = 0) lies at the middle of the sampled line, `(first + last) / 2`,
    /// plus `offset_um`. With [`Extension::PointSource`] each contact's line is continued on its
    /// own, so that the result stays linear in the factors.
    ///
    /// # Errors
    /// - [`CoreError::BadValue`] for a fiber the nerve does not have and for factors or offsets
    ///   that are not finite.
    /// - [`CoreError::Shape`] when there is not one factor per contact.
    /// - [`CoreError::EmptyLine`], [`CoreError::NonFinite`] for a line that is not known.
    /// - [`CoreError::NoDecay`] when a line cannot be extended.
    pub fn field(
        &self,
        fiber: usize,
        contact_factors: &[f64],
        interpolation: Interpolation,
        offset_um: f64,
        extension: Extension,
    ) -> Result<SampledLine, CoreError> {
        self.check_fiber(fiber)?;
        if contact_factors.len() != self.contacts() {
            let expected = format!("one per contact, {}", self.contacts());
            let what = format!("contact factors for nerve {}", self.name());
            return Err(CoreError::shape(what, expected, contact_factors.len()));
        }
        for (contact, &factor) in contact_factors.iter().enumerate() {
            CoreError::check_finite(
                &format!("factor of contact {contact}"),
                "multiples of the waveform",
                factor,
            )?;
        }
        let delivering = || {
            contact_factors
                .iter()
                .enumerate()
                .filter(|&(_, &factor)| factor != 0.0)
        };

        let full = 0..self.arrays.fiber_z_um.len();
        let mut known = full.clone();
        for (contact, _) in delivering() {
            let of_line = self.known[contact][fiber].clone()?;
            known = known.start.max(of_line.start)..known.end.min(of_line.end);
        }
        let z = &self.arrays.fiber_z_um;
        let middle_um = 0.5 * (z[0] + z[z.len() - 1]);
        let basis = match known == full {
            true => Arc::clone(&self.basis),
            // Fewer than two samples are refused here.
            false => Arc::new(SplineBasis::new(
                z.get(known.clone()).unwrap_or_default().to_vec(),
            )?),
        };
        let interpolate =
            |values: Vec<f64>| Interpolator::with_basis(Arc::clone(&basis), values, interpolation);
        let mut sum = vec![0.0; known.len()];
        for (contact, factor) in delivering() {
            for (sum, potential) in sum
                .iter_mut()
                .zip(self.line(contact, fiber).iter().skip(known.start))
            {
                *sum += factor * potential;
            }
        }
        let field = SampledLine::from_interpolator(interpolate(sum)?, middle_um, offset_um)?;
        match extension {
            Extension::Refuse if known == full => Ok(field),
            Extension::Refuse => {
                // The spline is sure two samples inside of where the values end.
                let margin = |at: usize| z[at.clamp(known.start, known.end - 1)];
                let first = if known.start == 0 { 0 } else { known.start + 2 };
                let last = if known.end == full.end {
                    full.end - 1
                } else {
                    known.end.saturating_sub(3)
                };
                Ok(field.known_within((margin(first), margin(last))))
            }
            Extension::PointSource => {
                let (first, last) = basis.range();
                let field = field
                    .with_ends()
                    .extended_at_most(self.max_extension * (last - first));
                delivering().try_fold(field, |field, (contact, &factor)| {
                    let line = self.line(contact, fiber);
                    let line = line.iter().skip(known.start).take(known.len());
                    field.extended_by(&interpolate(line.copied().collect())?, factor)
                })
            }
        }
    }

    fn line(&self, contact: usize, fiber: usize) -> ArrayView1<'_, f64> {
        self.arrays.contacts[contact].row(fiber)
    }

    fn check_fiber(&self, fiber: usize) -> Result<(), CoreError> {
        if fiber < self.fibers {
            return Ok(());
        }
        let expected = format!(
            "0 to {}: nerve {} has {} fibers",
            self.fibers - 1,
            self.name(),
            self.fibers
        );
        Err(CoreError::bad_value("fiber", fiber, expected))
    }
}

/// Checks every array against the first contact's and returns the number of fibers.
fn check_shapes(arrays: &NerveArrays) -> Result<usize, CoreError> {
    let Some(first) = arrays.contacts.first() else {
        return Err(CoreError::shape("contacts of the nerve", "one or more", 0));
    };
    let fibers = first.nrows();
    if fibers == 0 {
        return Err(CoreError::shape("fibers of contact 0", "one or more", 0));
    }
    let samples = arrays.fiber_z_um.len();
    for (contact, lines) in arrays.contacts.iter().enumerate() {
        if lines.dim() != (fibers, samples) {
            return Err(CoreError::shape(
                format!("contact {contact}"),
                format!("(fibers, samples) = ({fibers}, {samples}) as in contact 0 and fiber_z"),
                format!("{:?}", lines.dim()),
            ));
        }
    }
    let per_fiber = |what: &str, expected: String, found: String| {
        if expected == found {
            Ok(())
        } else {
            Err(CoreError::shape(what, expected, found))
        }
    };
    if let Some(xy) = &arrays.fibers_xy_um {
        per_fiber(
            "fibers_xy",
            format!("{:?}", (fibers, 2)),
            format!("{:?}", xy.dim()),
        )?;
    }
    if let Some(target) = &arrays.target {
        per_fiber("target", fibers.to_string(), target.len().to_string())?;
    }
    if let Some(weights) = &arrays.weights {
        per_fiber("weights", fibers.to_string(), weights.len().to_string())?;
    }
    Ok(fibers)
}

/// The weights, uniform where none are given.
fn checked_weights(weights: Option<Vec<f64>>, fibers: usize) -> Result<Vec<f64>, CoreError> {
    let Some(weights) = weights else {
        return Ok(vec![1.0 / fibers as f64; fibers]);
    };
    CoreError::check_all_finite("weights", &weights)?;
    if let Some((fiber, weight)) = weights
        .iter()
        .enumerate()
        .find(|&(_, &weight)| weight < 0.0)
    {
        return Err(CoreError::bad_value(
            format!("weight of fiber {fiber}"),
            weight,
            "0 or more",
        ));
    }
    let sum: f64 = weights.iter().sum();
    if (sum - 1.0).abs() > Nerve::WEIGHT_SUM_TOLERANCE {
        return Err(CoreError::bad_value(
            "sum of weights",
            sum,
            "1; divide the weights by their sum",
        ));
    }
    Ok(weights)
}

/// Fills the NaN inside a line by a cubic spline through its other samples and returns where the line is
/// known and where they were.
fn fill_gaps(
    mut line: ArrayViewMut1<'_, f64>,
    z_um: &[f64],
    contact: usize,
    fiber: usize,
) -> Result<(Range<usize>, Vec<Range<usize>>), CoreError> {
    let samples = line.len();
    if let Some(index) = line.iter().position(|potential| potential.is_infinite()) {
        let what = format!("contact {contact}, fiber {fiber}");
        return Err(CoreError::NonFinite {
            what,
            index,
            found: line[index],
        });
    }
    let (known_z, known): (Vec<f64>, Vec<f64>) = z_um
        .iter()
        .zip(line.iter())
        .filter(|(_, potential)| !potential.is_nan())
        .unzip();
    let is_known = |sample: &usize| !line[*sample].is_nan();
    let bounds = (0..samples)
        .find(is_known)
        .zip((0..samples).rfind(is_known));
    let Some((first, last)) = bounds.filter(|(first, last)| first < last) else {
        return Err(CoreError::EmptyLine {
            contact,
            fiber,
            samples,
        });
    };
    let bounds = first..last + 1;
    if known.len() == bounds.len() {
        return Ok((bounds, Vec::new()));
    }

    let spline = CubicSpline::new(known_z, known)?;
    let mut gaps: Vec<Range<usize>> = Vec::new();
    for sample in bounds.clone() {
        if !line[sample].is_nan() {
            continue;
        }
        line[sample] = spline.eval(z_um[sample])?;
        match gaps.last_mut() {
            Some(gap) if gap.end == sample => gap.end += 1,
            _ => gaps.push(sample..sample + 1),
        }
    }
    Ok((bounds, gaps))
}

#[cfg(test)]
mod tests;
