//! The fraction of fibers that amplitudes activate, of all and by group, fascicle, diameter and target.

use axonml_models::conditions::cell;
use axonml_models::recruitment;
use serde_json::{Value, json};

use super::threshold::{
    Unit, check_unknown, describe_search, failed_threshold, search_keys, summarize,
    threshold_columns,
};
use super::{Question, curves};
use crate::study::StudyError;
use crate::study::answer::Answer;
use crate::study::case::Case;
use crate::study::plan::{Plan, PlannedCase, Request};
use crate::study::report::{Cell, Results, Table, significant};
use crate::study::spec::{RecruitmentProtocol, Study, ThresholdProtocol, check};

/// Fibers of which a curve is drawn.
#[derive(Clone, Debug, PartialEq)]
struct Scope {
    /// `all`, `group`, `fascicle`, `diameter`, `target`, `off-target`.
    of: &'static str,
    group: Cell,
    fascicle: Cell,
    diameter_um: Cell,
}

impl Scope {
    fn new(of: &'static str) -> Self {
        Scope {
            of,
            group: Cell::Missing,
            fascicle: Cell::Missing,
            diameter_um: Cell::Missing,
        }
    }

    /// The scopes that a fiber belongs to, of those that the plan tells apart.
    fn of_fiber(planned: &PlannedCase, told: &Told) -> Vec<Scope> {
        let member = &planned.member;
        let mut scopes = vec![Scope::new("all")];
        if told.groups {
            scopes.push(Scope {
                group: Cell::text(member.group_name.clone()),
                ..Scope::new("group")
            });
        }
        if let Some(fascicle) = member.fascicle.filter(|_| told.fascicles) {
            scopes.push(Scope {
                fascicle: Cell::integer(fascicle),
                ..Scope::new("fascicle")
            });
        }
        if told.diameters {
            scopes.push(Scope {
                diameter_um: Cell::Number(member.diameter_um),
                ..Scope::new("diameter")
            });
        }
        if let Some(target) = member.target {
            scopes.push(Scope::new(if target { "target" } else { "off-target" }));
        }
        scopes
    }

    fn cells(&self) -> [Cell; 4] {
        let Scope {
            of,
            group,
            fascicle,
            diameter_um,
        } = self.clone();
        [Cell::text(of), group, fascicle, diameter_um]
    }

    fn name(&self) -> String {
        match self.of {
            "group" => format!("group {}", self.group.exact()),
            "fascicle" => format!("fascicle {}", self.fascicle.exact()),
            "diameter" => format!("{} um", self.diameter_um.exact()),
            other => other.to_owned(),
        }
    }
}

/// Curves that the fibers can be told apart by: where there are several, and few.
struct Told {
    groups: bool,
    fascicles: bool,
    diameters: bool,
}

impl Told {
    fn of(plan: &Plan) -> Self {
        const MOST: usize = 20;
        let different = |cells: Vec<String>| {
            let mut cells = cells;
            cells.sort_unstable();
            cells.dedup();
            (2..=MOST).contains(&cells.len())
        };
        let each = |of: fn(&PlannedCase) -> String| different(plan.cases.iter().map(of).collect());
        Told {
            groups: each(|planned| planned.member.group_name.clone()),
            fascicles: each(|planned| format!("{:?}", planned.member.fascicle)),
            diameters: each(|planned| planned.member.diameter_um.to_string()),
        }
    }
}

/// The fibers of one scope at one point of the grid.
struct Members {
    grid: Vec<Cell>,
    scope: Scope,
    thresholds_ma: Vec<Option<f64>>,
    weights: Vec<f64>,
    /// Weight of fibers whose threshold is not known.
    unknown: f64,
}

impl Members {
    fn total(&self) -> f64 {
        self.weights.iter().sum()
    }

    fn fraction_at(&self, ma: f64) -> f64 {
        let active = self.thresholds_ma.iter().zip(&self.weights);
        let active = active.filter(|(threshold, _)| threshold.is_some_and(|t| t <= ma));
        active.map(|(_, weight)| weight).sum::<f64>() / self.total()
    }
}

impl RecruitmentProtocol {
    /// The fibers by scope and point of the grid, in order of appearance.
    fn members(plan: &Plan, thresholds: &Table) -> Vec<Members> {
        let told = Told::of(plan);
        let grid: Vec<usize> = plan
            .grid
            .iter()
            .filter_map(|name| plan.columns.iter().position(|column| column == name))
            .collect();
        let found = thresholds.numbers("threshold_mA");
        let status = thresholds.column("status");
        let mut all: Vec<Members> = Vec::new();
        let mut places = std::collections::HashMap::new();
        for ((planned, threshold_ma), row) in plan.cases.iter().zip(found).zip(&thresholds.rows) {
            let status = status.map(|at| row[at].exact()).unwrap_or_default();
            let is_known = !matches!(status.as_str(), "spontaneous" | "diverged" | "error");
            let cells: Vec<Cell> = grid
                .iter()
                .map(|&at| planned.settings[at].clone())
                .collect();
            for scope in Scope::of_fiber(planned, &told) {
                let place = *places
                    .entry(format!("{cells:?} {scope:?}"))
                    .or_insert_with(|| {
                        all.push(Members {
                            grid: cells.clone(),
                            scope,
                            thresholds_ma: Vec::new(),
                            weights: Vec::new(),
                            unknown: 0.0,
                        });
                        all.len() - 1
                    });
                let members = &mut all[place];
                if is_known {
                    members.thresholds_ma.push(threshold_ma);
                    members.weights.push(planned.member.weight);
                } else {
                    members.unknown += planned.member.weight;
                }
            }
        }
        // All first, then what it is made of, each kind together.
        const ORDER: [&str; 6] = [
            "all",
            "target",
            "off-target",
            "group",
            "fascicle",
            "diameter",
        ];
        all.sort_by_key(|members| ORDER.iter().position(|of| *of == members.scope.of));
        all
    }
}

impl Question for RecruitmentProtocol {
    fn check(&self, study: &Study) -> Result<(), StudyError> {
        if study.conditions.is_some() {
            return Err(StudyError::request(
                "conditions: rows of a table have no weights; recruitment is that of fibers in a field",
            )
            .help("give fibers and a field"));
        }
        // Fractions are told over the amplitude of a field.
        curves::check_field(study)?;
        check_unknown(study)?;
        let at = self.at_ma.as_ref().map(|at| &at.0[..]);
        check::list("at_mA", at, cell::not_negative("mA"))
    }

    fn search_keys(&self, study: &Study) -> &'static [&'static str] {
        search_keys(study)
    }

    fn weighs_groups(&self) -> bool {
        true
    }

    fn describe(&self, study: &Study, request: &mut Request) {
        describe_search(study, request);
        request.put("at_mA", json!(self.at_ma));
    }

    fn columns(&self, plan: &Plan) -> Vec<String> {
        threshold_columns(Unit::of(&plan.study))
    }

    fn answer(
        &self,
        plan: &Plan,
        cases: Vec<(usize, &Case)>,
        progress: &mut dyn FnMut(f64),
    ) -> Result<Vec<(usize, Answer)>, StudyError> {
        ThresholdProtocol::default().answer(plan, cases, progress)
    }

    fn failed(&self, _plan: &Plan, status: &str, error: &StudyError) -> Answer {
        failed_threshold(status, error)
    }

    fn finish(&self, plan: &Plan, results: &mut Results) -> Result<(), StudyError> {
        summarize(results);
        let thresholds = std::mem::take(&mut results.table);
        // While work is unfinished, rows are not those of the cases.
        if thresholds.rows.len() != plan.cases.len() {
            results.table = thresholds;
            results
                .words
                .push("unfinished: no recruitment can be told yet".to_owned());
            return Ok(());
        }
        let all = Self::members(plan, &thresholds);
        let names = ["of", "group", "fascicle", "diameter_um"];
        let columns = || {
            let grid = plan.grid.iter().copied();
            ["amplitude_mA"].into_iter().chain(grid).chain(names)
        };
        let mut curve = Table::new(columns().chain(["fraction"]));
        let mut at = Table::new(columns().chain(["fraction"]));
        for members in all.iter().filter(|members| members.total() > 0.0) {
            let row = |ma: f64, fraction: f64| {
                let mut row = vec![Cell::Number(ma)];
                row.extend(members.grid.iter().cloned());
                row.extend(members.scope.cells());
                row.push(Cell::Number(fraction));
                row
            };
            for step in recruitment(&members.thresholds_ma, Some(&members.weights))? {
                curve.rows.push(row(step.amplitude_ma, step.fraction));
            }
            for &ma in self.at_ma.iter().flat_map(|at| &at.0) {
                let fraction = members.fraction_at(ma);
                at.rows.push(row(ma, fraction));
                // Fascicles and diameters are in the table.
                if matches!(members.scope.of, "fascicle" | "diameter") {
                    continue;
                }
                results.words.push(format!(
                    "{} mA activate {} % of {}{}",
                    significant(ma, 6),
                    significant(100.0 * fraction, 4),
                    members.scope.name(),
                    point_name(plan, &members.grid)
                ));
            }
        }
        let unknown = all.iter().filter(|members| members.scope.of == "all");
        let unknown: f64 = unknown.map(|members| members.unknown).sum();
        results
            .summary
            .insert("unknown_weight".into(), json!(unknown));
        if unknown > 0.0 {
            results.words.push(format!(
                "fibers of weight {} have no known threshold (see their status) and are not counted",
                significant(unknown, 3)
            ));
        }
        let selectivity = selectivity(plan, &all, results);
        results.summary.insert("selectivity".into(), selectivity);
        results.table = curve;
        if !at.rows.is_empty() {
            results.further.push(("at", at));
        }
        results.further.push(("thresholds", thresholds));
        Ok(())
    }
}

/// The point of the grid, for sentences.
fn point_name(plan: &Plan, grid: &[Cell]) -> String {
    let cells = plan.grid.iter().zip(grid);
    let cells: Vec<String> = cells
        .map(|(name, cell)| format!("{name} {}", cell.exact()))
        .collect();
    match cells.is_empty() {
        true => String::new(),
        false => format!(" ({})", cells.join(", ")),
    }
}

/// How far targets can be activated and the others spared, at each point of the grid.
fn selectivity(plan: &Plan, all: &[Members], results: &mut Results) -> Value {
    let of = |name: &'static str, grid: &[Cell]| {
        let mut all = all.iter();
        all.find(|members| members.scope.of == name && members.grid == grid)
            .filter(|members| members.total() > 0.0)
    };
    let mut points = Vec::new();
    for members in all.iter().filter(|members| members.scope.of == "target") {
        let grid = &members.grid;
        let Some((target, others)) = of("target", grid).zip(of("off-target", grid)) else {
            continue;
        };
        let amplitudes = target.thresholds_ma.iter().chain(&others.thresholds_ma);
        let best = amplitudes.flatten().copied().max_by(|a, b| {
            let gain = |ma: f64| target.fraction_at(ma) - others.fraction_at(ma);
            gain(*a).total_cmp(&gain(*b)).then(b.total_cmp(a))
        });
        let Some(ma) = best else { continue };
        let highest = target
            .thresholds_ma
            .iter()
            .map(|t| t.unwrap_or(f64::INFINITY));
        let highest = highest.fold(0.0, f64::max);
        let lowest = others.thresholds_ma.iter().flatten();
        let lowest = lowest.copied().fold(f64::INFINITY, f64::min);
        let separation = (lowest / highest).is_finite().then_some(lowest / highest);
        let (on, off) = (target.fraction_at(ma), others.fraction_at(ma));
        results.words.push(format!(
            "most selective at {} mA{}: {} % of the target fibers, {} % of the others",
            significant(ma, 4),
            point_name(plan, grid),
            significant(100.0 * on, 3),
            significant(100.0 * off, 3)
        ));
        points.push(json!({
            "amplitude_mA": ma, "target_pct": 100.0 * on, "offtarget_pct": 100.0 * off, "separation": separation,
        }));
    }
    match points.len() {
        0 => Value::Null,
        1 => points.swap_remove(0),
        _ => points.into(),
    }
}
