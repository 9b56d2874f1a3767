//! The fields of a recipe, read and ready to be sampled.

use std::path::Path;

use axonml_core::{
    CoreError, Extension, Field, Interpolation, Medium, Nerve, PointSource, SampledLine,
};
use axonml_models::read_nerve;
use ndarray::Array2;
use sha2::{Digest, Sha256};

use super::file_record::hex;
use super::{DatasetError, FieldKind, FieldRecord, Range, Recipe};
use axonml_core::Random;

/// Everything that fields can be drawn from.
pub(super) struct FieldPool {
    sources: Vec<PoolSource>,
    weights: Vec<f64>,
}

enum PoolSource {
    /// `[line][contact]`.
    Nerve(Vec<Vec<SampledLine>>),
    Point {
        distance_um: Range,
        z_um: Range,
        resistivity_ohm_cm: f64,
    },
}

/// The field of a case.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum DrawnField {
    /// A line of a nerve: indices of source and line.
    Line(usize, usize),
    /// A point electrode.
    Point(PointSource),
}

impl FieldPool {
    /// Reads the folders; relative ones lie in `base`.
    pub(super) fn read(recipe: &Recipe, base: &Path) -> Result<Self, DatasetError> {
        let mut sources = Vec::with_capacity(recipe.fields.len());
        for field in &recipe.fields {
            sources.push(match &field.kind {
                FieldKind::Nerve { folder, extend } => {
                    let nerve = read_nerve(&base.join(folder))?;
                    let lines = lines(&nerve, *extend);
                    PoolSource::Nerve(
                        lines.map_err(DatasetError::core(format!("nerve {}", nerve.name())))?,
                    )
                }
                &FieldKind::Point {
                    distance_um,
                    z_um,
                    resistivity_ohm_cm,
                } => PoolSource::Point {
                    distance_um,
                    z_um,
                    resistivity_ohm_cm,
                },
            });
        }
        Ok(FieldPool {
            sources,
            weights: recipe.fields.iter().map(|field| field.weight).collect(),
        })
    }

    /// Checks that every nerve's lines reach to these positions.
    pub(super) fn check_reach(&self, z_um: &[f64]) -> Result<(), DatasetError> {
        for (index, source) in self.sources.iter().enumerate() {
            let PoolSource::Nerve(lines) = source else {
                continue;
            };
            for line in lines.iter().flatten().take(1) {
                line.potentials_mv(z_um)
                    .map_err(DatasetError::core(format!(
                        "fields[{index}], for the longest fiber"
                    )))?;
            }
        }
        Ok(())
    }

    /// The most contacts that a case can have.
    pub(super) fn contacts(&self) -> usize {
        let of = |source: &PoolSource| match source {
            PoolSource::Nerve(lines) => lines.first().map_or(0, Vec::len),
            PoolSource::Point { .. } => 1,
        };
        self.sources.iter().map(of).max().unwrap_or(0)
    }

    pub(super) fn draw(&self, random: &mut Random) -> DrawnField {
        let source = random.weighted(&self.weights);
        match &self.sources[source] {
            PoolSource::Nerve(lines) => DrawnField::Line(source, random.index(lines.len())),
            PoolSource::Point {
                distance_um,
                z_um,
                resistivity_ohm_cm,
            } => DrawnField::Point(PointSource {
                x_um: distance_um.draw(random),
                y_um: 0.0,
                z_um: z_um.draw(random),
                medium: Medium::isotropic(*resistivity_ohm_cm),
            }),
        }
    }

    /// Contacts of a field.
    pub(super) fn contacts_of(&self, field: &DrawnField) -> usize {
        match field {
            DrawnField::Line(source, line) => self.line(*source, *line).len(),
            DrawnField::Point(_) => 1,
        }
    }

    /// `[contact, position]`: potentials in mV per mA at positions along the field.
    pub(super) fn basis_mv_per_ma(
        &self,
        field: &DrawnField,
        z_um: &[f64],
    ) -> Result<Array2<f64>, CoreError> {
        let mut basis = Array2::zeros((self.contacts_of(field), z_um.len()));
        let mut put = |contact: usize, field: &dyn Field| {
            let potentials = field.potentials_mv(z_um)?;
            basis
                .row_mut(contact)
                .iter_mut()
                .zip(potentials)
                .for_each(|(to, from)| *to = from);
            Ok::<(), CoreError>(())
        };
        match field {
            DrawnField::Line(source, line) => {
                for (contact, field) in self.line(*source, *line).iter().enumerate() {
                    put(contact, field)?;
                }
            }
            DrawnField::Point(point) => put(0, point)?,
        }
        Ok(basis)
    }

    fn line(&self, source: usize, line: usize) -> &[SampledLine] {
        match &self.sources[source] {
            PoolSource::Nerve(lines) => &lines[line],
            PoolSource::Point { .. } => &[],
        }
    }
}

/// The field of every contact along every line of a nerve, `[line][contact]`.
fn lines(nerve: &Nerve, extend: bool) -> Result<Vec<Vec<SampledLine>>, CoreError> {
    let extension = match extend {
        true => Extension::PointSource,
        false => Extension::Refuse,
    };
    let contacts = nerve.contacts();
    let line = |fiber: usize| {
        (0..contacts).map(move |contact| {
            let mut factors = vec![0.0; contacts];
            factors[contact] = 1.0;
            nerve.field(fiber, &factors, Interpolation::Cubic, 0.0, extension)
        })
    };
    (0..nerve.fibers())
        .map(|fiber| line(fiber).collect())
        .collect()
}

/// The arrays in a recipe's nerve folders that potentials are read from, for manifests.
pub(super) fn records(recipe: &Recipe, base: &Path) -> Result<Vec<FieldRecord>, DatasetError> {
    let mut records = Vec::new();
    for field in &recipe.fields {
        let FieldKind::Nerve { folder, .. } = &field.kind else {
            continue;
        };
        let path = base.join(folder);
        let mut digest = Sha256::new();
        let number = |k: usize| path.join(format!("{k}.npy"));
        let contacts = (0..).map(number).take_while(|file| file.exists());
        for file in contacts.chain([path.join("fiber_z.npy")]) {
            digest.update(std::fs::read(&file).map_err(DatasetError::read(&file))?);
        }
        records.push(FieldRecord {
            folder: folder.display().to_string(),
            sha256: hex(&digest.finalize()),
        });
    }
    Ok(records)
}
