//! Tables of conditions.

use axonml_core::delimited::DelimitedText;
use axonml_models::Settings;
use axonml_models::conditions::{Header, Overrides, RowReader};

use crate::Outcome;

/// Rows that are read, at most: each may build a model.
const ROWS: usize = 16;

/// Steps of a run for which there is room.
const STEPS: usize = 1_000_000;

/// A table without flags: every number of a condition is one that a run can have.
pub(super) fn table(bytes: &[u8]) -> Outcome {
    let table = match DelimitedText::from_bytes(bytes) {
        Ok(table) => table,
        Err(error) => return Outcome::refused(bytes.len(), error),
    };
    let mut records = table.records();
    let Some(names) = records.next() else {
        return Outcome::Refused("no record".to_owned());
    };
    let names: Vec<String> = names.cells().map(str::to_owned).collect();
    let header = match Header::new(&names, &["nodes", "pulse-width"]) {
        Ok(header) => header,
        Err(error) => return Outcome::refused(bytes.len(), error),
    };
    let overrides = Overrides::default();
    let room = |grid: &axonml_core::TimeGrid| match grid.steps() <= STEPS {
        true => Ok(()),
        false => Err(format!("{} steps are too many", grid.steps())),
    };
    let settings = |_: &dyn axonml_models::FiberModel| Settings::default();
    let mut reader = RowReader::new(&header, &overrides, &settings, &room);
    let mut read = 0;
    for record in records.take(ROWS) {
        let cells: Vec<String> = record
            .cells()
            .map(|cell| table.with_point(cell).into_owned())
            .collect();
        let condition = match reader.condition(&cells) {
            Ok(condition) => condition,
            Err(error) => return Outcome::refused(bytes.len(), error),
        };
        let positive = |number: f64| number > 0.0 && number.is_finite();
        assert!(positive(condition.fiber.diameter_um), "diameter");
        assert!(
            condition.fiber.compartment_um.is_none_or(positive),
            "spacing"
        );
        assert!(condition.length_um.is_none_or(positive), "length");
        assert!(
            condition.fiber.nodes >= 3,
            "{} nodes",
            condition.fiber.nodes
        );
        assert!(
            positive(condition.dt_ms) && positive(condition.tstop_ms),
            "times"
        );
        assert!(condition.celsius.is_none_or(f64::is_finite), "temperature");
        read += 1;
    }
    match read {
        0 => Outcome::Refused("no row".to_owned()),
        _ => Outcome::Accepted,
    }
}
