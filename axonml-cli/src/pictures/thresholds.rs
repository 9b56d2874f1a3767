//! Pictures of thresholds: over what varies, beside references, in a nerve.

use std::sync::Arc;

use axonml::Nerve;
use axonml::simulation::recruitment;
use axonml::study::{Found, Place, Plan, Sheet};
use axonml::table::conditions::column;

use super::geometry::cross_section;
use super::{Layout, words};
use crate::error::CliError;
use crate::plot::{
    Axis, CurvePlot, CurveSeries, EvaluationPlot, FiberThresholds, NervePlot, Picture, Prediction,
    RecruitmentGroup, RecruitmentPlot, Spacing, ThresholdPoint,
};

/// The picture of a threshold search, before its results are known.
pub(crate) struct Thresholds {
    title: String,
    subtitle: String,
    nerve: Option<(Arc<Nerve>, Vec<f64>)>,
    /// Columns that describe rows.
    columns: Vec<String>,
    rows: Vec<Row>,
    /// The column on the horizontal axis that was asked for.
    x: Option<usize>,
}

/// Subject of a row of results.
struct Row {
    /// The fiber of the nerve.
    fiber: usize,
    diameter_um: f64,
    /// Share of the fibers that it stands for.
    weight: f64,
    /// Cells of [`Thresholds::columns`].
    cells: Vec<String>,
    /// Determines its color beside its reference.
    group: String,
}

/// Columns that tell series apart where they differ between rows; others follow from these, or are steps and lengths.
const TELLING: &[&str] = &[
    "model",
    "nerve",
    "fiber",
    "group",
    "line",
    "diameter_um",
    "contacts",
    "distance_um",
    "z_offset_um",
    "shape",
    "frequency_kHz",
    "pw_ms",
    "delay_ms",
    "pulse",
    "polarity",
    "temperature",
    "offset_um",
    "resistivity_ohm_cm",
    "dt_ms",
];

/// Columns that lie on the horizontal axis where they vary, the first that does.
const VARYING: &[&str] = &[
    "diameter_um",
    "distance_um",
    "pw_ms",
    "frequency_kHz",
    "z_offset_um",
    "offset_um",
    "delay_ms",
    "temperature",
    "resistivity_ohm_cm",
    "length_um",
    "n_nodes",
    "detect_threshold_mV",
    "dt_ms",
    "tstop_ms",
    "fiber",
];

impl Thresholds {
    /// Of a plan's cases, over the column that the layout asks for.
    pub(crate) fn new(plan: &Plan, layout: &Layout) -> Result<Self, CliError> {
        let titles = plan.titles();
        let mut picture = match &plan.sheet {
            Some(sheet) => Thresholds::of_table(sheet, &titles),
            None => Thresholds::of_fibers(plan, &titles.join(", ")),
        };
        picture.x = layout.column(&picture.columns)?;
        Ok(picture)
    }

    /// Of fibers in a field.
    fn of_fibers(plan: &Plan, model: &str) -> Self {
        let nerve = match &plan.place {
            Some(Place::Nerve { nerve, contacts }) => Some((nerve.clone(), contacts.clone())),
            _ => None,
        };
        let title = match &nerve {
            Some((nerve, _)) => {
                format!("Activation thresholds in nerve {}: {model}", nerve.name())
            }
            None => format!("Activation thresholds: {model}"),
        };
        // Near electrodes fibers differ in their diameter alone: their number says nothing more.
        let counted = plan.study.fibers.iter().any(|group| group.count.is_some());
        let basis = matches!(plan.place, Some(Place::Basis(_)));
        let numbered = nerve.is_some() || basis || counted;
        let kept: Vec<usize> = (0..plan.columns.len())
            .filter(|&at| numbered || plan.columns[at] != "fiber")
            .collect();
        let rows = plan.cases.iter().map(|planned| Row {
            fiber: planned.member.line.unwrap_or(planned.member.fiber),
            diameter_um: planned.member.diameter_um,
            weight: planned.member.weight,
            cells: kept
                .iter()
                .map(|&at| planned.settings[at].exact())
                .collect(),
            group: String::new(),
        });
        Thresholds {
            title,
            subtitle: words::stimulus(plan),
            nerve,
            columns: kept.iter().map(|&at| plan.columns[at].clone()).collect(),
            rows: rows.collect(),
            x: None,
        }
    }

    /// Of the rows of a table, with the models as they are called in titles.
    fn of_table(sheet: &Sheet, models: &[String]) -> Self {
        let name = sheet.path.file_name().unwrap_or_default().to_string_lossy();
        let columns: Vec<String> = sheet
            .columns
            .iter()
            .map(|name| column(name).map_or(name.clone(), |column| column.name.to_owned()))
            .collect();
        let rows = sheet.records.iter().map(|record| {
            let cell = |column: &str| sheet.cell(record, column).unwrap_or_default().to_owned();
            Row {
                fiber: 0,
                diameter_um: cell("diameter_um").parse().unwrap_or(f64::NAN),
                weight: 1.0,
                cells: record.cells.clone(),
                group: String::new(),
            }
        });
        let mut picture = Thresholds {
            title: format!("Activation thresholds of {name}: {}", models.join(", ")),
            subtitle: String::new(),
            nerve: None,
            columns,
            rows: rows.collect(),
            x: None,
        };
        let groups = ["model", "shape"].map(|name| picture.column(name));
        let group = groups.into_iter().flatten().find(|at| picture.varies(*at));
        let common = (0..picture.columns.len())
            .filter(|&at| TELLING.contains(&picture.columns[at].as_str()) && !picture.varies(at));
        let common = common.filter_map(|at| picture.words(at, picture.rows.first()?));
        picture.subtitle = common.collect::<Vec<_>>().join("; ");
        for row in &mut picture.rows {
            row.group = group
                .and_then(|at| row.cells.get(at).cloned())
                .unwrap_or_default();
        }
        picture
    }

    /// The results: over a column where one is asked for, beside their references where there are any, in the nerve where
    /// there is one, else over what varies.
    pub(crate) fn picture(
        self,
        found: &[Found],
        references: &[Option<f64>],
    ) -> Result<Box<dyn Picture>, CliError> {
        if self.x.is_some() {
            return Ok(Box::new(self.curves(found)));
        }
        if references.iter().any(Option::is_some) {
            return Ok(Box::new(self.evaluation(found, references)));
        }
        Ok(match &self.nerve {
            Some((nerve, contacts)) if nerve.fibers_xy_um().is_some() => {
                Box::new(self.section(nerve, contacts, found))
            }
            Some((nerve, _)) if nerve.fibers() > 1 => Box::new(self.recruitment(nerve, found)?),
            _ => Box::new(self.curves(found)),
        })
    }

    /// The place of a column.
    fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    /// Whether rows differ in a column.
    fn varies(&self, at: usize) -> bool {
        self.rows
            .windows(2)
            .any(|rows| rows[0].cells.get(at) != rows[1].cells.get(at))
    }

    /// Value of a row in a column, in words; none where the cell is empty.
    fn words(&self, at: usize, row: &Row) -> Option<String> {
        describe(&self.columns[at], row.cells.get(at)?)
    }

    /// The column on the horizontal axis: the one asked for, or the first that varies, or the diameter.
    fn x(&self) -> Option<usize> {
        let varying = VARYING.iter().filter_map(|name| self.column(name));
        let mut varying = varying.filter(|at| self.varies(*at) && self.numeric(*at));
        self.x
            .or_else(|| varying.next())
            .or_else(|| self.column("diameter_um"))
    }

    /// Whether a column holds numbers.
    fn numeric(&self, at: usize) -> bool {
        let cells = self.rows.iter().filter_map(|row| row.cells.get(at));
        let mut cells = cells
            .map(|cell| cell.trim())
            .filter(|cell| !cell.is_empty());
        cells.all(|cell| cell.parse::<f64>().is_ok())
    }

    /// Thresholds over a column, a series for each combination of the others.
    fn curves(&self, found: &[Found]) -> CurvePlot {
        let x = self.x();
        let numeric = x.is_none_or(|at| self.numeric(at));
        let mut names: Vec<String> = Vec::new();
        let telling: Vec<usize> = (0..self.columns.len())
            .filter(|&at| {
                let name = self.columns[at].as_str();
                Some(at) != x && TELLING.contains(&name) && self.varies(at)
            })
            .collect();
        let mut series: Vec<CurveSeries> = Vec::new();
        let mut known = std::collections::HashMap::new();
        for (row, found) in self.rows.iter().zip(found) {
            let cell = x
                .and_then(|at| row.cells.get(at))
                .map_or("", |cell| cell.trim());
            let at = match numeric {
                true => cell.parse().unwrap_or(f64::NAN),
                false => {
                    let known = names.iter().position(|name| name == cell);
                    known.unwrap_or_else(|| {
                        names.push(cell.to_owned());
                        names.len() - 1
                    }) as f64
                }
            };
            let label: Vec<String> = telling
                .iter()
                .filter_map(|at| self.words(*at, row))
                .collect();
            let label = label.join(", ");
            let which = *known.entry(label.clone()).or_insert_with(|| {
                series.push(CurveSeries {
                    label,
                    joined: numeric,
                    ..CurveSeries::default()
                });
                series.len() - 1
            });
            series[which].points.push((at, found.upper_ma));
        }
        let mut statuses: Vec<&str> = found
            .iter()
            .filter(|found| found.upper_ma.is_none())
            .map(|found| found.status.as_str())
            .collect();
        statuses.sort_unstable();
        statuses.dedup();
        let statuses = statuses.join(", ").replace('_', " ");
        CurvePlot {
            title: self.title.clone(),
            subtitle: self.subtitle.clone(),
            x: Axis {
                names,
                ..Axis::new(
                    x.map_or_else(String::new, |at| axis_title(&self.columns[at])),
                    Spacing::Auto,
                )
            },
            y: Axis::new("threshold (mA)", Spacing::Log),
            series,
            absent: match statuses.as_str() {
                "" => "no threshold".to_owned(),
                statuses => format!("no threshold ({statuses})"),
            },
            notes: Vec::new(),
        }
    }

    /// The recruitment of a nerve whose fibers have no place in its cross-section.
    fn recruitment(&self, nerve: &Nerve, found: &[Found]) -> Result<RecruitmentPlot, CliError> {
        let mut diameters: Vec<f64> = self.rows.iter().map(|row| row.diameter_um).collect();
        diameters.sort_by(f64::total_cmp);
        diameters.dedup();
        let group = |diameter: &f64| -> Result<RecruitmentGroup, CliError> {
            let rows = self.rows.iter().zip(found);
            let (thresholds, weights): (Vec<Option<f64>>, Vec<f64>) = rows
                .filter(|(row, _)| row.diameter_um == *diameter)
                .map(|(row, found)| (found.upper_ma, row.weight))
                .unzip();
            Ok(RecruitmentGroup {
                label: format!("{diameter} µm"),
                steps: recruitment(&thresholds, Some(&weights))?,
                faint: false,
            })
        };
        Ok(RecruitmentPlot {
            title: format!("Recruitment in nerve {}", nerve.name()),
            subtitle: format!("{}; {}", self.title, self.subtitle),
            share: "fraction of the nerve's fibers active, by weight".to_owned(),
            groups: diameters.iter().map(group).collect::<Result<_, _>>()?,
            ordered: true,
            notes: vec![
                "The nerve folder has no fibers_xy.npy: there is no cross-section to draw."
                    .to_owned(),
            ],
        })
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
            title: format!("{} against references", self.title),
            subtitle: self.subtitle.clone(),
            points: points.collect(),
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
                status: found.status.clone(),
            });
        }
        let geometry = nerve.geometry().cloned().unwrap_or_default();
        NervePlot {
            title: self.title.clone(),
            subtitle: self.subtitle.clone(),
            electrodes: words::contact_electrodes(&geometry.contacts, contacts, 0.0),
            fibers,
            ..cross_section(&geometry, contacts)
        }
    }
}

/// Value of a cell in words, such as "distance 250 µm"; nothing where it is empty.
pub(super) fn describe(name: &str, cell: &str) -> Option<String> {
    let cell = Some(cell.trim()).filter(|cell| !cell.is_empty())?;
    if matches!(name, "model" | "shape" | "pulse" | "polarity") {
        return Some(cell.to_owned());
    }
    let unit = match name {
        "frequency_kHz" => "kHz".to_owned(),
        _ => column(name)
            .map_or("", |column| column.unit)
            .replace("um", "µm"),
    };
    let stem = match name {
        "pw_ms" => "pulse width",
        "z_offset_um" => "z offset",
        "dt_ms" => "dt",
        name => name.split('_').next().unwrap_or(name),
    };
    Some(format!("{stem} {cell} {unit}").trim_end().to_owned())
}

/// The title of an axis that is a column.
pub(super) fn axis_title(name: &str) -> String {
    let short = match name {
        "distance_um" => "electrode distance (µm)",
        "z_offset_um" => "place of the electrode along the fiber (µm)",
        "offset_um" => "shift of the fiber along the field (µm)",
        "shape" => "pulse shape",
        "pw_ms" => "pulse width (ms)",
        "delay_ms" => "onset of the pulse (ms)",
        "frequency_kHz" => "frequency (kHz)",
        "interval_ms" => "interval from conditioning to test stimulus (ms)",
        _ => "",
    };
    if !short.is_empty() {
        return short.to_owned();
    }
    match column(name) {
        Some(column) if column.unit.is_empty() => column.meaning.to_owned(),
        Some(column) => format!("{} ({})", column.meaning, column.unit.replace("um", "µm")),
        None => name.to_owned(),
    }
}
