//! The accuracy that models state, against `docs/validation.md`, which has the commands that repeat it.

use axonml_models::{Difference, MODELS, Validation};

fn page() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/validation.md");
    std::fs::read_to_string(path).unwrap()
}

/// Cells of the rows of the page whose first one is a model's id.
fn rows<'p>(page: &'p str, id: &str) -> Vec<Vec<&'p str>> {
    let first = format!("| `{id}` |");
    let rows = page.lines().filter(|line| line.starts_with(&first));
    rows.map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

#[test]
fn the_page_says_of_every_model_what_the_model_says() {
    let page = page();
    for model in MODELS {
        let schema = model.schema();
        assert!(!schema.validations.is_empty(), "{}", schema.id);
        let stated = schema.validations.iter().map(Validation::to_string);
        let stated = stated.collect::<Vec<String>>().join("; ");
        let rows = rows(&page, &schema.id);
        assert!(
            rows.iter().any(|cells| cells.last() == Some(&&*stated)),
            "{}: {stated}",
            schema.id
        );
    }
}

/// The differences that the page lists case by case have the mean and the largest size that the model states.
#[test]
fn differences_by_case_are_those_that_models_sum_up() {
    let page = page();
    let mut compared = 0;
    for model in MODELS {
        let schema = model.schema();
        for validation in &schema.validations {
            let Difference::Thresholds {
                mean_pct,
                worst_pct,
            } = validation.difference
            else {
                continue;
            };
            for cells in rows(&page, &schema.id) {
                // Model, fiber, thresholds, velocity and its difference.
                let [_, _, listed, _, _] = cells[..] else {
                    continue;
                };
                let sizes: Vec<f64> = listed
                    .split(", ")
                    .map(|size| size.parse::<f64>().unwrap().abs())
                    .collect();
                assert_eq!(sizes.len(), validation.cases, "{}", schema.id);
                let mean = sizes.iter().sum::<f64>() / sizes.len() as f64;
                let largest = sizes.iter().fold(0.0, |a: f64, &b| a.max(b));
                // The mean is rounded to three decimals.
                assert!(
                    (mean - mean_pct).abs() <= 0.5001e-3,
                    "{}: {mean}",
                    schema.id
                );
                assert_eq!(largest, worst_pct, "{}", schema.id);
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 12);
}
