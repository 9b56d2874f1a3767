//! Where searches begin: the first members of populations.

use std::path::Path;

use axonml_optimize::{Initial, Spread};

use super::given::{read_amplitudes, read_members};
use super::search::Search;
use crate::design::Scan;
use crate::study::{DeInit, StudyError};

impl Search<'_> {
    /// The first members of a population.
    pub(super) fn first_members(
        &self,
        scan: &Scan,
        population: usize,
    ) -> Result<Initial, StudyError> {
        let of = |spread, members| Initial { members, spread };
        Ok(match self.study.de.init() {
            DeInit::Random => of(Spread::Random, Vec::new()),
            DeInit::Rlhs => of(Spread::Rlhs, Vec::new()),
            DeInit::Mlhs => of(Spread::Mlhs, Vec::new()),
            DeInit::Scan => {
                // A quarter of the members are the best montages.
                let best = scan
                    .montages
                    .iter()
                    .filter_map(|scanned| self.problem.start(&scanned.amplitudes_ma));
                of(Spread::Rlhs, best.take(population.div_ceil(4)).collect())
            }
            DeInit::File(path) => {
                let members = self.members_of(&path)?;
                if members.len() > population {
                    return Err(StudyError::request(format!(
                        "found {} members, expected {population} at most, the population",
                        members.len()
                    ))
                    .help("raise population (--population), or leave members out")
                    .at(path.display()));
                }
                of(Spread::Rlhs, members)
            }
        })
    }

    /// The members in a file that the limits leave anything of.
    pub(super) fn members_of(&self, path: &Path) -> Result<Vec<Vec<f64>>, StudyError> {
        let problem = &self.problem;
        let members: Vec<Vec<f64>> = match read_members(path)? {
            Some(rows) => {
                let unknowns = problem.parameterization.unknowns();
                if let Some(row) = rows.iter().find(|row| row.len() != unknowns) {
                    return Err(StudyError::request(format!(
                        "found a member of {} numbers, expected {unknowns}, one per unknown",
                        row.len()
                    ))
                    .at(path.display()));
                }
                let each = rows.iter();
                each.filter_map(|row| problem.start_at(row)).collect()
            }
            None => {
                let amplitudes = read_amplitudes(path)?;
                for one in &amplitudes {
                    self.check_count(one.len(), &path.display().to_string())?;
                }
                let each = amplitudes.iter();
                each.filter_map(|one| problem.start(one)).collect()
            }
        };
        match members.is_empty() {
            true => Err(
                StudyError::request("found no member that the limits leave anything of")
                    .at(path.display()),
            ),
            false => Ok(members),
        }
    }
}
