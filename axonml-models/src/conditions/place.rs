//! The electrodes of a row: a point source, electrodes that override the table, or the contacts of a nerve.

use std::path::{Component, Path};
use std::sync::Arc;

use axonml_core::{Field, Medium, Nerve, PointSource, Superposition};

use super::cell::{count, finite, numbers, positive};
use super::row::Row;
use super::{ConditionError, RowReader};
use crate::{NerveReading, read_nerve_with};

/// Default resistivity around point electrodes, ohm-cm.
pub const RESISTIVITY_OHM_CM: f64 = 500.0;

impl RowReader<'_> {
    /// The field of a row, and the distance of its nearest point electrode from the axis, um, where there is one.
    pub(super) fn field(
        &mut self,
        row: Row<'_>,
    ) -> Result<(Arc<dyn Field>, Option<f64>), ConditionError> {
        match row.cell("nerve") {
            Some(name) if self.overrides.electrodes.is_empty() => {
                row.refuse(
                    &["distance_um", "z_offset_um", "resistivity_ohm_cm"],
                    "the row's field is that of a nerve",
                    "leave the cell empty; offset_um shifts a fiber along a nerve",
                )?;
                Ok((self.line(row, name)?, None))
            }
            _ => self.point(row),
        }
    }

    fn point(&mut self, row: Row<'_>) -> Result<(Arc<dyn Field>, Option<f64>), ConditionError> {
        let rho = row.parse("resistivity_ohm_cm", positive("ohm-cm"))?;
        let medium = self
            .overrides
            .medium
            .unwrap_or(Medium::isotropic(rho.unwrap_or(RESISTIVITY_OHM_CM)));
        let electrodes = &self.overrides.electrodes;
        if electrodes.is_empty() {
            row.refuse(
                &["contacts", "offset_um", "fiber"],
                "the row's field is that of a point electrode",
                "leave the cell empty, or name a nerve",
            )?;
            let distance_um =
                row.parse("distance_um", positive("um"))?
                    .ok_or(ConditionError::Missing {
                        column: "distance_um",
                        otherwise: "--point X,Y,Z (or name a nerve)",
                    })?;
            let z_um = row.parse("z_offset_um", finite("um"))?.unwrap_or(0.0);
            let source = PointSource {
                x_um: distance_um,
                y_um: 0.0,
                z_um,
                medium,
            };
            return Ok((Arc::new(source), Some(distance_um)));
        }
        let key = format!("{medium:?}");
        if let Some(known) = self.fields.get(&key) {
            return Ok(known.clone());
        }
        let parts = electrodes.iter().map(|electrode| {
            let [x_um, y_um, z_um] = electrode.at_um;
            let source = PointSource {
                x_um,
                y_um,
                z_um,
                medium,
            };
            (electrode.factor, Arc::new(source) as Arc<dyn Field>)
        });
        let field: Arc<dyn Field> = Arc::new(Superposition::new(parts)?);
        let distances = electrodes.iter().map(|e| e.at_um[0].hypot(e.at_um[1]));
        let made = (field, distances.min_by(f64::total_cmp));
        self.fields.insert(key, made.clone());
        Ok(made)
    }

    fn line(&mut self, row: Row<'_>, name: &str) -> Result<Arc<dyn Field>, ConditionError> {
        let fiber = row
            .parse("fiber", count(0))?
            .ok_or(ConditionError::Missing {
                column: "fiber",
                otherwise: "a table with that column",
            })?;
        let of_row = row.parse("contacts", numbers)?;
        let offset_um = row.parse("offset_um", finite("um"))?;
        let over = self.overrides;
        let given = over.contacts.clone().or(of_row);
        let offset_um = over.offset_um.or(offset_um).unwrap_or(0.0);
        let key = format!("{name} {fiber} {given:?} {}", offset_um.to_bits());
        if let Some((line, _)) = self.fields.get(&key) {
            return Ok(line.clone());
        }
        let reading = self.nerve(name)?;
        let nerve = &reading.nerve;
        if fiber >= nerve.fibers() {
            return Err(ConditionError::Cell {
                column: "fiber",
                found: fiber.to_string(),
                expected: format!(
                    "expected 0 to {}, as nerve {name} has {} fibers",
                    nerve.fibers() - 1,
                    nerve.fibers()
                ),
            });
        }
        let factors = contact_factors(nerve, given.as_deref())?;
        let line = nerve.field(
            fiber,
            &factors,
            over.interpolation.unwrap_or_default(),
            offset_um,
            over.extension.unwrap_or_default(),
        )?;
        let line: Arc<dyn Field> = Arc::new(line);
        self.fields.insert(key, (line.clone(), None));
        Ok(line)
    }

    /// The nerve of a name: a folder below the one that holds them, not anywhere else.
    fn nerve(&mut self, name: &str) -> Result<Arc<NerveReading>, ConditionError> {
        let wrong = |problem: String| ConditionError::Column {
            column: "nerve",
            problem,
        };
        let Some(root) = &self.overrides.nerves else {
            return Err(wrong(format!(
                "found `{name}`, but no --nerves was given; give --nerves ROOT, the folder that holds the nerve folders"
            )));
        };
        let read = || {
            let mut parts = Path::new(name).components();
            if !parts.all(|part| matches!(part, Component::Normal(_))) {
                return Err(wrong(format!(
                    "found `{name}`, expected the name of a folder below --nerves"
                )));
            }
            match read_nerve_with(&root.join(name), self.overrides.nerve_options) {
                Ok(reading) => Ok(Arc::new(reading)),
                Err(error) => Err(wrong(error.to_string())),
            }
        };
        self.nerves
            .entry(name.to_owned())
            .or_insert_with(read)
            .clone()
    }
}

/// The multiple of the waveform at each contact of a nerve: as given, else 1 on contact 0.
fn contact_factors(nerve: &Nerve, given: Option<&[f64]>) -> Result<Vec<f64>, ConditionError> {
    let count = nerve.contacts();
    match given {
        None => Ok((0..count).map(|k| f64::from(u8::from(k == 0))).collect()),
        Some(factors) if factors.len() == count => Ok(factors.to_vec()),
        Some(factors) => Err(ConditionError::Column {
            column: "contacts",
            problem: format!(
                "found {} contact factors, expected {count}: one per contact of nerve {}",
                factors.len(),
                nerve.name()
            ),
        }),
    }
}
