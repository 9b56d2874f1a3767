//! `axonml devices`: what this build can compute on, here.

use axonml::{Device, SimulationError};
use serde_json::json;

use crate::args::DevicesArgs;
use crate::error::CliError;
use crate::report::{plain, print, print_json};
use axonml::study::{Cell, Table};

/// Lists the backends.
pub(crate) fn devices(args: &DevicesArgs) -> Result<(), CliError> {
    let report = Device::report();
    let auto = Device::auto().map(|device| device.name());
    if args.json {
        let used = match auto {
            Ok(name) => json!(name),
            Err(_) => json!(null),
        };
        return print_json(&json!({"devices": report, "auto": used}));
    }
    let rows = report.iter().map(|device| {
        let available = if device.available { "yes" } else { "no" };
        vec![
            Cell::text(device.backend),
            Cell::text(available),
            Cell::text(&*device.detail),
        ]
    });
    let table = Table {
        columns: ["backend", "available", "detail"]
            .map(str::to_owned)
            .to_vec(),
        rows: rows.collect(),
    };
    let auto = auto.unwrap_or_else(|error: SimulationError| format!("nothing ({error})"));
    print(&format!("{}--backend auto uses {auto}\n", plain(&table)))
}
