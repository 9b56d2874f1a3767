//! Pictures of curves, responses, recruitment, block and velocities, from the tables of results.

use std::collections::BTreeMap;

use axonml::curve::{CurrentDistance, StrengthDuration, StrengthDurationLaw};
use axonml::simulation::RecruitmentStep;
use axonml::study::{Cell, Plan, Protocol, Results, Table, significant};

use super::thresholds::{axis_title, describe};
use super::{Layout, words};
use crate::error::CliError;
use crate::plot::{
    Axis, Cells, CurvePlot, CurveSeries, Fit, HeatMap, Picture, RecruitmentGroup, RecruitmentPlot,
    Spacing,
};

/// Columns that tell series apart, among those of a plan.
const TELLING: &[&str] = &[
    "group",
    "nerve",
    "model",
    "fiber",
    "line",
    "diameter_um",
    "offset_um",
    "distance_um",
    "pulse",
    "delay_ms",
    "pw_ms",
    "frequency_kHz",
];

/// Columns that lie on the horizontal axis where they vary, the first that does.
const VARYING: &[&str] = &[
    "frequency_kHz",
    "diameter_um",
    "distance_um",
    "pw_ms",
    "delay_ms",
    "offset_um",
    "fiber",
];

/// Most recruitment curves that are told apart; of more, those of fascicles are drawn in gray.
const MOST_CURVES: usize = 8;

/// Rows of a table, over one column, a series for each combination of the others and each quantity.
struct Series<'r> {
    plan: &'r Plan,
    table: &'r Table,
    x: usize,
    telling: Vec<usize>,
}

impl<'r> Series<'r> {
    fn new(
        plan: &'r Plan,
        table: &'r Table,
        natural: Option<&str>,
        layout: &Layout,
    ) -> Result<Self, CliError> {
        let at = |name: &str| table.columns.iter().position(|column| column == name);
        let varies = |at: usize| {
            let mut cells = table.rows.iter().map(|row| &row[at]);
            let first = cells.next();
            cells.any(|cell| Some(cell) != first)
        };
        let numeric = |at: usize| table.rows.iter().all(|row| row[at].number().is_some());
        let asked = layout.column(&table.columns)?;
        let varying = VARYING.iter().filter_map(|name| at(name));
        let x = asked
            .or_else(|| natural.and_then(at))
            .or_else(|| varying.into_iter().find(|&at| varies(at) && numeric(at)))
            .or_else(|| at("diameter_um"))
            .unwrap_or(0);
        let nerve = plan
            .place
            .as_ref()
            .is_some_and(|place| place.nerve().is_some());
        let telling = TELLING.iter().filter_map(|name| {
            // Near electrodes fibers differ in their diameter alone.
            let is_number =
                *name == "fiber" && !nerve && plan.study.fibers.iter().all(|g| g.count.is_none());
            at(name).filter(|&at| {
                // Columns behind those of the plan are answers.
                at < plan.columns.len() && !is_number && at != x && varies(at)
            })
        });
        Ok(Series {
            plan,
            table,
            x,
            telling: telling.collect(),
        })
    }

    fn label(&self, row: &[Cell]) -> String {
        let parts = self
            .telling
            .iter()
            .filter_map(|&at| describe(&self.table.columns[at], &row[at].exact()));
        parts.collect::<Vec<_>>().join(", ")
    }

    /// The series of a quantity, in order of appearance.
    fn of(&self, quantity: &str, name: &str) -> Vec<CurveSeries> {
        let Some(y) = self.table.column(quantity) else {
            return Vec::new();
        };
        let mut series: Vec<CurveSeries> = Vec::new();
        let mut known = BTreeMap::new();
        for row in &self.table.rows {
            let label = match (name, self.label(row)) {
                ("", label) => label,
                (name, label) if label.is_empty() => name.to_owned(),
                (name, label) => format!("{name}, {label}"),
            };
            let which = *known.entry(label.clone()).or_insert_with(|| {
                series.push(CurveSeries {
                    label,
                    joined: true,
                    ..CurveSeries::default()
                });
                series.len() - 1
            });
            let x = row[self.x].number().unwrap_or(f64::NAN);
            series[which].points.push((x, row[y].number()));
        }
        series
    }

    fn x_axis(&self) -> Axis {
        Axis::new(axis_title(&self.table.columns[self.x]), Spacing::Auto)
    }

    fn plot(&self, title: &str, y: Axis, absent: &str, series: Vec<CurveSeries>) -> CurvePlot {
        CurvePlot {
            title: format!("{title}: {}", self.plan.titles().join(", ")),
            subtitle: words::stimulus(self.plan),
            x: self.x_axis(),
            y,
            series,
            absent: absent.to_owned(),
            notes: Vec::new(),
        }
    }
}

/// Points of a fitted line.
const FIT_POINTS: usize = 100;

/// A curve of thresholds with its fitted law.
pub(super) fn curve(
    plan: &Plan,
    results: &Results,
    layout: &Layout,
) -> Result<Box<dyn Picture>, CliError> {
    let table = &results.table;
    let (title, natural, quantity, y) = match &plan.study.protocol {
        Protocol::StrengthDuration(_) => (
            "Strength-duration curve",
            "pw_ms",
            "threshold_mA",
            Axis::new("threshold (mA)", Spacing::Log),
        ),
        Protocol::CurrentDistance(_) => (
            "Current-distance curve",
            "distance_um",
            "threshold_mA",
            Axis::new("threshold (mA)", Spacing::Log),
        ),
        _ => (
            "Recovery cycle",
            "interval_ms",
            "ratio",
            Axis::new(
                "threshold after a conditioning action potential / without one",
                Spacing::Linear,
            ),
        ),
    };
    let series = Series::new(plan, table, Some(natural), layout)?;
    let mut curves = series.of(quantity, "");
    let natural_x = table
        .columns
        .get(series.x)
        .is_some_and(|column| column == natural);
    if natural_x {
        for curve in &mut curves {
            curve.fit = fit(&plan.study.protocol, &curve.points);
        }
    }
    Ok(Box::new(series.plot(title, y, "no threshold", curves)))
}

/// The law that fits better, as a line over the points.
fn fit(protocol: &Protocol, points: &[(f64, Option<f64>)]) -> Option<Fit> {
    let known: Vec<(f64, f64)> = points
        .iter()
        .filter_map(|(x, y)| Some((*x, (*y)?)))
        .collect();
    let (lo, hi) = known
        .iter()
        .fold((f64::INFINITY, 0.0_f64), |(lo, hi), (x, _)| {
            (lo.min(*x), hi.max(*x))
        });
    let line = |value: &dyn Fn(f64) -> f64| {
        let step = (hi / lo).ln() / (FIT_POINTS - 1) as f64;
        let x = |k: usize| lo * (step * k as f64).exp();
        (0..FIT_POINTS).map(|k| (x(k), value(x(k)))).collect()
    };
    match protocol {
        Protocol::StrengthDuration(_) => {
            let laws = [
                ("Weiss", StrengthDurationLaw::Weiss),
                ("Lapicque", StrengthDurationLaw::Lapicque),
            ];
            let fits = laws
                .into_iter()
                .filter_map(|(name, law)| Some((name, StrengthDuration::fit(law, &known).ok()?)));
            let (name, best) = fits.min_by(|a, b| a.1.misfit_pct.total_cmp(&b.1.misfit_pct))?;
            Some(Fit {
                label: format!(
                    "{name}: rheobase {} mA, chronaxie {} ms, misfit {} %",
                    significant(best.rheobase, 3),
                    significant(best.chronaxie_ms, 3),
                    significant(best.misfit_pct, 2)
                ),
                points: line(&|pw_ms| best.threshold(pw_ms)),
            })
        }
        Protocol::CurrentDistance(_) => {
            let in_mm: Vec<(f64, f64)> = known.iter().map(|(um, ma)| (1e-3 * um, *ma)).collect();
            let found = CurrentDistance::fit(&in_mm).ok()?;
            let at = |um: f64| found.i0_ma + found.k_ma_per_mm2 * (1e-3 * um).powi(2);
            Some(Fit {
                label: format!(
                    "{} mA + {} mA/mm² r², misfit {} %",
                    significant(found.i0_ma, 3),
                    significant(found.k_ma_per_mm2, 3),
                    significant(found.misfit_pct, 2)
                ),
                points: line(&at),
            })
        }
        _ => None,
    }
}

/// Conduction velocities.
pub(super) fn velocities(
    plan: &Plan,
    results: &Results,
    layout: &Layout,
) -> Result<Box<dyn Picture>, CliError> {
    let series = Series::new(plan, &results.table, None, layout)?;
    let y = Axis::new("conduction velocity (m/s)", Spacing::Linear);
    let curves = series.of("cv_m_per_s", "");
    Ok(Box::new(series.plot(
        "Conduction velocity",
        y,
        "no velocity",
        curves,
    )))
}

/// Excitation, block and re-excitation thresholds.
pub(super) fn block(
    plan: &Plan,
    results: &Results,
    layout: &Layout,
) -> Result<Box<dyn Picture>, CliError> {
    let series = Series::new(plan, &results.table, None, layout)?;
    let y = Axis::new("amplitude (mA)", Spacing::Log);
    let quantities = [
        ("excitation_mA", "excitation"),
        ("block_mA", "block"),
        ("reexcitation_mA", "re-excitation"),
    ];
    let of = |(column, name): &(&str, &str)| series.of(column, name);
    // A quantity that no row has is no series.
    let curves = quantities.iter().flat_map(of);
    let curves = curves.filter(|curve| curve.points.iter().any(|(_, y)| y.is_some()));
    Ok(Box::new(series.plot(
        "Conduction block",
        y,
        "none up to the largest amplitude",
        curves.collect(),
    )))
}

/// The activated fraction over amplitude.
pub(super) fn recruitment(plan: &Plan, results: &Results) -> RecruitmentPlot {
    let table = &results.table;
    let at = |name: &str| table.column(name);
    let told: Vec<usize> = plan
        .grid
        .iter()
        .copied()
        .chain(["of", "group", "fascicle", "diameter_um"])
        .filter_map(at)
        .collect();
    let (amplitude, fraction) = (at("amplitude_mA"), at("fraction"));
    // Curves, each with what it is of.
    let of = at("of");
    let mut curves: Vec<(String, RecruitmentGroup)> = Vec::new();
    for row in &table.rows {
        let cell = |index: Option<usize>| index.and_then(|index| row[index].number());
        let Some((amplitude_ma, fraction)) = cell(amplitude).zip(cell(fraction)) else {
            continue;
        };
        let parts = told.iter().filter_map(|&at| {
            let (column, cell) = (table.columns[at].as_str(), row[at].exact());
            match column {
                // The name within the kind follows in its own column.
                "of" if matches!(cell.as_str(), "group" | "fascicle" | "diameter") => None,
                "of" => Some(cell.replace("all", "all fibers")),
                _ => describe(column, &cell),
            }
        });
        let label = parts.collect::<Vec<_>>().join(", ");
        let step = RecruitmentStep {
            amplitude_ma,
            fraction,
        };
        match curves.iter_mut().find(|(_, curve)| curve.label == label) {
            Some((_, curve)) => curve.steps.push(step),
            None => {
                let curve = RecruitmentGroup {
                    label,
                    steps: vec![step],
                    faint: false,
                };
                curves.push((of.map(|of| row[of].exact()).unwrap_or_default(), curve));
            }
        }
    }
    // Where groups have a diameter each, the curves of diameters are theirs.
    let by_group = curves.iter().filter(|(of, _)| of == "group");
    let by_group: Vec<Vec<RecruitmentStep>> = by_group.map(|(_, c)| c.steps.clone()).collect();
    curves.retain(|(of, curve)| of != "diameter" || !by_group.contains(&curve.steps));
    // A fascicle of one fiber, or of one in each group, has steps, not a curve.
    let in_each = by_group.len().max(1);
    let mut of_fascicles = curves.iter().filter(|(of, _)| of == "fascicle");
    let single = of_fascicles.all(|(_, curve)| curve.steps.len() <= in_each);
    let drawn = curves.len();
    if single {
        curves.retain(|(of, _)| of != "fascicle");
    }
    if curves.len() > MOST_CURVES {
        for (_, curve) in curves.iter_mut().filter(|(of, _)| of == "fascicle") {
            curve.label = "each fascicle".to_owned();
            curve.faint = true;
        }
    }
    let notes = match drawn - curves.len() {
        0 => Vec::new(),
        n => vec![format!(
            "{n} fascicles have one fiber{}: their thresholds are in the table.",
            if in_each > 1 {
                " of each group"
            } else {
                " each"
            }
        )],
    };
    RecruitmentPlot {
        title: format!("Recruitment: {}", plan.titles().join(", ")),
        subtitle: words::stimulus(plan),
        share: "fraction of the fibers active, by weight".to_owned(),
        groups: curves.into_iter().map(|(_, curve)| curve).collect(),
        ordered: false,
        notes,
    }
}

/// States over frequency (or fiber) and amplitude.
pub(super) fn response(plan: &Plan, results: &Results) -> Result<Box<dyn Picture>, CliError> {
    let table = &results.table;
    let (Some(amplitude), Some(state)) = (table.column("amplitude_mA"), table.column("state"))
    else {
        return Err(CliError::failure("there is nothing to draw: no response"));
    };
    // One column of the map for each case, in the order of its frequency, then of the rows.
    let settings = plan.columns.len();
    let frequency = table.column("frequency_kHz");
    let mut cases: Vec<&[Cell]> = Vec::new();
    for row in &table.rows {
        if cases.last().is_none_or(|last| *last != &row[..settings]) {
            cases.push(&row[..settings]);
        }
    }
    let mut order: Vec<usize> = (0..cases.len()).collect();
    let key = |case: usize| {
        frequency
            .and_then(|at| cases[case][at].number())
            .unwrap_or(0.0)
    };
    order.sort_by(|a, b| key(*a).total_cmp(&key(*b)));
    let mut amplitudes: Vec<f64> = table
        .rows
        .iter()
        .filter_map(|row| row[amplitude].number())
        .collect();
    amplitudes.sort_by(f64::total_cmp);
    amplitudes.dedup();
    const STATES: [&str; 6] = [
        "transmitted",
        "partial",
        "excited",
        "blocked",
        "quiet",
        "diverged",
    ];
    // The usual ones always, so that a color means the same in every picture.
    const USUAL: usize = 4;
    let present = |name: &str| table.rows.iter().any(|row| row[state].exact() == name);
    let names = STATES.iter().enumerate();
    let names: Vec<String> = names
        .filter(|(index, name)| *index < USUAL || present(name))
        .map(|(_, name)| (*name).to_owned())
        .collect();
    let mut values = vec![None; cases.len() * amplitudes.len()];
    let place: BTreeMap<usize, usize> = order
        .iter()
        .enumerate()
        .map(|(column, &case)| (case, column))
        .collect();
    let mut case = 0;
    for row in &table.rows {
        while cases[case] != &row[..settings] {
            case += 1;
        }
        let found = row[amplitude].number();
        let at = found.and_then(|ma| amplitudes.iter().position(|known| *known == ma));
        if let Some(at) = at {
            let name = row[state].exact();
            let index = names.iter().position(|known| *known == name);
            values[at * cases.len() + place[&case]] = index;
        }
    }
    let series = Series::new(plan, table, Some("frequency_kHz"), &Layout::default())?;
    let label = |case: usize| {
        let row = cases[case];
        let parts = series
            .telling
            .iter()
            .copied()
            .chain(frequency)
            .filter(|&at| at < settings);
        let parts = parts.filter_map(|at| describe(&table.columns[at], &row[at].exact()));
        parts.collect::<Vec<_>>().join(", ")
    };
    let labels: Vec<String> = order.iter().map(|&case| label(case)).collect();
    let single = frequency.filter(|_| series.telling.is_empty());
    let (x, columns) = match single {
        Some(at) => (
            Axis::new("frequency (kHz)", Spacing::Linear),
            order
                .iter()
                .filter_map(|&case| cases[case][at].number())
                .collect(),
        ),
        None => (
            Axis {
                names: labels,
                ..Axis::new("case", Spacing::Linear)
            },
            (0..cases.len()).map(|k| k as f64).collect(),
        ),
    };
    Ok(Box::new(HeatMap {
        title: format!("Response to kHz stimulation: {}", plan.titles().join(", ")),
        subtitle: words::stimulus(plan),
        x,
        y: Axis::new("amplitude (mA)", Spacing::Linear),
        columns,
        rows: amplitudes,
        cells: Cells::States { names, values },
        lines: Vec::new(),
        notes: Vec::new(),
    }))
}
