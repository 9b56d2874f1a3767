//! A nerve in its cuff: the potential of each contact along each fibre, sampled on lines.

use std::collections::BTreeMap;
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
    /// One per contact, `[fibre, sample]`: potential in mV per 1 mA from that contact. NaN marks
    /// unknown samples.
    pub contacts: Vec<Array2<f64>>,
    /// `[sample]`: position of the samples along the nerve in um, ascending.
    pub fiber_z_um: Vec<f64>,
    /// `[fibre, 2]`: where each fibre crosses the nerve's cross-section, in um.
    pub fibers_xy_um: Option<Array2<f64>>,
    /// `[fibre]`: whether the fibre is to be activated.
    pub target: Option<Vec<bool>>,
    /// `[fibre]`: how many fibres of the nerve each stands for; sums to 1. All alike if absent.
    pub weights: Option<Vec<f64>>,
    /// Contacts and fascicles, for pictures.
    pub geometry: Option<NerveGeometry>,
}

/// Samples of a line that were unknown and have been interpolated from those around them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GapRepair {
    /// Contact, counted from 0.
    pub contact: usize,
    /// Fibre, counted from 0.
    pub fibre: usize,
    /// The samples that were NaN.
    pub samples: Range<usize>,
}

/// A nerve whose arrays fit each other and hold finite numbers only.
#[derive(Debug, Clone)]
pub struct Nerve {
    arrays: NerveArrays,
    weights: Vec<f64>,
    fibres: usize,
    basis: Arc<SplineBasis>,
    repairs: Vec<GapRepair>,
    /// Lines that cannot be used in whole, by contact and fiber.
    faults: BTreeMap<(usize, usize), LineFault>,
}

/// What is wrong with a line.
#[derive(Debug, Clone)]
struct LineFault {
    error: CoreError,
    /// The samples that are known nevertheless, where they are enough for a shorter line.
    known: Option<Range<usize>>,
}

impl Nerve {
    /// How far the sum of the weights may be from 1: they come from files in single precision.
    const WEIGHT_SUM_TOLERANCE: f64 = 1e-6;

    /// Checks the arrays and fills gaps inside lines, of which [`Nerve::repairs`] tells, by a cubic
    /// spline through the samples that are there.
    ///
    /// # Errors
    /// - [`CoreError::Shape`] when arrays do not fit each other, or there is no contact or no
    ///   fibre.
    /// - [`CoreError::NonFinite`], [`CoreError::NotAscending`] for `fiber_z_um`, `fibers_xy_um`
    ///   and `weights`, and for infinite potentials.
    /// - [`CoreError::EmptyLine`] for a line of NaN, [`CoreError::GapAtEnd`] for one that begins
    ///   or ends with NaN.
    /// - [`CoreError::BadValue`] for weights that are negative or do not sum to 1.
    pub fn new(arrays: NerveArrays) -> Result<Self, CoreError> {
        let nerve = Self::with_faults(arrays)?;
        match nerve.faults.into_values().next() {
            Some(fault) => Err(fault.error),
            None => Ok(Self {
                faults: BTreeMap::new(),
                ..nerve
            }),
        }
    }

    /// As [`Nerve::new`], but a line that is unusable, or that begins or ends with NaN, is an error only for the fibers
    /// that need it: [`Nerve::field`] refuses it, or gives what is known of it.
    ///
    /// # Errors
    /// As [`Nerve::new`], but for those of lines.
    pub fn with_faults(mut arrays: NerveArrays) -> Result<Self, CoreError> {
        let fibres = check_shapes(&arrays)?;
        CoreError::check_all_finite("fiber_z", &arrays.fiber_z_um)?;
        CoreError::check_ascending("fiber_z", &arrays.fiber_z_um)?;
        let basis = Arc::new(SplineBasis::new(arrays.fiber_z_um.clone())?);
        if let Some(xy) = &arrays.fibers_xy_um {
            CoreError::check_all_finite("fibers_xy", &xy.iter().copied().collect::<Vec<_>>())?;
        }
        let weights = checked_weights(arrays.weights.take(), fibres)?;

        let mut repairs = Vec::new();
        let mut faults = BTreeMap::new();
        for (contact, lines) in arrays.contacts.iter_mut().enumerate() {
            for (fibre, line) in lines.outer_iter_mut().enumerate() {
                let z_um = &arrays.fiber_z_um;
                let gaps = match fill_gaps(line, z_um, contact, fibre) {
                    Ok(gaps) => gaps,
                    Err(fault) => {
                        faults.insert((contact, fibre), fault);
                        continue;
                    }
                };
                repairs.extend(gaps.into_iter().map(|samples| GapRepair {
                    contact,
                    fibre,
                    samples,
                }));
            }
        }
        Ok(Self {
            arrays,
            weights,
            fibres,
            basis,
            repairs,
            faults,
        })
    }

    /// Name of the nerve.
    pub fn name(&self) -> &str {
        &self.arrays.name
    }

    /// Number of fibres.
    pub fn fibers(&self) -> usize {
        self.fibres
    }

    /// Number of contacts.
    pub fn contacts(&self) -> usize {
        self.arrays.contacts.len()
    }

    /// Position of the samples along the nerve in um.
    pub fn fiber_z_um(&self) -> &[f64] {
        &self.arrays.fiber_z_um
    }

    /// `[fibre, 2]`: where each fibre crosses the cross-section, in um.
    pub fn fibers_xy_um(&self) -> Option<&Array2<f64>> {
        self.arrays.fibers_xy_um.as_ref()
    }

    /// Which fibres are to be activated, if that is known.
    pub fn target(&self) -> Option<&[bool]> {
        self.arrays.target.as_deref()
    }

    /// What share of the nerve each fibre stands for; sums to 1.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Contacts and fascicles, if they are known.
    pub fn geometry(&self) -> Option<&NerveGeometry> {
        self.arrays.geometry.as_ref()
    }

    /// The gaps that were filled, by contact, then fibre, then sample.
    pub fn repairs(&self) -> &[GapRepair] {
        &self.repairs
    }

    /// What is wrong with lines of a nerve that was made by [`Nerve::with_faults`], by contact, then fiber.
    pub fn faults(&self) -> impl ExactSizeIterator<Item = &CoreError> {
        self.faults.values().map(|fault| &fault.error)
    }

    /// `[fibre, sample]`: potentials of a contact in mV per 1 mA, gaps filled, but for lines with faults.
    ///
    /// # Panics
    /// If there is no such contact.
    pub fn potentials_mv(&self, contact: usize) -> &Array2<f64> {
        &self.arrays.contacts[contact]
    }

    /// The field along a fibre when each contact delivers its factor times the waveform, in mV per
    /// mA.
    ///
    /// The fibre's middle (z = 0) lies at the middle of the sampled line, `(first + last) / 2`,
    /// plus `offset_um`. With [`Extension::PointSource`] each contact's line is continued on its
    /// own, so that the result stays linear in the factors. A line that begins or ends with NaN is as long as what is
    /// known of it less two samples there, and is not continued.
    ///
    /// # Errors
    /// - [`CoreError::BadValue`] for a fibre the nerve does not have and for factors or offsets
    ///   that are not finite.
    /// - [`CoreError::Shape`] when there is not one factor per contact.
    /// - [`CoreError::NoDecay`] when a line cannot be extended.
    /// - [`CoreError::EmptyLine`], [`CoreError::GapAtEnd`], [`CoreError::NonFinite`] for a line that
    ///   [`Nerve::with_faults`] let pass and that cannot be used.
    pub fn field(
        &self,
        fibre: usize,
        contact_factors: &[f64],
        interpolation: Interpolation,
        offset_um: f64,
        extension: Extension,
    ) -> Result<SampledLine, CoreError> {
        self.check_fibre(fibre)?;
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

        // A line that is nothing but NaN is an error whether its contact delivers or not: the folder is not what it was
        // meant to be.
        let mut of_fiber =
            (0..self.contacts()).filter_map(|contact| self.faults.get(&(contact, fibre)));
        if let Some(fault) = of_fiber.find(|fault| fault.known.is_none()) {
            return Err(fault.error.clone());
        }
        let lines: Vec<usize> = delivering().map(|(contact, _)| contact).collect();
        let (known, fault) = self.known(fibre, &lines)?;
        if let (Some(fault), Extension::PointSource) = (fault, extension) {
            return Err(fault.clone());
        }
        let mut sum = vec![0.0; self.arrays.fiber_z_um.len()];
        for (contact, factor) in delivering() {
            for (sum, potential) in sum.iter_mut().zip(self.line(contact, fibre)) {
                *sum += factor * potential;
            }
        }
        if fault.is_some() {
            let z_um = &self.arrays.fiber_z_um;
            let part = Interpolator::new(
                z_um[known.clone()].to_vec(),
                sum[known.clone()].to_vec(),
                interpolation,
            )?;
            let ragged = |end: usize| {
                if end == 0 || end + 1 == z_um.len() {
                    0
                } else {
                    EDGE
                }
            };
            let (first, last) = (known.start, known.end - 1);
            let certain = (z_um[first + ragged(first)], z_um[last - ragged(last)]);
            let middle_um = 0.5 * (z_um[0] + z_um[z_um.len() - 1]);
            return SampledLine::of_part(part, certain, middle_um, offset_um);
        }
        let field =
            SampledLine::from_interpolator(self.interpolate(sum, interpolation)?, offset_um)?;
        match extension {
            Extension::Refuse => Ok(field),
            Extension::PointSource => {
                delivering().try_fold(field.with_ends(), |field, (contact, &factor)| {
                    let line =
                        self.interpolate(self.line(contact, fibre).to_vec(), interpolation)?;
                    field.extended_by(&line, factor)
                })
            }
        }
    }

    /// The samples that all these contacts know of a fiber, and the first fault among them.
    fn known(
        &self,
        fibre: usize,
        contacts: &[usize],
    ) -> Result<(Range<usize>, Option<&CoreError>), CoreError> {
        let mut known = 0..self.arrays.fiber_z_um.len();
        let mut first = None;
        for contact in contacts {
            let Some(fault) = self.faults.get(&(*contact, fibre)) else {
                continue;
            };
            if let Some(samples) = &fault.known {
                known = known.start.max(samples.start)..known.end.min(samples.end);
            }
            first.get_or_insert(&fault.error);
        }
        match first {
            Some(fault) if known.len() < SHORTEST => Err(fault.clone()),
            first => Ok((known, first)),
        }
    }

    fn line(&self, contact: usize, fibre: usize) -> ArrayView1<'_, f64> {
        self.arrays.contacts[contact].row(fibre)
    }

    fn interpolate(
        &self,
        values: Vec<f64>,
        method: Interpolation,
    ) -> Result<Interpolator, CoreError> {
        Interpolator::with_basis(Arc::clone(&self.basis), values, method)
    }

    fn check_fibre(&self, fibre: usize) -> Result<(), CoreError> {
        if fibre < self.fibres {
            return Ok(());
        }
        let expected = format!(
            "0 to {}: nerve {} has {} fibres",
            self.fibres - 1,
            self.name(),
            self.fibres
        );
        Err(CoreError::bad_value("fibre", fibre, expected))
    }
}

/// Checks every array against the first contact's and returns the number of fibres.
fn check_shapes(arrays: &NerveArrays) -> Result<usize, CoreError> {
    let Some(first) = arrays.contacts.first() else {
        return Err(CoreError::shape("contacts of the nerve", "one or more", 0));
    };
    let fibres = first.nrows();
    if fibres == 0 {
        return Err(CoreError::shape("fibres of contact 0", "one or more", 0));
    }
    let samples = arrays.fiber_z_um.len();
    for (contact, lines) in arrays.contacts.iter().enumerate() {
        if lines.dim() != (fibres, samples) {
            return Err(CoreError::shape(
                format!("contact {contact}"),
                format!("(fibres, samples) = ({fibres}, {samples}) as in contact 0 and fiber_z"),
                format!("{:?}", lines.dim()),
            ));
        }
    }
    let per_fibre = |what: &str, expected: String, found: String| {
        if expected == found {
            Ok(())
        } else {
            Err(CoreError::shape(what, expected, found))
        }
    };
    if let Some(xy) = &arrays.fibers_xy_um {
        per_fibre(
            "fibers_xy",
            format!("{:?}", (fibres, 2)),
            format!("{:?}", xy.dim()),
        )?;
    }
    if let Some(target) = &arrays.target {
        per_fibre("target", fibres.to_string(), target.len().to_string())?;
    }
    if let Some(weights) = &arrays.weights {
        per_fibre("weights", fibres.to_string(), weights.len().to_string())?;
    }
    Ok(fibres)
}

/// The weights, uniform where none are given.
fn checked_weights(weights: Option<Vec<f64>>, fibres: usize) -> Result<Vec<f64>, CoreError> {
    let Some(weights) = weights else {
        return Ok(vec![1.0 / fibres as f64; fibres]);
    };
    CoreError::check_all_finite("weights", &weights)?;
    if let Some((fibre, weight)) = weights
        .iter()
        .enumerate()
        .find(|&(_, &weight)| weight < 0.0)
    {
        return Err(CoreError::bad_value(
            format!("weight of fibre {fibre}"),
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

/// Samples next to an unknown end within which a line is not certain: the spline there has no neighbors to lean on.
const EDGE: usize = 2;
/// Samples that make a line where others are missing at its ends.
const SHORTEST: usize = 2 * EDGE + 2;

/// Fills the NaN between known samples of a line by a cubic spline through those, and returns where they were.
fn fill_gaps(
    mut line: ArrayViewMut1<'_, f64>,
    z_um: &[f64],
    contact: usize,
    fibre: usize,
) -> Result<Vec<Range<usize>>, LineFault> {
    let samples = line.len();
    let unusable = |error| LineFault { error, known: None };
    if let Some(index) = line.iter().position(|potential| potential.is_infinite()) {
        let what = format!("contact {contact}, fibre {fibre}");
        return Err(unusable(CoreError::NonFinite {
            what,
            index,
            found: line[index],
        }));
    }
    let (known_z, known): (Vec<f64>, Vec<f64>) = z_um
        .iter()
        .zip(line.iter())
        .filter(|(_, potential)| !potential.is_nan())
        .unzip();
    if known.len() == samples {
        return Ok(Vec::new());
    }
    let first = line.iter().position(|potential| !potential.is_nan());
    let last = line.iter().rposition(|potential| !potential.is_nan());
    let (Some(first), Some(last)) = (first, last) else {
        return Err(unusable(CoreError::EmptyLine {
            contact,
            fibre,
            samples,
        }));
    };
    let at_end = [(first != 0, 0), (last + 1 != samples, samples - 1)];
    let at_end = at_end.into_iter().find(|(missing, _)| *missing);
    let at_end = at_end.map(|(_, sample)| CoreError::GapAtEnd {
        contact,
        fibre,
        sample,
    });
    if let (Some(error), true) = (&at_end, last + 1 - first < SHORTEST) {
        return Err(unusable(error.clone()));
    }

    let mut gaps: Vec<Range<usize>> = Vec::new();
    if known.len() < last + 1 - first {
        let spline = CubicSpline::new(known_z, known).map_err(unusable)?;
        for sample in first..=last {
            if !line[sample].is_nan() {
                continue;
            }
            line[sample] = spline.eval(z_um[sample]).map_err(unusable)?;
            match gaps.last_mut() {
                Some(gap) if gap.end == sample => gap.end += 1,
                _ => gaps.push(sample..sample + 1),
            }
        }
    }
    match at_end {
        None => Ok(gaps),
        Some(error) => Err(LineFault {
            error,
            known: Some(first..last + 1),
        }),
    }
}

#[cfg(test)]
mod tests;
