//! From results to pictures.

use std::path::Path;
use std::sync::Arc;

use axonml::Nerve;
use axonml::nerve::ContactGeometry;

use crate::conditions::Sheet;
use crate::error::CliError;
use crate::fibers::{Fibers, Place};
use crate::plot::{
    Contact, ContactShape, EvaluationPlot, Fascicle, FiberThresholds, NervePlot, Picture,
    Prediction, ThresholdPlot, ThresholdPoint, ThresholdSeries,
};
use crate::search::Found;

/// The picture of a threshold search, before its results are known.
pub(crate) struct Thresholds {
    title: String,
    nerve: Option<(Arc<Nerve>, Vec<f64>)>,
    rows: Vec<Row>,
}

/// Subject of a row of results.
struct Row {
    /// The fiber of the nerve.
    fiber: usize,
    diameter_um: f64,
    /// Distinguishes it from rows of the same diameter.
    series: String,
    /// Determines its color beside its reference.
    group: String,
}

impl Thresholds {
    /// Of the fibers that flags ask for, of a model by its id and as it is called in titles.
    pub(crate) fn new(fibers: &Fibers, id: &str, model: &str) -> Self {
        let nerve = match &fibers.place {
            Place::Nerve { nerve, contacts } => Some((nerve.clone(), contacts.clone())),
            _ => None,
        };
        let title = match &nerve {
            Some((nerve, contacts)) => {
                let factors: Vec<String> = contacts.iter().map(f64::to_string).collect();
                format!(
                    "Activation thresholds in nerve {}: {model}, contacts {}",
                    nerve.name(),
                    factors.join(", ")
                )
            }
            None => format!("Activation thresholds: {model}"),
        };
        let row = |asked: &crate::fibers::Asked| {
            let series = match (&nerve, &fibers.place) {
                (Some(_), _) | (None, Place::Basis(_)) => format!("fiber {}", asked.fiber),
                _ => id.to_owned(),
            };
            Row {
                fiber: asked.fiber,
                diameter_um: asked.diameter_um,
                series,
                group: String::new(),
            }
        };
        let rows = fibers.asked.iter().map(row).collect();
        Thresholds { title, nerve, rows }
    }

    /// Of the rows of a table, with the models as they are called in titles.
    pub(crate) fn of_table(sheet: &Sheet, models: &[String]) -> Self {
        // Whatever differs between rows, besides diameter and results, tells series apart.
        let telling: Vec<&str> = [
            "model",
            "nerve",
            "fiber",
            "contacts",
            "distance_um",
            "z_offset_um",
            "shape",
            "pw_ms",
            "delay_ms",
            "pulse",
            "polarity",
            "temperature",
            "offset_um",
            "dt_ms",
        ]
        .into_iter()
        .filter(|column| {
            let mut cells = sheet
                .records
                .iter()
                .map(|record| sheet.cell(record, column));
            let first = cells.next();
            cells.any(|cell| Some(cell) != first)
        })
        .collect();
        let row = |record| {
            let cell = |column: &str| sheet.cell(record, column).unwrap_or_default().to_owned();
            let series: Vec<String> = telling
                .iter()
                .map(|column| match *column {
                    "model" | "shape" => cell(column),
                    named => format!(
                        "{} {}",
                        named.split('_').next().unwrap_or(named),
                        cell(named)
                    ),
                })
                .collect();
            let models = telling.contains(&"model");
            Row {
                fiber: 0,
                diameter_um: cell("diameter_um").parse().unwrap_or(f64::NAN),
                series: series.join(", "),
                group: if models { cell("model") } else { cell("shape") },
            }
        };
        let name = sheet.path.file_name().unwrap_or_default().to_string_lossy();
        let title = format!("{}: thresholds of {name}", models.join(", "));
        Thresholds {
            title,
            nerve: None,
            rows: sheet.records.iter().map(row).collect(),
        }
    }

    /// Draws the results: beside their references where there are any, in the nerve where there is one, else over
    /// diameter.
    pub(crate) fn draw(
        self,
        found: &[Found],
        references: &[Option<f64>],
        path: &Path,
    ) -> Result<(), CliError> {
        if references.iter().any(Option::is_some) {
            self.evaluation(found, references).save(path)?;
            return Ok(());
        }
        let section = self
            .nerve
            .as_ref()
            .filter(|(nerve, _)| nerve.fibers_xy_um().is_some());
        match section {
            Some((nerve, contacts)) => self.section(nerve, contacts, found).save(path)?,
            None => self.over_diameter(found).save(path)?,
        }
        Ok(())
    }

    fn evaluation(&self, found: &[Found], references: &[Option<f64>]) -> EvaluationPlot {
        let rows = self.rows.iter().zip(found).zip(references);
        let points = rows.filter_map(|((row, found), reference)| {
            Some(Prediction {
                reference_ma: (*reference)?,
                predicted_ma: found.upper_ma.unwrap_or(f64::NAN),
                group: row.group.clone(),
            })
        });
        EvaluationPlot {
            title: format!("{} against their references", self.title),
            points: points.collect(),
        }
    }

    fn over_diameter(&self, found: &[Found]) -> ThresholdPlot {
        let mut series: Vec<ThresholdSeries> = Vec::new();
        for (row, found) in self.rows.iter().zip(found) {
            let point = (row.diameter_um, found.upper_ma);
            match series.iter_mut().find(|series| series.label == row.series) {
                Some(series) => series.points.push(point),
                None => series.push(ThresholdSeries {
                    label: row.series.clone(),
                    points: vec![point],
                }),
            }
        }
        ThresholdPlot {
            title: self.title.clone(),
            series,
        }
    }

    fn section(&self, nerve: &Nerve, contacts: &[f64], found: &[Found]) -> NervePlot {
        let mut fibers: Vec<FiberThresholds> = (0..nerve.fibers())
            .map(|fiber| FiberThresholds {
                x_um: nerve.fibers_xy_um().map_or(f64::NAN, |xy| xy[[fiber, 0]]),
                y_um: nerve.fibers_xy_um().map_or(f64::NAN, |xy| xy[[fiber, 1]]),
                weight: nerve.weights()[fiber],
                points: Vec::new(),
            })
            .collect();
        for (row, found) in self.rows.iter().zip(found) {
            fibers[row.fiber].points.push(ThresholdPoint {
                diameter_um: row.diameter_um,
                threshold_ma: found.upper_ma,
                status: found.status.to_owned(),
            });
        }
        let geometry = nerve.geometry().cloned().unwrap_or_default();
        let fascicle = |f: &axonml::nerve::FascicleGeometry| {
            Some(Fascicle {
                x_mm: f.x_mm?,
                y_mm: f.y_mm?,
                radius_mm: f.radius_mm?,
                target: f.target.unwrap_or(false),
            })
        };
        let contact = |(index, geometry): (usize, &ContactGeometry)| {
            let shape = shape(geometry)?;
            Some(Contact {
                shape,
                factor: contacts.get(index).copied().unwrap_or(0.0),
            })
        };
        NervePlot {
            title: self.title.clone(),
            nerve_radius_mm: geometry.nerve_radius_mm,
            cuff_inner_radius_mm: geometry.cuff_inner_radius_mm,
            fascicles: geometry.fascicles.iter().filter_map(fascicle).collect(),
            contacts: geometry
                .contacts
                .iter()
                .enumerate()
                .filter_map(contact)
                .collect(),
            fibers,
        }
    }
}

/// Shape of a contact in the cross-section.
fn shape(contact: &ContactGeometry) -> Option<ContactShape> {
    let direction = || {
        let (x, y) = (contact.x_mm?, contact.y_mm?);
        Some(y.atan2(x).to_degrees())
    };
    let theta_deg = contact.theta_deg.or_else(direction);
    match (theta_deg, contact.arc_deg, contact.diameter_mm) {
        (Some(theta_deg), Some(arc_deg), _) => Some(ContactShape::Ring { theta_deg, arc_deg }),
        (Some(theta_deg), None, Some(diameter_mm)) => Some(ContactShape::Disc {
            theta_deg,
            diameter_mm,
        }),
        _ => Some(ContactShape::Point {
            x_mm: contact.x_mm?,
            y_mm: contact.y_mm?,
        }),
    }
}
