//! The coordinates that optimizers move, and which of them are feasible.

use axonml_optimize::Projection;

use super::Problem;
use crate::design::Delivered;
use crate::design::limits::Feasible;

impl Problem {
    /// Number of linear coordinates; the others are shapes.
    pub fn linear(&self) -> usize {
        self.parameterization.contacts() * self.parameterization.coefficients()
    }

    /// Least and largest value of each coordinate for searches over all of them: -1 to 1 where they are linear.
    pub fn ranges(&self) -> Vec<[f64; 2]> {
        let linear = std::iter::repeat_n([-1.0, 1.0], self.linear());
        let shapes = self.parameterization.shapes().into_iter();
        linear
            .chain(shapes.map(|(_, range)| of_shape_range(range)))
            .collect()
    }

    /// The unknowns at these coordinates.
    pub fn unknowns(&self, coordinates: &[f64]) -> Vec<f64> {
        let (linear, shapes) = coordinates.split_at(self.linear());
        let ranges = self.parameterization.shapes();
        let shapes = shapes.iter().zip(&ranges);
        let shapes = shapes.map(|(x, (_, range))| to_shape(*x, *range));
        linear.iter().map(|x| x * self.unit).chain(shapes).collect()
    }

    /// The coordinates of these unknowns.
    pub fn coordinates(&self, unknowns: &[f64]) -> Vec<f64> {
        let (linear, shapes) = unknowns.split_at(self.linear());
        let ranges = self.parameterization.shapes();
        let shapes = shapes.iter().zip(&ranges);
        let shapes = shapes.map(|(x, (_, range))| of_shape(*x, *range));
        linear.iter().map(|x| x / self.unit).chain(shapes).collect()
    }

    /// The coordinates of a stimulus of these amplitudes of the reference waveform, mA; of size 1 where strength is free.
    /// `None` if nothing of it is left within the limits. Of many stimuli [`Set::start`] is less work.
    pub fn start(&self, amplitudes_ma: &[f64]) -> Option<Vec<f64>> {
        self.set().start(amplitudes_ma)
    }

    /// The coordinates of the allowed stimulus next to that of these unknowns; of size 1 where strength is free. `None` if
    /// nothing of it is left within the limits.
    pub fn start_at(&self, unknowns: &[f64]) -> Option<Vec<f64>> {
        self.set().start_at(unknowns)
    }

    /// The stimulus at these coordinates.
    pub fn stimulus(&self, coordinates: &[f64]) -> Delivered {
        self.parameterization.stimulus(&self.unknowns(coordinates))
    }

    /// Derivatives by the coordinates from those by the unknowns.
    pub(super) fn by_coordinates(
        &self,
        coordinates: &[f64],
        mut by_unknowns: Vec<f64>,
    ) -> Vec<f64> {
        let linear = self.linear();
        for by in &mut by_unknowns[..linear] {
            *by *= self.unit;
        }
        let shapes = self.parameterization.shapes();
        let each = by_unknowns[linear..].iter_mut().zip(&coordinates[linear..]);
        for ((by, x), (_, range)) in each.zip(&shapes) {
            *by *= match range[0] > 0.0 {
                true => to_shape(*x, *range),
                false => range[1] - range[0],
            };
        }
        by_unknowns
    }

    /// The feasible coordinates.
    pub fn set(&self) -> Set<'_> {
        Set {
            problem: self,
            feasible: self.limits.feasible(&*self.parameterization),
        }
    }
}

/// The feasible coordinates of a [`Problem`].
#[derive(Debug)]
pub struct Set<'a> {
    problem: &'a Problem,
    feasible: Feasible<'a>,
}

impl Set<'_> {
    /// The coordinates of a stimulus of these amplitudes, as [`Problem::start`].
    pub fn start(&self, amplitudes_ma: &[f64]) -> Option<Vec<f64>> {
        self.start_at(&self.problem.parameterization.start(amplitudes_ma))
    }

    /// The coordinates of the allowed stimulus next to that of these unknowns, as [`Problem::start_at`].
    pub fn start_at(&self, unknowns: &[f64]) -> Option<Vec<f64>> {
        let problem = self.problem;
        let mut x = problem.coordinates(unknowns);
        self.project(&mut x);
        if problem.is_scale_free() {
            let linear = &mut x[..problem.linear()];
            let largest = linear.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
            if !(largest > 0.0 && largest.is_finite()) {
                return None;
            }
            linear.iter_mut().for_each(|x| *x /= largest);
        }
        x.iter().all(|x| x.is_finite()).then_some(x)
    }
}

impl Projection for Set<'_> {
    fn project(&self, coordinates: &mut [f64]) {
        let mut x = self.problem.unknowns(coordinates);
        self.feasible.project(&mut x);
        coordinates.copy_from_slice(&self.problem.coordinates(&x));
    }
}

/// Shapes whose least value is above 0 are widths: their coordinate is a logarithm.
fn to_shape(x: f64, [least, largest]: [f64; 2]) -> f64 {
    let value = match least > 0.0 {
        true => x.exp(),
        false => least + x * (largest - least),
    };
    value.clamp(least, largest)
}

fn of_shape(value: f64, [least, largest]: [f64; 2]) -> f64 {
    match least > 0.0 {
        true => value.ln(),
        false => (value - least) / (largest - least),
    }
}

fn of_shape_range(range: [f64; 2]) -> [f64; 2] {
    range.map(|end| of_shape(end, range))
}
